"""A row of figures for each beat of a recording, and the file of them: CSV or Parquet."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from daemon.errors import import_extra
from daemon.offline.analysis import ChainRun, OfRecording
from daemon.offline.measuring import strips_with_beats
from daemon.offline.pieces import STRIP_SAMPLES
from daemon.offline.results import private_file
from daemon.recordings.recording import OpenRecording
from daemon.recordings.signal_file import Reading
from dsp.beat_features import NAMES, beat_features
from dsp.intervals import measure_intervals
from dsp.signals import BeatWindow, RPeak

OF_STRIP = ("pr_ms", "qrs_ms", "qt_ms", "qtc_bazett_ms", "qtc_fridericia_ms", "st_mv")
COLUMNS = ("record", "r_index", "rr_ms", "quality", "flaws", *OF_STRIP, *NAMES)
PARQUET = ".parquet"
SUFFIXES = (".csv", PARQUET)

Row: TypeAlias = dict[str, float | str | None]


@dataclass(frozen=True, slots=True)
class BeatTable(OfRecording):
    """A row for each beat of one recording."""

    rows: tuple[Row, ...]  # each by the names of ``COLUMNS``


def tabulate_beats(
    path: str, signal: str | None = None, mains_hz: int = 50, reading: Reading | None = None
) -> BeatTable:
    """Measure each beat of a recording, and the averaged one of its ten seconds.

    Raises:
        RecordingError: it cannot be read.
    """
    recording = OpenRecording(path, signal, reading)
    run = ChainRun(recording, mains_hz)
    r_indices, rows, strip_of = [], list[Row](), []
    good, flaws = 0, Counter[str]()
    for event in run.events():
        if isinstance(event, RPeak):
            r_indices.append(event.index)
        elif isinstance(event, BeatWindow):
            rows.append({"record": path, **_of_beat(event)})
            strip_of.append(event.r_index // STRIP_SAMPLES)
            good += event.quality.good
            flaws.update(event.quality.flaws)
    strips = [
        measure_intervals(strip.ecg_mv, strip.r_indices)
        for strip in strips_with_beats(recording, np.sort(np.array(r_indices, np.int64)))
    ]
    for row, number in zip(rows, strip_of, strict=True):
        row |= {name: _rounded(getattr(strips[number], name)) for name in OF_STRIP}
    return BeatTable(*run.told(good, flaws), tuple(rows))


def _of_beat(beat: BeatWindow) -> Row:
    return {
        "r_index": beat.r_index,
        "rr_ms": None if beat.rr_s is None else round(1000 * beat.rr_s, 3),
        "quality": beat.quality.score,
        "flaws": " ".join(beat.quality.flaws),
        **{name: round(value, 5) for name, value in beat_features(beat.ecg_mv).items()},
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def require_writer(file: Path) -> None:
    """Raise ``ExtraMissing``, before minutes of work, if such a table cannot be written."""
    if file.suffix.casefold() == PARQUET:
        import_extra("pyarrow", "features", "Writing Parquet")


@contextmanager
def beat_table(file: Path) -> Iterator[Callable[[Sequence[Row]], None]]:
    """Begin a table, and give what adds rows to it."""
    with private_file(file, "another --out"):
        write = _parquet if file.suffix.casefold() == PARQUET else _csv
        yield from write(file)


def _csv(file: Path) -> Iterator[Callable[[Sequence[Row]], None]]:
    with file.open("w", newline="") as lines:
        table = csv.DictWriter(lines, COLUMNS)
        table.writeheader()
        yield table.writerows


def _parquet(file: Path) -> Iterator[Callable[[Sequence[Row]], None]]:
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    kinds = {"record": pyarrow.string(), "r_index": pyarrow.int64(), "flaws": pyarrow.string()}
    schema = pyarrow.schema([(name, kinds.get(name, pyarrow.float64())) for name in COLUMNS])
    with ParquetWriter(file, schema) as table:
        yield lambda rows: table.write_table(pyarrow.Table.from_pylist(list(rows), schema))
