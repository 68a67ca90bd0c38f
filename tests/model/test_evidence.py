"""Evidence lasts as long as good beats of the same heart follow, and no longer."""

from __future__ import annotations

import pytest

from dsp.signals import BeatQuality, BeatWindow
from model.evidence import JUDGED_BEATS, STALE_SAMPLES, Evidence
from tests.model.models import towards

ADA, BOB = towards(3, 1, 0, 0), towards(0, 0, 1, 3)  # at right angles


def beat(number: int, *flaws: str) -> BeatWindow:
    return BeatWindow(250 * number, 1.0, (0.0,) * 175, BeatQuality(1.0, flaws))


def followed(beats: int) -> Evidence:
    """Return evidence of so many good beats of Ada's."""
    evidence = Evidence()
    for number in range(beats):
        assert evidence.push(beat(number), ADA) is None
    return evidence


def test_it_is_stale_three_seconds_after_the_last_good_beat() -> None:
    evidence = followed(10)
    assert not evidence.is_stale(9 * 250 + STALE_SAMPLES)
    assert evidence.is_stale(9 * 250 + STALE_SAMPLES + 1)


def test_nothing_is_stale_before_the_first_good_beat() -> None:
    assert not Evidence().is_stale(10**9)


def test_more_flaws_than_good_beats_are_told() -> None:
    evidence = followed(JUDGED_BEATS)
    told = [evidence.push(beat(20 + n, "noisy"), ADA) for n in range(JUDGED_BEATS // 2 + 1)]
    assert told == [None] * (JUDGED_BEATS // 2) + ["no_good_beats"]


@pytest.mark.parametrize("flaws", [(), ("unlike_template",)])
def test_another_heart_at_right_angles_is_told_by_its_third_beat(flaws: tuple[str, ...]) -> None:
    evidence = followed(10)
    told = [evidence.push(beat(10 + number, *flaws), BOB) for number in range(3)]
    assert told == [None, None, "heart_changed"]


@pytest.mark.parametrize(("before", "third"), [(3, "heart_changed"), (2, None)])
def test_three_beats_are_the_fewest_that_another_heart_is_told_from(
    before: int, third: str | None
) -> None:
    evidence = followed(before)
    assert [evidence.push(beat(10 + number), BOB) for number in range(3)][-1] == third


def test_a_heart_that_is_more_alike_takes_more_beats() -> None:
    evidence = followed(10)
    alike = towards(2.45, 0.8, 2.1, 9)  # a cosine of 0.27, of log-likelihood ratio 1.3
    told = [evidence.push(beat(10 + number), alike) for number in range(7)]
    assert told == [None] * 6 + ["heart_changed"]


def test_odd_beats_one_at_a_time_are_not_another_heart() -> None:
    evidence = followed(10)
    for number in range(10, 50, 2):
        assert evidence.push(beat(number), BOB) is None
        assert evidence.push(beat(number + 1), ADA) is None


def test_the_beats_of_another_heart_are_not_taken_for_this_ones() -> None:
    evidence = followed(10)
    assert evidence.push(beat(10), BOB) is None
    assert evidence.push(beat(11), ADA) is None
    told = [evidence.push(beat(number), BOB) for number in (12, 13, 14)]
    assert told == [None, None, "heart_changed"]


def test_after_a_restart_nothing_is_compared_with_what_was_before() -> None:
    evidence = followed(10)
    evidence.restart()
    assert [evidence.push(beat(10 + n), BOB) for n in range(10)] == [None] * 10


def test_once_a_change_is_told_the_other_heart_is_followed_like_the_first() -> None:
    evidence = followed(10)
    assert [evidence.push(beat(10 + n), BOB) for n in range(3)][-1] == "heart_changed"
    evidence.restart()
    told = [evidence.push(beat(20 + n), BOB if n < 10 else ADA) for n in range(13)]
    assert told == [None] * 12 + ["heart_changed"]
