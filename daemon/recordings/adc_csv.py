"""Reading CSV files of raw ADC codes, as many ADS1292R loggers write them.

    timestamp, Channel 1, Channel 2, Channel 3
    0.000,     128363,    11421861,  652

A code is a 24-bit two's complement number, but loggers often forget the sign and write -5355355 as
11421861; a code from 2^23 on tells such a file. What the time stamps tell is in ``time_stamps``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from daemon.recordings.errors import MalformedRecording, RecordingNotFound
from daemon.recordings.raw_signal import RawSignal, pick_signal
from daemon.recordings.time_stamps import TimeStamps
from drivers.frame import FULL_SCALE_COUNTS, MIN_COUNTS, millivolts_per_count

GAIN = 6
VREF_V = 2.42


class _Row(NamedTuple):
    line: int
    cells: list[str]


def read_adc_csv(path: Path, signal: str) -> RawSignal:
    """Read one channel in mV at gain 6 and a reference of 2.42 V, which a code does not tell.

    An empty cell is a sample that was not recorded (NaN); so is each row that time stamps of
    single-sample precision show to be missing.

    Args:
        path: the file.
        signal: the channel's name in the heading, whatever the case, or its number from 0.

    Raises:
        RecordingNotFound: there is no such file.
        MalformedRecording: it is no table, is empty, or holds what cannot be a code or a time; the
            message gives the line.
        SignalNotFound: it has no such channel.
    """
    if not path.is_file():
        raise RecordingNotFound(f"There is no file {path}.")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(_rows(file, path))
    except (UnicodeDecodeError, csv.Error) as error:
        raise MalformedRecording(f"{path} is not a text table: {error}.") from error
    names, rows = _heading(rows, path)
    column = 1 + pick_signal(names, signal, path)
    codes = np.array([_code(row, column, path) for row in rows])
    codes, sign_notes = _with_sign(codes, path)
    stamps = TimeStamps.parse([(row.line, row.cells[0]) for row in rows], path)
    codes, gap_notes = stamps.spread(codes)
    scale_note = f"codes taken as gain {GAIN}, reference {VREF_V} V"
    notes = (stamps.note, scale_note, *sign_notes, *gap_notes)
    return RawSignal(stamps.rate_hz, codes * millivolts_per_count(GAIN, VREF_V), notes)


def _rows(file: Iterator[str], path: Path) -> Iterator[_Row]:
    reader = csv.reader(file, skipinitialspace=True)
    width = None
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        width = width or len(cells)
        if len(cells) != width:
            raise MalformedRecording(
                f"{path}, line {reader.line_num}: {len(cells)} columns where line 1 has {width}."
            )
        yield _Row(reader.line_num, [cell.strip() for cell in cells])


def _heading(rows: list[_Row], path: Path) -> tuple[list[str], list[_Row]]:
    """Split off the channels' names; a file without a heading has Channel 1, 2, ..."""
    if not rows:
        raise MalformedRecording(f"{path} is empty.")
    cells = rows[0].cells
    if len(cells) < 2:
        raise MalformedRecording(
            f"{path}, line {rows[0].line}: one column; expected `timestamp, Channel 1, ...`."
        )
    if all(_number(cell) is not None for cell in cells[1:] if cell):
        return [f"Channel {number}" for number in range(1, len(cells))], rows
    if len(rows) == 1:
        raise MalformedRecording(f"{path} holds a heading and no samples.")
    return cells[1:], rows[1:]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _code(row: _Row, column: int, path: Path) -> float:
    """Return a code, or NaN for an empty cell."""
    text = row.cells[column]
    if not text or text.casefold() == "nan":
        return np.nan
    code = _number(text)
    if code is None or code % 1 != 0 or not MIN_COUNTS <= code < 1 << 24:
        raise MalformedRecording(
            f"{path}, line {row.line}: {text!r} is not a 24-bit ADC code (a whole number)."
        )
    return code


def _with_sign(
    codes: NDArray[np.float64], path: Path
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    unsigned = codes > FULL_SCALE_COUNTS
    if not unsigned.any():
        return codes, ()
    if (codes < 0).any():
        raise MalformedRecording(
            f"{path} holds codes below 0 and codes from 2^23 on: neither signed nor unsigned."
        )
    return np.where(unsigned, codes - (1 << 24), codes), ("unsigned codes given their sign back",)
