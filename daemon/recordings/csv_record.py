"""Reading text tables of samples: raw ADC codes, as many ADS1292R loggers write them, or voltages.

    timestamp, Channel 1, Channel 2, Channel 3
    0.000,     128363,    11421861,  652

A code is a 24-bit two's complement number, but loggers often forget the sign and write -5355355 as
11421861, or as 4289611941 in 32 bits; a code from 2^23 on tells such a file. A heading with mV, uV
or V tells voltages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daemon.recordings.csv_table import UNIT_OF_ALL, Rows, Table
from daemon.recordings.errors import MalformedRecording
from daemon.recordings.recorded import RecordedSignal, signals_told
from daemon.recordings.replay import GAIN, VREF_V
from daemon.recordings.sample_clock import SampleClock
from daemon.recordings.signal_file import (
    MICRO,
    MV_PER_UNIT,
    Reading,
    contradictions,
    voltage_unit,
)
from daemon.recordings.time_stamps import is_stamp, parse_stamps
from drivers.frame import FULL_SCALE_COUNTS, MIN_COUNTS

WORDS_32 = 1 << 31  # from here on, a code was written as an unsigned word of 32 bits

TIME = re.compile(
    rf"\W*(t|.*(time|stamp|date|zeit|millis|micros|elapsed|seconds?).*|[m{MICRO}n]?s|sec)\W*"
)
TIME_UNIT = re.compile(
    rf"(?:.*[^a-z0-9{MICRO}])?(min|milli|micro|[mn{MICRO}](?=s)|(?=s))"
    r"(?:s|secs?|seconds?|utes?)?[^a-z0-9]*"
)
TIME_UNITS_S = {"": 1.0, "min": 60.0, "milli": 1e-3, "m": 1e-3, "n": 1e-9}  # the others are micro
COUNTER = re.compile(
    r".*(sample|index|count|row|frame|packet|seq|number).*|\W*(n|nr|no|i|idx|cnt|ctr|#)\W*"
)
RATE = re.compile(
    r"(?:sampl\w*[ _-]*(?:rate|freq\w*)|abtastrate|messrate|\brate|\bfs|\bsfreq)\W{0,4}(?:hz\W*)?"
    r"(\d+(?:\.\d+|,\d+(?=\W*he?r?t?z))?)"
)


class CsvRecord:
    """The signals of a text table (see ``SignalFile``)."""

    def __init__(self, path: Path, reading: Reading) -> None:
        self._table = table = Table(path, reading.identity)
        self._reading = reading
        first = next(table.blocks())
        if not first.cells:
            raise MalformedRecording(f"{path} holds a heading and no samples.")
        names = table.heading or [""] * table.width
        self._stamps = self._stamp_column([name.lower() for name in names], first)
        self._columns = [n for n in range(table.width) if n != self._stamps]
        self.names = [names[n] or f"Channel {place}" for place, n in enumerate(self._columns, 1)]
        recorded = signals_told("\n".join(table.comments))
        self._recorded = recorded if len(recorded) < len(self.names) else []  # none by others
        self.names[: len(self._recorded)] = [signal.name for signal in self._recorded]
        self._first = first
        self._clock_of_first = self._clock()
        self.notes: list[str] = []

    def voltages(self) -> list[int]:
        """Return the columns that begin with a number and are no further time stamps.

        In qrsd's own tables these are the recorded signals, and not the R peaks.
        """
        if self._recorded:
            return list(range(len(self._recorded)))
        first = self._first.cells[0]
        return [
            number
            for number, column in enumerate(self._columns)
            if self._table.style.is_number(first[column])
            and not TIME.fullmatch(self.names[number].lower())
        ]

    def rate_hz(self, number: int) -> float:
        """Return the table's rate, which all of its signals share."""
        del number
        return self._clock_of_first.rate_hz

    def blocks(self, number: int) -> Iterator[NDArray[np.float64]]:
        """Yield one column in mV; an empty cell, or a row that is missing, is NaN."""
        column = self._columns[number]
        clock = self._clock()
        said, told = self._unit(column), self._reading.unit
        unit = said if told is None else None if told == "code" else told.casefold()
        if unit and self._reading.gain:
            raise MalformedRecording(
                f"Column {self.names[number]!r} of {self._table.path} is in "
                f"{unit.replace('v', 'V')} and has no codes: --gain does not apply to it."
            )
        own = self._recorded[number : number + 1]
        gain = self._reading.gain or next((signal.gain for signal in own), GAIN)
        vref_v = next((signal.vref_v for signal in own), VREF_V)
        cells = _Codes(self._table, column, unit, RecordedSignal("", gain, vref_v))
        against = contradictions(self._reading, clock.said_hz or clock.rate_hz, said)
        end = 0
        for rows in self._rows():
            if not rows.cells:
                continue
            mv = cells.in_mv(rows)
            places = clock.places(self._stamps_of(rows)[0], rows.lines, rows.restarts)
            spread = np.full(int(places[-1]) + 1 - end, np.nan)
            spread[places - end] = mv
            end = int(places[-1]) + 1
            yield spread
        self.notes = [clock.note, *cells.notes(), *against, *clock.notes(), *self._table.notes]

    def _rows(self) -> Iterator[Rows]:
        """Yield all rows in blocks, the first of which is still at hand."""
        yield self._first
        if not self._first.are_last:
            blocks = self._table.blocks()
            next(blocks)
            yield from blocks

    def _stamp_column(self, headings: list[str], rows: Rows) -> int | None:
        """Return the column of time stamps: of those called so the finest, or the first of all."""
        if self._table.width == 1:
            return None
        style = self._table.style
        called = [
            (len(set(rows.column(n)[:1000])), -n)
            for n, name in enumerate(headings)
            if TIME.fullmatch(name) and is_stamp(rows.cells[0][n], style)
        ]
        if called:
            return -max(called)[1]
        unlike = voltage_unit(headings[0]) or not is_stamp(rows.cells[0][0] or "0", style)
        return None if unlike and any(headings) else 0

    def _stamps_of(self, rows: Rows) -> tuple[NDArray[np.float64], bool]:
        if self._stamps is None:
            return np.full(len(rows.cells), np.nan), False
        cells = rows.column(self._stamps)
        return parse_stamps(cells, rows.lines, self._table.style, self._table.path)

    def _clock(self) -> SampleClock:
        table = self._table
        heading = ""
        if self._stamps is not None:
            texts = [row[self._stamps] for row in (table.heading, table.units) if row]
            heading = " ".join(texts).lower()
        stamps, is_time = self._stamps_of(self._first)
        unit = TIME_UNIT.fullmatch(heading)
        comments = " ".join(table.comments).casefold()
        rate = RATE.search(comments)
        return SampleClock(
            stamps,
            is_time=is_time,
            unit_s=TIME_UNITS_S.get(unit[1], 1e-6) if unit else None,
            is_counter=bool(COUNTER.fullmatch(heading)),
            told_hz=self._reading.rate_hz,
            comment_hz=float(rate[1].replace(",", ".")) if rate else None,
            path=table.path,
        )

    def _unit(self, column: int) -> str | None:
        """Return a column's unit by its heading or what the file is; None for codes."""
        comments = map(UNIT_OF_ALL.fullmatch, map(str.lower, self._table.comments))
        of_column = [texts[column] for texts in (self._table.units, self._table.heading) if texts]
        of_all = [found[1] for found in comments if found]
        units = filter(None, map(voltage_unit, of_column + of_all))
        if named := next(units, None):
            return named
        openbci = any("openbci" in comment.casefold() for comment in self._table.comments)
        fractions = any(not _is_code(cell) for cell in self._first.column(column)[:1000])
        return "uv" if openbci and fractions else None


