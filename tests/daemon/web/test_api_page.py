"""docs/api.md tells of every request, with the right that it takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from daemon.web.routes import Route
from daemon.web.server import all_routes

API_PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text()


def rows() -> dict[str, str]:
    """Return the row of each path."""
    told = {}
    for row in re.findall(r"^\|.*\|$", API_PAGE, re.MULTILINE):
        for path in re.findall(r"`(?:(?:GET|POST|DELETE) )?(/[\w{}/.]*)", row.split("|")[2]):
            told[path] = told.get(path, "") + row
    return told


@pytest.mark.parametrize("route", all_routes(), ids=lambda each: f"{each.method} {each.path}")
def test_every_request_is_told_with_its_right(route: Route) -> None:
    assert route.path in rows()
    right = f"| `{route.right}` |" if route.right != "none" else "| |"
    assert right in rows()[route.path]
