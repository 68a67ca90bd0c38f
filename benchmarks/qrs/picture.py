"""What was measured, as one picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.qrs.measure import OURS, Result
from benchmarks.qrs.report import Report
from daemon.offline.drawing import BLUE, PALE_BLUE, RED, picture

SAMPLE_MS = 4.0


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
