"""The figures of pages that were read back, and tables of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress
from rich.table import Table

from benchmarks.paper.pages import DEGRADATIONS, PAPERS, Image, Paper, draw, printed
from benchmarks.paper.reading import Reading, read_back
from benchmarks.report import stage
from daemon.recordings.person_folders import find_records
from daemon.recordings.recording import read_recording


def measure_pages(folder: Path, count: int, bars: Progress) -> dict[str, Any]:
    """Read the first recordings of so many people back from all kinds of pages."""
    first = {record.person: record.path for record in reversed(find_records([folder]))}
    paths = [first[person] for person in sorted(first)][:count]
    advance = stage(bars, "Pages", len(paths) * (len(DEGRADATIONS) + len(PAPERS)))
    readings: dict[str, list[Reading]] = {}
    for number, path in enumerate(paths):
        for kind, page, mv in pages_of(read_recording(path).ecg_mv, number):
            readings.setdefault(kind, []).append(read_back(page, mv))
            advance()
    refusals = {kind: [r.refused for r in some if r.refused] for kind, some in readings.items()}
    return {
        "recordings": paths,
        "refusals": {kind: said for kind, said in refusals.items() if said},
        "rows": [summary(kind, some) for kind, some in readings.items()],
    }


def pages_of(
    ecg_mv: NDArray[np.float64], seed: int
) -> Iterator[tuple[str, Image, NDArray[np.float64]]]:
    """Yield a recording on every kind of page: what kind, the page, and what was printed."""
    mv = printed(ecg_mv, Paper())
    page = draw([mv], Paper())
    rng = np.random.default_rng(seed)
    for name, spoil in DEGRADATIONS.items():
        yield name, spoil(page, rng), mv
    for name, paper in PAPERS.items():
        mv = printed(ecg_mv, paper)
        yield name, draw([mv], paper), mv


def summary(kind: str, readings: Sequence[Reading]) -> dict[str, float | str]:
    """Return the figures of one kind of page, of those pages that were not refused."""
    read = [each for each in readings if each.refused is None] or [Reading(None, np.nan)]
    snr_db = [each.snr_db for each in read]
    r_error = [each.r_error_percent for each in read]
    figures = {
        "SNR, dB": np.median(snr_db),
        "least": np.min(snr_db),
        "R off, %": np.median(r_error),
        "most": np.max(r_error),
        "rate off, a minute, most": np.max([each.rate_error_per_minute for each in read]),
        "quality, least": np.min([each.quality for each in read]),
        "within two errors, %": 100 * np.median([each.within_two_errors for each in read]),
        "processor, s": np.median([each.seconds for each in readings]),
    }
    refused = sum(each.refused is not None for each in readings)
    told: dict[str, float | str] = {"page": kind, "pages": len(readings), "refused": refused}
    return told | {name: round(float(value), 2) for name, value in figures.items()}


def tables(figures: dict[str, Any]) -> list[Table]:
    """Return the rows of some figures as a table."""
    table = Table(*figures["rows"][0])
    for row in figures["rows"]:
        table.add_row(
            *(f"{each:.4g}" if isinstance(each, float) else str(each) for each in row.values())
        )
    return [table]
