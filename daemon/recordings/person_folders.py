"""Folders of recordings, one for each person: whose each is, and in which order they came.

ecg-id/                     a data set
    Person_01/              a person: WFDB records, BDF or EDF files, or text tables
        rec_1.hea  rec_1.dat
    Person_02.csv           ... or one .csv file
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from daemon.recordings.errors import RecordingNotFound, readable
from daemon.recordings.reading_order import reading_order
from daemon.recordings.signal_file import is_edf, is_table

DAY = re.compile(r"date:\s*(\d{1,2})\.(\d{1,2})\.(\d{4})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """A recording and whose it is."""

    person: str  # the name of the folder or of the .csv file
    path: str  # as the commands take it
    day: str  # ``2004-12-07``, or empty if the record does not say


def find_records(data: Iterable[Path]) -> list[PersonRecord]:
    """Find everybody's records, each person's in the order in which they were recorded.

    Args:
        data: data sets, or single persons.

    Raises:
        RecordingNotFound: one of them is missing or may not be read, or holds no recording.
    """
    found = []
    for place in data:
        with readable(place):
            if not place.exists():
                raise RecordingNotFound(f"{place} is missing: there is no such file or folder")
            of_place = [record for person in _persons(place) for record in _records(person)]
        if not of_place:
            raise RecordingNotFound(
                f"{place} holds no recordings: expected a folder with a folder of WFDB records, "
                "BDF or EDF files or text tables, or a .csv file, for each person"
            )
        found += of_place
    return sorted(found, key=lambda record: (record.person, record.day, reading_order(record.path)))


def _persons(place: Path) -> list[Path]:
    """Return the folders and .csv files that stand for one person each."""
    if place.suffix == ".csv" or (place.is_dir() and _headers(place)):
        return [place]
    if not place.is_dir():
        return []
    return [inside for inside in sorted(place.iterdir()) if _records(inside)]


def _records(person: Path) -> list[PersonRecord]:
    if person.suffix == ".csv":
        return [PersonRecord(person.stem, str(person), "")]
    if not person.is_dir():
        return []
    files = [
        PersonRecord(person.name, str(path), "")
        for path in person.iterdir()
        if is_table(path) or is_edf(path)
    ]
    return files + [
        PersonRecord(person.name, str(header.with_suffix("")), _day(header))
        for header in _headers(person)
    ]


def _headers(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.hea"))


def _day(header: Path) -> str:
    """Return the day that a header's comments give, as ECG-ID's do."""
    day = DAY.search(header.read_text(encoding="utf-8", errors="replace"))
    return f"{day[3]}-{int(day[2]):02}-{int(day[1]):02}" if day else ""
