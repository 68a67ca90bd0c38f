"""What was measured, as one picture: of plain records, or of records in noise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.qrs.measure import OURS, Result
from benchmarks.qrs.noises import KINDS
from benchmarks.qrs.report import Report
from benchmarks.qrs.stress import SNRS_DB
from benchmarks.qrs.stress_report import StressReport
from daemon.offline.drawing import BLUE, PALE_BLUE, RED, picture

SAMPLE_MS = 4.0
COLUMNS = 4
PEER_COLOURS = (BLUE, "#e0a040", "#5b9a68", "#8e6bb0", "#8c6d53", "#5fb3b3")


def draw(report: Report, file: Path) -> None:
    """Write the errors by record and by detector, the places of R, and the latency."""
    gross = report.detectors
    with picture(file, 11, 8) as figure:
        errors, detectors, places, latency = figure.subplots(2, 2).flat
        _draw_errors(errors, report)
        _draw_detectors(detectors, gross)
        _draw_places(places, gross[OURS])
        _draw_latency(latency, gross[OURS])


def _draw_errors(axes: Any, report: Report) -> None:
    names = [record.record for record in report.records]
    scores = [record.detectors[OURS].score for record in report.records]
    missed = np.array([score.missed for score in scores])
    invented = np.array([score.invented for score in scores])
    axes.bar(names, missed, color=RED, label="missed (FN)")
    axes.bar(names, invented, bottom=missed, color=PALE_BLUE, label="invented (FP)")
    axes.set(title="Errors by record", ylabel="beats")
    axes.tick_params("x", rotation=90, labelsize="small")
    axes.legend(frameon=False)


def _draw_detectors(axes: Any, gross: dict[str, Result]) -> None:
    ordered = sorted(gross.items(), key=lambda item: -item[1].score.error_rate)
    names = [name for name, _ in ordered]
    rates = [result.score.error_rate for _, result in ordered]
    colours = [RED if name == OURS else BLUE for name in names]
    bars = axes.barh(names, rates, color=colours)
    axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.set(title="Detection error rate, all records", xlabel="(FN + FP) / beats, %")
    axes.margins(x=0.15)


def _draw_places(axes: Any, ours: Result) -> None:
    offsets_ms = ours.score.offsets_ms
    edges = np.arange(-15.5, 16.5) * SAMPLE_MS
    axes.hist(np.clip(offsets_ms, edges[0], edges[-1]), edges, color=BLUE)
    axes.set(
        title=f"Place of R: bias {ours.score.bias_ms:.1f}, SD {ours.score.sd_ms:.1f} ms",
        xlabel="found minus annotated, ms (the ends hold what lies beyond)",
        ylabel="beats",
    )


def _draw_latency(axes: Any, ours: Result) -> None:
    assert ours.latency is not None
    for late_ms, colour, name in (
        (ours.latency.at_once_ms, BLUE, "in passing"),
        (ours.latency.search_back_ms, RED, "by search-back"),
    ):
        if len(late_ms):
            part = 100 * np.arange(1, len(late_ms) + 1) / len(late_ms)
            axes.step(np.sort(late_ms), part, where="post", color=colour, label=name)
    axes.set(title="Told after R", xlabel="ms", ylabel="% of beats", xscale="log")
    axes.legend(frameon=False)


def draw_noise(report: StressReport, file: Path) -> None:
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
