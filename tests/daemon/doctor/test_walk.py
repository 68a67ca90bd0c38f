"""A walk goes on after a failure, skips what rests on it, and lets errors speak for themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.doctor.checks import CHECKS
from daemon.doctor.visit import Visit
from daemon.doctor.walk import Finding, check, fine, skipped, walk, wrong
from drivers.errors import MisoConstantLow
from tests.daemon.doctor.visits import visit_to


@check("good")
def good(_visit: Visit) -> Iterator[Finding]:
    yield fine("all well", volts=3.3)


@check("broken", good)
def broken(_visit: Visit) -> Iterator[Finding]:
    yield fine("the first part", volts=1.0)
    raise MisoConstantLow("Every bit is 0.")


@check("resting on it", broken)
def resting(_visit: Visit) -> Iterator[Finding]:
    raise AssertionError("looked at what cannot be there")


@check("resting on that", resting)
def farther(_visit: Visit) -> Iterator[Finding]:
    raise AssertionError("looked at what cannot be there")


@check("needless", good)
def needless(_visit: Visit) -> Iterator[Finding]:
    yield skipped("there is no need")


@check("after the needless", needless)
def after(_visit: Visit) -> Iterator[Finding]:
    yield Finding("fine", "looked at", about="a part")


def test_a_walk_goes_on_and_skips_what_rests_on_a_failure(tmp_path: Path) -> None:
    steps = (good, broken, resting, farther, needless, after)
    found = [(f.about, f.verdict, f.says) for f in walk(steps, visit_to(tmp_path))]
    assert found == [
        ("good", "fine", "all well"),
        ("broken", "fine", "the first part"),
        ("broken", "wrong", "Every bit is 0."),
        ("resting on it", "skipped", "first mend: broken"),
        ("resting on that", "skipped", "first mend: resting on it"),
        ("needless", "skipped", "there is no need"),
        ("a part", "fine", "looked at"),
    ]


def test_a_bug_is_not_taken_for_a_finding(tmp_path: Path) -> None:
    @check("buggy")
    def buggy(_visit: Visit) -> Iterator[Finding]:
        yield wrong(str(1 // 0))

    with pytest.raises(ZeroDivisionError):
        list(walk([buggy], visit_to(tmp_path)))


def test_each_check_comes_after_those_that_it_needs() -> None:
    for place, step in enumerate(CHECKS):
        assert set(step.needs) <= set(CHECKS[:place])
