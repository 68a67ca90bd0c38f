"""The tables that commands print."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from daemon.terminal import plain


def filled(
    title: str,
    headings: Sequence[str],
    rows: Iterable[Sequence[str | Text]],
    caption: str | None = None,
    *,
    words: int = 1,
) -> Table:
    """Return a table whose first columns hold words, and the others numbers.

    Texts are shown as they are: brackets and control characters of a name command nothing.
    """
    table = Table(
        title=Text(plain(title)),
        caption=caption and Text(plain(caption)),
        box=SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
    )
    for number, heading in enumerate(headings):
        table.add_column(
            Text(heading), justify="left" if number < words else "right", overflow="fold"
        )
    for row in rows:
        table.add_row(*(Text(plain(cell)) if isinstance(cell, str) else cell for cell in row))
    return table


def interval(rate: dict[str, Any] | None, decimals: int = 2) -> str:
    """Return a rate with its 95 % interval: 2.41 (1.80 to 3.10)."""
    if rate is None:
        return "not measured"
    low, high = rate["interval_95"]
    return f"{rate['percent']:.{decimals}f} ({low:.{decimals}f} to {high:.{decimals}f})"


def clock(seconds: float) -> str:
    """Return a time from the recording's begin as 0:03:20."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def counted(number: int, one: str, several: str | None = None) -> str:
    """Return how many there are of something: 1 beat, 2 beats."""
    return f"{number} {one if number == 1 else several or f'{one}s'}"