class _Codes:
    """Makes mV of the cells of one column, and remembers what it had to assume."""

    def __init__(
        self, table: Table, column: int, unit: str | None, converter: RecordedSignal
    ) -> None:
        self._table = table
        self._column = column
        self._unit = unit
        self._converter = converter
        self._negative = self._unsigned = False

    def in_mv(self, rows: Rows) -> NDArray[np.float64]:
        """Return the column's cells of some rows."""
        cells = rows.column(self._column)
        try:
            numbers = self._table.style.numbers(cells)
        except ValueError as error:
            raise self._wrong(rows.lines, cells, int(error.args[0])) from None
        word = numbers >= WORDS_32
        codes = np.where(word, numbers - 2 * WORDS_32, numbers)
        wrong = np.isinf(numbers)
        if not self._unit:
            wrong |= (
                (np.rint(codes) != codes) & ~np.isnan(codes)
                | (codes < MIN_COUNTS)
                | (codes >= 1 << 24)
            )
        if wrong.any():
            raise self._wrong(rows.lines, cells, int(np.argmax(wrong)))
        if self._unit:
            return numbers * MV_PER_UNIT[self._unit]
        self._negative |= bool((numbers < 0).any())
        unsigned = codes > FULL_SCALE_COUNTS
        self._unsigned |= bool(unsigned.any() or word.any())
        if self._negative and self._unsigned:
            raise MalformedRecording(
                f"{self._table.path} holds codes below 0 and codes from 2^23 on: neither signed "
                "nor unsigned."
            )
        signed: NDArray[np.float64] = np.where(unsigned, codes - (1 << 24), codes)
        within = signed[(signed != MIN_COUNTS) & (signed != FULL_SCALE_COUNTS)]
        if self._unsigned and (np.abs(np.diff(within)) > 3 << 22).any():
            raise MalformedRecording(
                f"{self._table.path}: its codes lie around 2^23, so 0 V seems to be written as "
                "8388608 (offset binary): take that off each code."
            )
        return signed * self._converter.mv_per_code

    def notes(self) -> list[str]:
        """Say what was assumed."""
        if self._unit:
            return [f"taken as {self._unit.replace('v', 'V')} by its heading or --unit"]
        gain, vref_v = self._converter.gain, self._converter.vref_v
        scale = f"codes taken as gain {gain:g}, reference {vref_v} V"
        return [scale, "unsigned codes given their sign back"] if self._unsigned else [scale]

    def _wrong(
        self, lines: Sequence[int], cells: Sequence[str], position: int
    ) -> MalformedRecording:
        expected = "24-bit ADC code (a whole number); name the unit of voltages by --unit"
        if self._unit:
            expected = f"number of {self._unit.replace('v', 'V')}"
        where = f"{self._table.path}, line {lines[position]}"
        return MalformedRecording(f"{where}: {cells[position]!r} is not a {expected}.")


def _is_code(cell: str) -> bool:
    return not cell or cell.lstrip("+-").isdecimal()
