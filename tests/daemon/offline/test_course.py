"""What was decided over time is told in stretches that follow on each other."""

from __future__ import annotations

from daemon.offline.recognition import Course, Stretch
from model.identifier import Decision

ADA = Decision("accepted", "Ada", 0.9, 5)


def test_the_same_is_one_stretch_with_all_that_speaks_for_it() -> None:
    course = Course()
    course.note(250, Decision("undecided", None, None, 1))
    course.note(500, ADA)
    course.note(750, Decision("accepted", "Ada", 0.7, 6, "unfamiliar_signal"))
    course.note(1000, Decision("accepted", "Ada", 0.8, 7))
    course.note(1250, Decision("unknown", None, 0.6, 7))
    assert course.stretches(6.0) == (
        Stretch(0.0, 2.0, "undecided", None, None, 1, ()),
        Stretch(2.0, 5.0, "accepted", "Ada", 0.8, 7, ("unfamiliar_signal",)),
        Stretch(5.0, 6.0, "unknown", None, 0.6, 7, ()),
    )


def test_without_a_beat_nothing_is_known_after_three_seconds() -> None:
    course = Course()
    course.note(0, ADA)
    course.note(5000, ADA)
    assert [(each.begin_s, each.end_s, each.person) for each in course.stretches(60.0)] == [
        (0.0, 3.0, "Ada"),
        (3.0, 20.0, None),
        (20.0, 23.0, "Ada"),
        (23.0, 60.0, None),
    ]


def test_nothing_at_all_is_one_stretch() -> None:
    assert Course().stretches(10.0) == (Stretch(0.0, 10.0, "undecided", None, None, 0, ()),)
    assert Course().stretches(0.0) == ()
