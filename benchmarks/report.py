"""What all benchmarks share: Markdown and JSON of their figures, and progress bars."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from daemon.offline.results import write_json

PAGE_WIDTH = 140  # of tables that go to a file
STANDARD_OUTPUT = Path("-")


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return the same table for a page."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def interval(rate: dict[str, Any] | None, decimals: int = 2) -> str:
    """Return a rate with its 95 % interval: 2.41 (1.80 to 3.10)."""
    if rate is None:
        return "not measured"
    low, high = rate["interval_95"]
    return f"{rate['percent']:.{decimals}f} ({low:.{decimals}f} to {high:.{decimals}f})"


def hand_out(figures: dict[str, Any], tables: Iterable[Table], file: Path | None) -> None:
    """Print the tables and write the figures to the file, if any; or print the figures alone."""
    if file == STANDARD_OUTPUT:
        print(json.dumps(figures, indent=1))
        return
    show(tables)
    write_json(file, figures)


def show(tables: Iterable[Table]) -> None:
    """Print tables, as wide as the terminal or, elsewhere, as a page."""
    terminal = Console()
    page = terminal if terminal.is_terminal else Console(width=PAGE_WIDTH)
    for table in tables:
        page.print(table)


def stage_bars() -> Progress:
    """Return progress bars for the stages of minutes of work, on standard error."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def stage(bars: Progress, name: str, steps: int) -> Callable[[], None]:
    """Add a bar and return what moves it on by one step."""
    return partial(bars.advance, bars.add_task(name, total=steps))
