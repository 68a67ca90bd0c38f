"""What all benchmarks share: Markdown of their figures, and progress bars."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return the same table for a page."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


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
