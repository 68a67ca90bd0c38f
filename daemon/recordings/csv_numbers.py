"""The numbers of a text table, as people and programs of many countries write them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?")
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
BARE_HEX = re.compile(r"[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8}")
SPACES = re.compile(r"(?<=\d)[ '_\u00a0\u202f](?=\d)")
MISSING = {"", "nan", "null", "none", "na", "n/a", "-nan", "-", "#n/a", "!"}


@dataclass(frozen=True, slots=True)
class NumberStyle:
    """How a table writes numbers."""

    #: 0,004 is four thousandths; otherwise 2,556 is two thousand and more
    decimal_comma: bool = False

    @classmethod
    def of(cls, cells: Iterable[str], separator: str) -> NumberStyle:
        """Return the style of some cells; a comma separates thousands only if it may in all."""
        with_comma = [cell for cell in cells if DECIMAL_COMMA.fullmatch(cell)]
        if separator != ",":
            return cls(bool(with_comma))
        return cls(any(not THOUSANDS.fullmatch(cell) for cell in with_comma))

    def number(self, text: str) -> float | None:
        """Return a cell's number, NaN for an empty one, None for what is no number."""
        if text.casefold() in MISSING:
            return nan
        try:
            return float(text)
        except ValueError:
            pass
        if text[:2].casefold() == "0x":
            return _hexadecimal(text[2:])
        text = SPACES.sub("", text).replace("\N{MINUS SIGN}", "-")
        if self.decimal_comma:
            text = text.replace(".", "").replace(",", ".") if "," in text else text
        elif THOUSANDS.fullmatch(text):
            text = text.replace(",", "")
        try:
            return float(text)
        except ValueError:
            return None

    def is_number(self, text: str) -> bool:
        """Tell whether a cell may be a number, hexadecimal ones without a mark included."""
        return self.number(text) is not None or bool(BARE_HEX.fullmatch(text))

    def numbers(self, cells: Sequence[str]) -> NDArray[np.float64]:
        """Return a column's numbers, NaN for empty cells.

        Raises:
            ValueError: one is no number; its argument is the cell's position.
        """
        try:
            return np.array(cells, dtype=np.float64)
        except ValueError:
            pass
        digits = [cell for cell in cells if cell]
        if all(map(BARE_HEX.fullmatch, digits)) and any(not cell.isdecimal() for cell in digits):
            return np.array([_hexadecimal(cell) if cell else nan for cell in cells])
        column = np.empty(len(cells))
        for position, cell in enumerate(cells):
            value = self.number(cell)
            if value is None:
                raise ValueError(position)
            column[position] = value
        return column


def _hexadecimal(digits: str) -> float | None:
    try:
        return float(int(digits, 16))
    except (ValueError, OverflowError):
        return None
