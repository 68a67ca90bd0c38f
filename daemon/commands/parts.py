"""What several commands have in common: numbers they read, places they write to, progress bars."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from daemon.errors import ResultsNotWritable


def at_least(least: int) -> Callable[[str], int]:
    """Return what reads a whole number that is not below the least, for argparse."""

    def read(text: str) -> int:
        number = int(text)
        if number < least:
            raise argparse.ArgumentTypeError(f"{number} is not {least} or more")
        return number

    read.__name__ = "whole number"  # argparse says so of what is none
    return read


def person_name(text: str) -> str:
    """Read somebody's name, for argparse; ``-`` asks for it.

    Whoever runs a command with sudo has its whole line in the journal.
    """
    if text != "-":
        return text
    print("Name: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().rstrip("\n")


def confirmed(question: str) -> bool:
    """Ask on the terminal; no answer is no."""
    with suppress(EOFError):
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    return False


@contextmanager
def writing(place: Path, instead: str = "another file") -> Iterator[None]:
    """Turn what the operating system says against writing there into one sentence.

    Raises:
        ResultsNotWritable: it says something.
    """
    try:
        yield
    except OSError as error:
        raise ResultsNotWritable(f"{place}: {error.strerror}; choose {instead}") from error


def require_out(folder: Path) -> None:
    """Make the folder of ``--out`` before the work, and not after minutes of it.

    Raises:
        ResultsNotWritable: it cannot be made.
    """
    with writing(folder, "another --out"):
        folder.mkdir(parents=True, exist_ok=True)


def stage_bars() -> Progress:
    """Return progress bars for the stages of minutes of work, on standard error."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
