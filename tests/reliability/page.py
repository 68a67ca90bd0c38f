"""docs/reliability.md: one row for each thing that can go wrong, as the tests saw it.

A test hands its row to the fixture ``report``. ``make reliability`` writes the page from the rows;
any other run holds each row against the page, so that the page is never older than the service.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"

INTRODUCTION = """\
# What can go wrong, and what becomes of it

Written by `make reliability` from what the tests in `tests/reliability` saw; `make test` and
`make test-realtime` see to it that this page is still true. Do not edit it.

Faults F1 to F17 of the simulated chip go through the whole service (driver, pipe, signal chain,
decision, status) in virtual time, so their figures are exact and the same in each run. 250 samples
are a second. "After" counts from the moment the fault begins to the first status message that
shows it, which is sent each second. A service that has ended is started again by systemd, except
after exit code 78: settings do not repair themselves.

| what | detected as | after | what the user is told | samples lost | recovers |
| --- | --- | --- | --- | --- | --- |
"""


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one thing that went wrong.

    Attributes:
        case: what went wrong; for the chip's faults their number and notation.
        detected: by which error, condition or counter.
        after: how long that took.
        told: what the user reads.
        lost: samples, or what else.
        recovers: whether it goes on by itself.
    """

    case: str
    detected: str
    after: str
    told: str
    lost: str
    recovers: str

    def line(self) -> str:
        """Return it as a line of the table."""
        return "| " + " | ".join(text.replace("|", "\\|") for text in astuple(self)) + " |"


def written(rows: Iterable[Row]) -> str:
    """Return the page."""
    return INTRODUCTION + "".join(f"{row.line()}\n" for row in rows)


def cases_on(page: str) -> list[str]:
    """Return the first cell of each row."""
    rows = page.partition("| --- | --- | --- | --- | --- | --- |\n")[2]
    return [line.split(" | ")[0].removeprefix("| ") for line in rows.splitlines()]
