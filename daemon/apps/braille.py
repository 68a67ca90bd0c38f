"""A moving line drawn with braille characters: eight dots in each, two wide and four high.

    bit of a dot    0 3
                    1 4
                    2 5
                    6 7

Source: the Unicode Standard, block "Braille Patterns", U+2800 plus one bit for each dot.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

BLANK = 0x2800
BITS = ((0, 1, 2, 6), (3, 4, 5, 7))  # by column, then from the top down
DOTS_WIDE = 2
DOTS_HIGH = 4


def draw(
    spans: Sequence[tuple[float, float] | None], columns: int, rows: int, low: float, high: float
) -> list[str]:
    """Draw a line as one vertical stroke for each column of dots; each row is a text.

    Args:
        spans: lowest and highest value in each column of dots, from the right edge leftwards where
            there are fewer than ``2 * columns``; None leaves a column empty.
        columns: width in characters.
        rows: height in characters.
        low: value at the bottom.
        high: value at the top, above ``low``.
    """
    cells = [[BLANK] * columns for _ in range(rows)]
    bottom = rows * DOTS_HIGH - 1

    def height(value: float) -> int:
        return round(bottom * (high - min(max(value, low), high)) / (high - low))

    first = columns * DOTS_WIDE - len(spans)
    for x, span in enumerate(spans, first):
        if span is None:
            continue
        for y in range(height(span[1]), height(span[0]) + 1):
            bit = BITS[x % DOTS_WIDE][y % DOTS_HIGH]
            cells[y // DOTS_HIGH][x // DOTS_WIDE] |= 1 << bit
    return ["".join(map(chr, row)) for row in cells]


def joined(values: Iterable[Sequence[float]]) -> list[tuple[float, float] | None]:
    """Return the span of each column's values, if any, stretched to meet the column before it."""
    spans: list[tuple[float, float] | None] = []
    last: float | None = None
    for column in values:
        reach = column if last is None else [last, *column]
        spans.append((min(reach), max(reach)) if column else None)
        last = column[-1] if column else None
    return spans
