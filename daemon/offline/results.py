"""Prints results or writes them to files; what cannot be written is one line for the user."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from daemon.errors import ExtraMissing, ResultsNotWritable, import_extra, require_extra
from daemon.recordings.durable_file import PRIVATE_FILE

PAGE_WIDTH = 140  # of tables that go to a file
STANDARD_OUTPUT = Path("-")


@contextmanager
def writing(place: Path, instead: str = "another file") -> Iterator[None]:
    """Turn what the operating system says against writing there into one sentence.

    A file that a full disk took only a part of is removed, since it would look like all of it.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (ENOSPC, EDQUOT, EFBIG) and place.is_file():
            place.unlink()
        raise ResultsNotWritable(f"{place}: {error.strerror}; choose {instead}") from error


@contextmanager
def private_file(file: Path, instead: str = "another file") -> Iterator[None]:
    """As ``writing``, of a file that tells of somebody's heart: a new one only its owner may read.

    What is begun and not finished is not left behind.
    """
    is_new = not file.exists()
    with writing(file, instead):
        file.touch(PRIVATE_FILE)
        try:
            yield
        except BaseException:
            if is_new:
                file.unlink(missing_ok=True)
            raise


def make_folder(folder: Path, instead: str = "another --out") -> None:
    """Make the folder of results before the work, and not after minutes of it."""
    with writing(folder, instead):
        folder.mkdir(parents=True, exist_ok=True)


def require_files(*files: Path | None) -> None:
    """Find out before minutes of work whether files can be written; none is left behind."""
    for file in files:
        if file and file != STANDARD_OUTPUT:
            is_new = not file.exists()
            with writing(file):
                file.touch()
                if is_new:
                    file.unlink()


def hand_out(figures: dict[str, Any], tables: Iterable[Table], file: Path | None) -> None:
    """Print the tables and write the figures to the file, if any; or print the figures alone."""
    text = json.dumps(figures, indent=1)
    if file == STANDARD_OUTPUT:
        print(text)
        return
    show(tables)
    if file:
        with private_file(file):
            file.write_text(text + "\n")


def show(tables: Iterable[Table]) -> None:
    """Print tables, as wide as the terminal or, elsewhere, as a page."""
    page = page_console()
    for table in tables:
        page.print(table)


def page_console(**options: Any) -> Console:
    """Return standard output for tables: as wide as the terminal or, elsewhere, as a page."""
    terminal = Console(**options)
    return terminal if terminal.is_terminal else Console(width=PAGE_WIDTH, **options)


def require_report_extras(*, pdf: bool) -> None:
    """Raise ``ExtraMissing``, before minutes of work, if a page cannot be made."""
    purpose = "Writing a report"
    for package in ("jinja2", "matplotlib"):  # which take memory while heartbeats are looked for
        require_extra(package, "report", purpose)
    if pdf:
        try:
            import_extra("weasyprint", "report", purpose)
        except OSError as error:  # a library of the system's
            if isinstance(error, ExtraMissing):
                raise
            raise ExtraMissing(
                f"{purpose} as PDF needs the system's Pango ({error}): sudo apt install "
                "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0; or choose .html"
            ) from error
