"""Folders of recordings, one for each person, through the signal chain: what training learns from.

ecg-id/                     a data set
    Person_01/              a person: WFDB records, or .csv files, of one heart
        rec_1.hea  rec_1.dat
    Person_02.csv           ... or one .csv file
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from rich.progress import Progress

from daemon.offline.analysis import Analysis, analyse, side_by_side
from daemon.recordings.errors import RecordingNotFound
from daemon.recordings.record_names import reading_order
from model.training.datasets import Beats

DAY = re.compile(r"date:\s*(\d{1,2})\.(\d{1,2})\.(\d{4})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """A recording and whose it is."""

    person: str  # the name of the folder or of the .csv file
    path: str  # for ``analyse``
    day: str  # ``2004-12-07``, or empty if the record does not say


def find_records(data: Iterable[Path]) -> list[TrainingRecord]:
    """Find everybody's records, each person's in the order in which they were recorded.

    Args:
        data: data sets, or single persons.
    """
    found = []
    for place in data:
        if not place.exists():
            raise RecordingNotFound(f"{place} is missing: there is no such file or folder")
        persons = _persons(place)
        if not persons:
            raise RecordingNotFound(
                f"{place} holds no recordings: expected a folder with a folder of WFDB records "
                "or a .csv file for each person"
            )
        found += [record for person in persons for record in _records(person)]
    return sorted(found, key=lambda record: (record.person, record.day, reading_order(record.path)))


def analyse_people(
    data: Iterable[Path],
    bars: Progress,
    *,
    signal: str = "0",
    mains_hz: int = 50,
    jobs: int | None = None,
) -> tuple[list[TrainingRecord], list[Analysis]]:
    """Find everybody's records and run them through the signal chain, with a progress bar."""
    records = find_records(data)
    analyse_one = partial(analyse, signal=signal, mains_hz=mains_hz)
    analyses = side_by_side(analyse_one, [record.path for record in records], jobs)
    return records, list(bars.track(analyses, len(records), description="Listening"))


def gather_beats(records: Sequence[TrainingRecord], analyses: Sequence[Analysis]) -> Beats:
    """Put the beats of all records together, in the order of the records."""
    counts = [len(each.beats) for each in analyses]

    return Beats(
        windows_mv=np.concatenate([each.windows_mv for each in analyses]),
        persons=np.repeat([record.person for record in records], counts),
        records=np.repeat([record.path for record in records], counts),
        days=np.repeat([record.day for record in records], counts),
        good=np.array([beat.quality.good for each in analyses for beat in each.beats], dtype=bool),
    )


def _persons(place: Path) -> list[Path]:
    """Return the folders and .csv files that stand for one person each."""
    if place.suffix == ".csv" or (place.is_dir() and _headers(place)):
        return [place]
    if not place.is_dir():
        return []
    return [inside for inside in sorted(place.iterdir()) if _records(inside)]


def _records(person: Path) -> list[TrainingRecord]:
    if person.suffix == ".csv":
        return [TrainingRecord(person.stem, str(person), "")]
    if not person.is_dir():
        return []
    from_csv = [TrainingRecord(person.name, str(path), "") for path in person.glob("*.csv")]
    return from_csv + [
        TrainingRecord(person.name, str(header.with_suffix("")), _day(header))
        for header in _headers(person)
    ]


def _headers(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.hea"))


def _day(header: Path) -> str:
    """Return the day that a header's comments give, as ECG-ID's do."""
    day = DAY.search(header.read_text(encoding="utf-8", errors="replace"))
    return f"{day[3]}-{int(day[2]):02}-{int(day[1]):02}" if day else ""
