"""What was measured, as tables for the terminal and as one JSON object for scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from benchmarks.qrs.ablation import DEPARTURES
from benchmarks.qrs.errors import NothingToScore
from benchmarks.qrs.measure import OURS, RecordResults, Result, gross
from benchmarks.qrs.records import Protocol
from daemon.tables import filled

SCORES: dict[str, Callable[[Result], float]] = {
    "Se %": lambda result: result.score.sensitivity,
    "PPV %": lambda result: result.score.positive_predictivity,
    "F1 %": lambda result: result.score.f1,
    "DER %": lambda result: result.score.error_rate,
    "bias ms": lambda result: result.score.bias_ms,
    "SD ms": lambda result: result.score.sd_ms,
}
DECIMALS = {"bias ms": 1, "SD ms": 1}


@dataclass(frozen=True, slots=True)
class Report:
    """All results."""

    protocol: Protocol  # how was scored
    records: tuple[RecordResults, ...]  # one for each record

    @classmethod
    def of(cls, protocol: Protocol, results: Iterable[RecordResults], folder: Path) -> Report:
        """Collect the results; there must be a beat in them."""
        records = tuple(results)
        if not any(result.score.beats for one in records for result in one.detectors.values()):
            raise NothingToScore(
                f"{folder}: no beat is annotated in what is scored; for short records try --from 0"
            )
        return cls(protocol, records)

    @property
    def detectors(self) -> dict[str, Result]:
        """The gross result of the detector and of each peer."""
        return {
            name: gross(record.detectors[name] for record in self.records)
            for name in self.records[0].detectors
        }

    @property
    def ablation(self) -> dict[str, Result]:
        """The gross result without each departure."""
        return {
            name: gross(record.ablation[name] for record in self.records)
            for name in self.records[0].ablation
        }

    def tables(self) -> Iterator[Table]:
        """Yield what is worth printing: per record, latency, peers and ablation, where measured."""
        detectors = self.detectors
        yield self._record_table(detectors[OURS])
        yield _latency_table(detectors[OURS])
        if len(detectors) > 1:
            yield _peer_table(detectors)
        if self.records[0].ablation:
            yield _ablation_table(detectors[OURS], self.ablation)

    def _record_table(self, total: Result) -> Table:
        headings = ("record", "beats", "FN", "FP", *SCORES)
        rows = (_score_row(record.record, record.detectors[OURS]) for record in self.records)
        table = filled("QRS detection, sample by sample", headings, rows, self._caption())
        table.add_section()
        table.add_row(*_score_row("gross", total))
        return table

    def _caption(self) -> str:
        protocol = self.protocol
        parts = [
            "EC57: beats within 150 ms",
            f"from {protocol.from_s:g} s on",
            f"signal {protocol.signal or 'MLII or else the first'}",
            f"annotator {protocol.annotator}",
            f"grid {protocol.mains_hz} Hz",
        ]
        if protocol.between_annotations:
            parts.append("from the first to the last annotation")
        return ", ".join(parts)

    def as_json(self) -> dict[str, Any]:
        """Return everything but the single beats, with null for what is not defined."""
        names = self.records[0].detectors
        return {
            "protocol": asdict(self.protocol),
            "detectors": {name: _figures(result) for name, result in self.detectors.items()},
            "records": {
                record.record: {name: _figures(record.detectors[name]) for name in names}
                for record in self.records
            },
            "ablation": {
                name: {"taken_back": DEPARTURES[name].taken_back, **_figures(result)}
                for name, result in self.ablation.items()
            },
        }


def _score_row(name: str, result: Result) -> tuple[str, ...]:
    score = result.score
    counts = (score.beats, score.missed, score.invented)
    return (name, *map(str, counts), *_score_cells(result))


def _score_cells(result: Result) -> list[str]:
    return [_text(figure(result), DECIMALS.get(name, 2)) for name, figure in SCORES.items()]


def _text(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}" if isfinite(value) else "-"


def _latency_table(total: Result) -> Table:
    cost = f"{total.us_per_sample:.2f} us a sample"
    if total.detector_us_per_sample is not None:
        cost += f", {total.detector_us_per_sample:.2f} of them in the detector"
    rows = (
        (
            name,
            str(figures["beats"]),
            f"{figures['share_percent']:.2f}",
            *(_text(figures[key], 0) for key in ("median_ms", "p95_ms", "p99_ms")),
        )
        for name, figures in _latency_figures(total).items()
    )
    headings = ("found", "beats", "share %", "median ms", "p95 ms", "p99 ms")
    return filled(f"From the R peak to its message; {cost}", headings, rows)


def _peer_table(detectors: dict[str, Result]) -> Table:
    ours = detectors[OURS].us_per_sample
    rows = (
        (
            name,
            *_score_cells(result),
            f"{result.us_per_sample:.2f}",
            f"{result.us_per_sample / ours:.3f} x",
        )
        for name, result in sorted(detectors.items(), key=lambda item: item[1].score.error_rate)
    )
    caption = "Peers see the whole recording. SD is about each one's own bias."
    return filled("Side by side", ("detector", *SCORES, "us a sample", "CPU"), rows, caption)


def _ablation_table(ours: Result, ablation: dict[str, Result]) -> Table:
    rows = [("as it is", *_score_cells(ours), "", _median_latency(ours))]
    for name, result in ablation.items():
        worth = f"{result.score.error_rate - ours.score.error_rate:+.3f}"
        cells = (*_score_cells(result), worth, _median_latency(result))
        rows.append((DEPARTURES[name].taken_back, *cells))
    title = "One departure from Pan and Tompkins taken back at a time"
    return filled(title, ("instead", *SCORES, "worth in DER", "median ms"), rows)


def _median_latency(result: Result) -> str:
    return _text(_latency_figures(result)["in passing"]["median_ms"], 0)


def _figures(result: Result) -> dict[str, Any]:
    figures = {
        "bias_ms": result.score.bias_ms,
        "sd_ms": result.score.sd_ms,
        "us_per_sample": result.us_per_sample,
    }
    if result.detector_us_per_sample is not None:
        figures["detector_us_per_sample"] = result.detector_us_per_sample
    latency = {
        name.replace(" ", "_").replace("-", "_"): _defined(of_name)
        for name, of_name in _latency_figures(result).items()
    }
    return {**result.score.figures(), **_defined(figures), "latency": latency or None}


def _defined(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: value if isfinite(value) else None for name, value in figures.items()}


def _latency_figures(result: Result) -> dict[str, dict[str, Any]]:
    """Return the latencies of beats found in passing and, apart, by search-back."""
    if result.latency is None:
        return {}
    at_once, search_back = result.latency.at_once_ms, result.latency.search_back_ms
    total = len(at_once) + len(search_back)
    return {
        "in passing": _percentiles(at_once, total),
        "by search-back": _percentiles(search_back, total),
    }


def _percentiles(late_ms: NDArray[np.float64], of: int) -> dict[str, Any]:
    median, p95, p99 = np.percentile(late_ms, (50, 95, 99)) if len(late_ms) else [np.nan] * 3
    return {
        "beats": len(late_ms),
        "share_percent": 100 * len(late_ms) / of if of else float("nan"),
        "median_ms": float(median),
        "p95_ms": float(p95),
        "p99_ms": float(p99),
    }
