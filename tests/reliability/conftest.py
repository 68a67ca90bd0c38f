"""The fixture that takes the rows, and the option that writes the page from them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.reliability.page import PAGE, Row, written

ROWS = pytest.StashKey[list[Row]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-page", action="store_true", help="write docs/reliability.md")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ROWS] = []


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[Row], None]:
    """Take a row for the page, or compare it with the page that is there."""

    def take(row: Row) -> None:
        if request.config.getoption("--write-page"):
            request.config.stash[ROWS].append(row)
        else:
            assert row.line() in PAGE.read_text().splitlines(), "out of date? run: make reliability"

    return take


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    rows = session.config.stash[ROWS]
    if rows and exitstatus == pytest.ExitCode.OK:
        PAGE.write_text(written(rows))
