"""Everybody's recordings through the signal chain: what training and benchmarks learn from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from rich.progress import Progress

from daemon.offline.analysis import Analysis, Workers, analyse, side_by_side
from daemon.recordings.person_folders import PersonRecord, find_records
from model.training.datasets import Beats


def analyse_people(
    data: Iterable[Path],
    bars: Progress,
    *,
    signal: str = "0",
    mains_hz: int = 50,
    jobs: Workers = None,
) -> tuple[list[PersonRecord], list[Analysis]]:
    """Find everybody's records and run them through the signal chain, with a progress bar."""
    records = find_records(data)
    analyse_one = partial(analyse, signal=signal, mains_hz=mains_hz)
    analyses = side_by_side(analyse_one, [record.path for record in records], jobs)
    return records, list(bars.track(analyses, len(records), description="Finding heartbeats"))


def gather_beats(records: Sequence[PersonRecord], analyses: Sequence[Analysis]) -> Beats:
    """Put the beats of all records together, in the order of the records."""
    counts = [len(each.beats) for each in analyses]
    return Beats(
        windows_mv=np.concatenate([each.windows_mv for each in analyses]),
        persons=np.repeat([record.person for record in records], counts),
        records=np.repeat([record.path for record in records], counts),
        days=np.repeat([record.day for record in records], counts),
        good=np.array([beat.quality.good for each in analyses for beat in each.beats], dtype=bool),
    )
