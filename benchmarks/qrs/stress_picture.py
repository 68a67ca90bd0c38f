"""How well beats are found in noise, as one picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.qrs.measure import OURS
from benchmarks.qrs.noises import KINDS
from benchmarks.qrs.stress import SNRS_DB
from benchmarks.qrs.stress_report import StressReport
from daemon.offline.drawing import BLUE, RED, picture

COLUMNS = 4
PEER_COLOURS = (BLUE, "#e0a040", "#5b9a68", "#8e6bb0", "#8c6d53", "#5fb3b3")


def draw(report: StressReport, file: Path) -> None:
    """Write the curves of F1 by signal-to-noise ratio, one panel for each kind of noise."""
    kinds = report.plan.kinds
    columns = min(COLUMNS, len(kinds))
    rows = -(-len(kinds) // columns)
    with picture(file, 3 * columns, 3.4 * rows + 0.6) as figure:
        panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
        for kind, axes in zip(kinds, panels.flat, strict=False):
            _draw_kind(axes, report, kind)
        for axes in panels.flat[len(kinds) :]:
            axes.set_axis_off()
        for axes in panels[:, 0]:
            axes.set_ylabel("F1, %")
        legend = panels[0, 0].get_legend_handles_labels()
        figure.legend(*legend, loc="outside lower center", ncols=4)


def _draw_kind(axes: Any, report: StressReport, kind: str) -> None:
    for detector, colour in zip(report.detectors, (RED, *PEER_COLOURS), strict=False):
        f1 = [report.gross(kind, snr_db, detector).f1 for snr_db in SNRS_DB]
        emphasis = {"linewidth": 2.5, "zorder": 3} if detector == OURS else {}
        axes.plot(SNRS_DB, f1, color=colour, marker="o", markersize=4, label=detector, **emphasis)
    axes.set(title=KINDS[kind].title, xlabel="SNR, dB", xticks=SNRS_DB)
    axes.set_xlim(max(SNRS_DB) + 1, min(SNRS_DB) - 1)  # more noise to the right
    axes.grid(axis="y", color="0.9")
