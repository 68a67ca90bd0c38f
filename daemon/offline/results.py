"""Results on their way to a file: a place that cannot be written is one sentence for the user."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from daemon.errors import ResultsNotWritable


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


def make_folder(folder: Path) -> None:
    """Make the folder of ``--out`` before the work, and not after minutes of it.

    Raises:
        ResultsNotWritable: it cannot be made.
    """
    with writing(folder, "another --out"):
        folder.mkdir(parents=True, exist_ok=True)


def require_files(*files: Path | None) -> None:
    """Find out before minutes of work whether files can be written; they are made, empty.

    Raises:
        ResultsNotWritable: one cannot.
    """
    for file in files:
        if file and str(file) != "-":
            with writing(file):
                file.touch()


def write_json(file: Path | None, figures: dict[str, Any]) -> None:
    """Write figures to the file, if one is asked for.

    Raises:
        ResultsNotWritable: it cannot be written.
    """
    if file:
        with writing(file):
            file.write_text(json.dumps(figures, indent=1) + "\n")
