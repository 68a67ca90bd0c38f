"""Splits a text table as loggers and spreadsheets write it into cells, in blocks of rows.

Encoding, separator and heading are found out. A few rows that a power cut left short are left out
and counted, and a heading that comes again marks a restart.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import TextIOWrapper
from itertools import islice
from pathlib import Path

from daemon.recordings.csv_numbers import NumberStyle
from daemon.recordings.encryption import open_content
from daemon.recordings.errors import MalformedRecording, RecordingNotFound
from daemon.recordings.time_stamps import is_stamp

BLOCK_ROWS = 1 << 14
LONGEST_LINE = 1 << 16
SNIFFED_BYTES = 1 << 16
SNIFFED_ROWS = 200
UNIT_OF_ALL = re.compile(r"\W*(?:unit|einheit)\b\W*(\S+)\W*")  # a line above the rows
LONE_NUMBER = re.compile(r"[+-]?\d+(?:,\d+)?(?:e[+-]?\d+)?", re.IGNORECASE)
SEPARATORS = ";\t,| "  # a comma may be within numbers, a space within dates
MOST_CUT = 3  # rows, besides one in a thousand
COMMENT_MARKS = ("#", "%", "//")


@dataclass(slots=True)
class Rows:
    """Some rows of a table."""

    lines: list[int] = field(default_factory=list)  # the line number of each row
    cells: list[list[str]] = field(default_factory=list)  # of each row
    #: positions of the rows before which the heading came again
    restarts: list[int] = field(default_factory=list)

    def column(self, number: int) -> list[str]:
        """Return one cell of each row."""
        return [row[number] for row in self.cells]


class Table:
    """A text table, its layout found out from its first rows.

    Raises:
        RecordingError: there is no such file, or it is no table, or is empty.
    """

    style: NumberStyle  # how numbers are written
    width: int  # how many columns there are

    def __init__(self, path: Path, identity: Path | None = None) -> None:
        if not path.is_file():
            what = "a folder" if path.is_dir() else "no regular file" if path.exists() else None
            raise RecordingNotFound(
                f"{path} is {what}; expected a .csv file." if what else f"There is no file {path}."
            )
        self.path = path
        self._identity = identity  # that opens it if it is encrypted
        self.notes: list[str] = []  # of rows left out, complete once the blocks have been read
        self.comments: list[str] = []  # lines above the rows that are neither heading nor rows
        self.heading: list[str] = []  # a name for each column, or none at all
        self.units: list[str] = []  # a text for each column, from a second line of heading
        self._encoding = self._found_encoding()
        self._first_line = 0
        self._torn = False
        first = list(islice(self._lines(), SNIFFED_ROWS))
        self._separator = _separator([text for _, text in first])
        self._understand([(line, self._split(text)) for line, text in first if text])

    def _understand(self, rows: list[tuple[int, list[str]]]) -> None:
        if not rows:
            raise MalformedRecording(f"{self.path} is empty.")
        cells = [cell for _, row in rows for cell in row]
        self.style = NumberStyle.of(cells, self._separator)
        begin = next((at for at, (_, row) in enumerate(rows) if self._is_data(row)), None)
        if begin is None:
            if len(rows) == 1:
                raise MalformedRecording(f"{self.path} holds a heading and no samples.")
            raise MalformedRecording(
                f"{self.path}, line {rows[1][0]}: neither numbers nor time stamps, as in "
                "`timestamp, Channel 1, ...`; is it a table?"
            )
        self._first_line = rows[begin][0]
        data = [row for _, row in rows[begin:]]
        width = Counter(map(len, data)).most_common(1)[0][0]
        above = max((len(_trimmed(row, 0)) for _, row in rows[:begin]), default=0)
        while width > max(1, above) and all(len(row) != width or not row[-1] for row in data):
            data = [row[: width - 1] for row in data if len(row) == width]
            width -= 1  # each row ends with a separator
        self.width = width
        headings = sum(map(bool, rows[begin - 1][1])) if begin else 0
        fractions = any(map(_is_fraction, [*zip(*data, strict=False)][1:]))
        if self._separator == "," and headings < width and (fractions or width == 2 * headings):
            raise MalformedRecording(
                f"{self.path}, line {self._first_line}: {width} columns under {headings} headings; "
                "are commas decimal marks too? Then write semicolons between the columns; if not, "
                "name them all in the first line."
            )
        named = [row[:width] for _, row in rows[:begin] if len(_trimmed(row, width)) == width]
        self.heading, self.units = [*named, [], []][:2]
        self.comments += [" ".join(row) for _, row in rows[:begin] if row[:width] != self.heading]

    def _is_data(self, row: list[str]) -> bool:
        numeric = [cell for cell in row[1:] or row if self.style.is_number(cell)]
        return bool(numeric) and any(row) and (not row[0] or is_stamp(row[0], self.style))

    def blocks(self) -> Iterator[Rows]:
        """Yield all rows, some thousand at a time."""
        rows, read, left_out = Rows(), 0, 0
        self.notes = []
        for line, text in self._lines():
            if line < self._first_line or not text:
                continue
            cells = _trimmed(self._split(text), self.width)
            if self._is_heading(cells):
                left_out += len(cells) > self.width
                rows.restarts.append(len(rows.cells))
                continue
            if len(cells) != self.width or "\0" in text or self._is_torn(cells, rows):
                left_out += 1
                if left_out > MOST_CUT + read / 1000:
                    raise MalformedRecording(
                        f"{self.path}, line {line}: {len(cells)} columns where line "
                        f"{self._first_line} has {self.width}."
                    )
                continue
            read += 1
            rows.lines.append(line)
            rows.cells.append(cells)
            if len(rows.cells) == BLOCK_ROWS:
                yield rows
                rows = Rows()
        if left_out:
            self.notes.append(f"rows cut short and left out: {left_out}")
        yield rows

    def _is_heading(self, cells: list[str]) -> bool:
        """Tell whether the heading is repeated, perhaps behind a row that was cut short."""
        later = self.heading[1:]
        return bool(self.heading) and (
            cells == self.heading or (bool(later) and cells[-len(later) :] == later)
        )

    def _is_torn(self, cells: list[str], rows: Rows) -> bool:
        """Tell whether the file ends within this row's last number."""
        ends = [self.style.number(row[-1]) for row in (*rows.cells[-1:], cells)]
        return self._torn and len(ends) == 2 and ends[0] is not None and ends[1] is None

    def _found_encoding(self) -> str:
        with open_content(self.path, self._identity) as file:
            begin = file.read(SNIFFED_BYTES)
        if begin[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return "utf-16"
        if begin[1:200:2].count(0) > 50:
            return "utf-16-le"
        if begin[0:200:2].count(0) > 50:
            return "utf-16-be"
        try:
            begin[: begin.rfind(b"\n") + 1].decode("utf-8")
        except UnicodeDecodeError:
            return "latin-1"
        return "utf-8-sig"

    def _lines(self) -> Iterator[tuple[int, str]]:
        """Yield each line that is no comment, with its number."""
        content = open_content(self.path, self._identity)
        with TextIOWrapper(content, self._encoding, errors="replace", newline=None) as file:
            number = 0
            while text := file.readline(LONGEST_LINE):
                number += 1
                if len(text) == LONGEST_LINE:
                    raise MalformedRecording(
                        f"{self.path}, line {number}: over {LONGEST_LINE} characters: no table."
                    )
                self._torn = not text.endswith("\n")
                text = text.strip("\0\r\n")
                if text.startswith(COMMENT_MARKS) or text[:4].casefold() == "sep=":
                    if not self._first_line:
                        self.comments.append(text)
                    continue
                yield number, text if text.strip() else ""

    def _split(self, text: str) -> list[str]:
        if '"' in text:
            cells = next(csv.reader([text], delimiter=self._separator, skipinitialspace=True))
        else:
            cells = text.split(None if self._separator == " " else self._separator)
        return [cell.strip(" \t'\ufeff") for cell in cells]


def _is_fraction(column: tuple[str, ...]) -> bool:
    """Tell whether cells are what a decimal comma has on its right, as in 0,004."""
    return all(map(str.isdecimal, column)) and any(cell[0] == "0" < cell[1:] for cell in column)


def _trimmed(cells: list[str], width: int) -> list[str]:
    """Return the cells without empty ones beyond the last column."""
    return cells if any(cells[width:]) else cells[:width]


def _separator(lines: list[str]) -> str:
    """Return what stands between cells in most of the lines, a single space at last."""
    lines = [line for line in lines if line]
    units = [at for at, line in enumerate(lines) if UNIT_OF_ALL.fullmatch(line.lower())]
    if units and all(map(LONE_NUMBER.fullmatch, lines[units[-1] + 1 :])):
        return "\t"  # one column, as of a watch
    lines = lines[-SNIFFED_ROWS // 2 :]
    for separator in SEPARATORS:
        if 2 * sum(separator in line.strip() for line in lines) > len(lines):
            return separator
    return ","
