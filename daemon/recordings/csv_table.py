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

from daemon.recordings.csv_numbers import MISSING, NumberStyle
from daemon.recordings.encryption import open_content
from daemon.recordings.errors import MalformedRecording, RecordingNotFound
from daemon.recordings.time_stamps import is_stamp

BLOCK_ROWS = 1 << 14
LONGEST_LINE = 1 << 16
SNIFFED_BYTES = 1 << 16
SNIFFED_ROWS = 200
UNIT_OF_ALL = re.compile(r"\W*(?:unit|einheit)\b\W*(\S+)\W*")  # a line above the rows
ONLY_A_UNIT = re.compile(r"\W*\S?v(?:olts?)?\W*", re.IGNORECASE)  # of voltage
LONE_NUMBER = re.compile(r"[+-]?\d+(?:,\d+)?(?:e[+-]?\d+)?", re.IGNORECASE)
SEPARATORS = ";\t,| "  # a comma may be within numbers, a space within dates
MOST_CUT = 3  # rows, besides one in a thousand
ROW_BEGINS = frozenset("0123456789+. \t'\"[")  # of those without words
COMMENT_MARKS = ("#", "%", "//")


@dataclass(slots=True)
class Rows:
    """Some rows of a table."""

    lines: list[int] = field(default_factory=list)  # the line number of each row
    cells: list[list[str]] = field(default_factory=list)  # of each row
    #: positions of the rows before which the heading came again
    restarts: list[int] = field(default_factory=list)
    are_last: bool = False  # whether the table ends with them

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
        following = [row[0] for _, row in rows[begin + 1 : begin + 10]]
        if not rows[begin][1][0] and following and all(following):
            begin += 1  # not a row yet: how many there are, below each heading
        self._first_line = rows[begin][0]
        data = [row for _, row in rows[begin:]]
        width = Counter(map(len, data)).most_common(1)[0][0]
        above = max((len(_trimmed(row, 0)) for _, row in rows[:begin]), default=0)
        while width > max(1, above) and all(len(row) != width or not row[-1] for row in data):
            data = [row[: width - 1] for row in data if len(row) == width]
            width -= 1  # each row ends with a separator
        self.width = width
        last = rows[begin - 1][1] if begin else []
        headings = max((number for number, cell in enumerate(last, 1) if cell), default=0)
        fractions = any(map(_is_fraction, [*zip(*data, strict=False)][1:]))
        if self._separator == "," and headings < width and (fractions or width == 2 * headings):
            raise MalformedRecording(
                f"{self.path}, line {self._first_line}: {width} columns under {headings} headings; "
                "are commas decimal marks too? Then write semicolons between the columns; if not, "
                "name them all in the first line."
            )
        self._take_heading([row for _, row in rows[:begin]])

    def _take_heading(self, above: list[list[str]]) -> None:
        """Find the heading among the lines above the rows: the last, but for one of units."""
        named = [
            row[: self.width]
            for row in above
            if len(_trimmed(row, self.width)) == self.width and not self._is_data(row)
        ]
        with_units = bool(named) and any(map(ONLY_A_UNIT.fullmatch, named[-1]))
        self.heading, self.units = [*named[-1 - with_units :], [], []][:2]
        self.comments += [" ".join(row) for row in above if row[: self.width] != self.heading]

    def _is_data(self, row: list[str]) -> bool:
        numeric = [cell for cell in row[1:] or row if self.style.is_number(cell)]
        return bool(numeric) and any(row) and (not row[0] or is_stamp(row[0], self.style))

    def blocks(self) -> Iterator[Rows]:
        """Yield all rows, some thousand at a time."""
        rows, read, left_out, remarks = Rows(), 0, 0, 0
        self.notes = []
        for line, text in self._lines():
            if line < self._first_line or not text:
                continue
            cells = _trimmed(self._split(text), self.width)
            if self._is_heading(cells):
                left_out += len(cells) > self.width
                rows.restarts.append(len(rows.cells))
                continue
            if remarks < MOST_CUT + read and self._is_remark(text, cells):
                remarks += 1
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
        if remarks:
            self.notes.append(f"lines without a number, left out: {remarks}")
        rows.are_last = True
        yield rows

    def _is_heading(self, cells: list[str]) -> bool:
        """Tell whether the heading is repeated, perhaps behind a row that was cut short."""
        if not self.heading or cells[-1:] != self.heading[-1:]:
            return False  # as nearly all, so this costs the least
        later = self.heading[1:]
        return cells == self.heading or (bool(later) and cells[-len(later) :] == later)

    def _is_remark(self, text: str, cells: list[str]) -> bool:
        """Tell whether a line is a logger's word, such as `;; marker` or `leads off`."""
        if text[0] in ROW_BEGINS or text[0] == self._separator:
            return False
        said = [cell for cell in cells if cell.casefold() not in MISSING]
        is_row = any(map(self.style.is_number, said))
        return not is_row and (bool(said) or len(cells) != self.width)

    def _is_torn(self, cells: list[str], rows: Rows) -> bool:
        """Tell whether the file ends within this row's last number."""
        if not (self._torn and rows.cells):
            return False
        before, last = (self.style.number(row[-1]) for row in (rows.cells[-1], cells))
        return before is not None and last is None

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
                zeros = "\0" in text and number > 0
                if zeros and number > 1 and not text.strip("\0"):
                    continue  # more of the zeros that a power cut leaves
                number += 1
                zeros = zeros and text.rstrip("\r\n").endswith("\0")
                if len(text) == LONGEST_LINE and not zeros:
                    raise MalformedRecording(
                        f"{self.path}, line {number}: over {LONGEST_LINE} characters: no table."
                    )
                self._torn = not text.endswith("\n")
                text = text.strip("\0\r\n")
                if zeros and text:
                    text += "\0"  # so that it is seen to be no whole row
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
    return cells if len(cells) <= width or any(cells[width:]) else cells[:width]


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
