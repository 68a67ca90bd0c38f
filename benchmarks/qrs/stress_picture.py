"""How well beats are found in noise, as one picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.qrs.measure import OURS
from benchmarks.qrs.noises import KINDS
from benchmarks.qrs.picture import OWN_COLOUR
from benchmarks.qrs.stress import SNRS_DB
from benchmarks.qrs.stress_report import StressReport

COLUMNS = 4


def draw(report: StressReport, file: Path) -> None:
    """Write the curves of F1 by signal-to-noise ratio, one panel for each kind of noise.

    Raises:
        OSError: the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    kinds = report.plan.kinds
    rows = -(-len(kinds) // COLUMNS)
    figure = Figure(figsize=(12, 3.4 * rows + 0.6), layout="constrained")
    FigureCanvasAgg(figure)
    panels = list(figure.subplots(rows, COLUMNS, sharey=True, squeeze=False).flat)
    for kind, axes in zip(kinds, panels, strict=False):
        _draw_kind(axes, report, kind)
    for axes in panels[len(kinds) :]:
        axes.set_axis_off()
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    figure.savefig(file, dpi=120)


def _draw_kind(axes: Any, report: StressReport, kind: str) -> None:
    for detector in reversed(report.detectors):  # ours last, on top
        f1 = [report.gross(kind, snr_db, detector).f1 for snr_db in SNRS_DB]
        style = {"color": OWN_COLOUR, "linewidth": 2.5} if detector == OURS else {"alpha": 0.8}
        axes.plot(SNRS_DB, f1, marker="o", markersize=4, label=detector, **style)
    axes.set(title=KINDS[kind].title, xlabel="SNR, dB", ylabel="F1, %", xticks=SNRS_DB)
    axes.set_xlim(max(SNRS_DB) + 1, min(SNRS_DB) - 1)  # more noise to the right
    axes.grid(axis="y", color="0.9")
    axes.spines[["top", "right"]].set_visible(False)
