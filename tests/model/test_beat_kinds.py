"""The judge of beat kinds: every beat once, in order, one beat late at most, and nobody else's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dsp.front_end import RATE_HZ
from dsp.signals import (
    HANDOVER_SAMPLES,
    BeatQuality,
    BeatWindow,
    ContactRestored,
    Event,
    Interruption,
    RPeak,
)
from model.beat_history import FIGURES, KnownBeat
from model.beat_kinds import SILENCE_S, BeatKind, BeatKindJudge, Verdict
from model.beat_usual import UsualOdds
from tests.model.made_up_rhythm import events_of, rhythm

AFTER = FIGURES.index("after_unknown") - len(FIGURES)
QUIET_WINDOW = tuple(np.exp(-(((np.arange(175) - 70) / 4) ** 2)).tolist())
GOOD = BeatQuality(1.0, ())
WITHOUT_QRS = BeatQuality(0.0, ("no_qrs",))


class Notes:
    """A network that calls every beat ventricular and notes what it was given."""

    def __init__(self) -> None:
        self.inputs: list[NDArray[np.float32]] = []

    def __call__(self, beat: KnownBeat, _usual: UsualOdds) -> Verdict:
        self.inputs.append(beat.inputs)
        return Verdict("V", 0.9)


def judged(events: Sequence[Event]) -> tuple[list[BeatKind], list[NDArray[np.float32]]]:
    notes = Notes()
    judge = BeatKindJudge(notes)
    kinds = [kind for event in events for kind in judge.push(event)] + judge.finish()
    return kinds, notes.inputs


def beat(r_index: int, quality: BeatQuality = GOOD, rr_s: float | None = 0.8) -> BeatWindow:
    return BeatWindow(r_index, rr_s, QUIET_WINDOW, quality)


def peak(index: int, rr_s: float | None = 0.8) -> RPeak:
    return RPeak(index, 1.0, rr_s, search_back=False)


@settings(max_examples=12)
@given(st.integers(0, 1000), st.integers(300, 3000), st.sampled_from([0, 5, 15, 30, 400]))
def test_each_beat_is_told_once_in_order_and_at_most_one_beat_late(
    seed: int, lost_from: int, lost: int
) -> None:
    _, ecg_mv = rhythm(12, (5, 9), wide=bool(seed % 2), seed=seed)
    events = events_of(ecg_mv, range(lost_from, lost_from + lost))
    judge, told, came = BeatKindJudge(Notes()), list[int](), list[int]()
    for event in events:
        told += [kind.r_index for kind in judge.push(event)]
        came += [event.r_index] if isinstance(event, BeatWindow) else []
        assert told == came[: len(told)]
        assert len(came) - len(told) <= 1
    assert told + [kind.r_index for kind in judge.finish()] == came
    assert judge.finish() == []


def test_what_comes_later_changes_nothing() -> None:
    events = events_of(rhythm(20, (8,))[1])
    whole, _ = judged(events)
    for end in (len(events) // 3, len(events) // 2):
        judge = BeatKindJudge(Notes())
        told = [kind for event in events[:end] for kind in judge.push(event)]
        assert told == whole[: len(told)]
        assert told


@pytest.mark.parametrize("flaw", ["saturated", "gap", "flat", "noisy"])
def test_a_beat_that_noise_or_a_gap_spoilt_is_q_and_not_remembered(flaw: str) -> None:
    spoilt = beat(250, BeatQuality(0.2, (flaw, "unlike_template")))
    kinds, inputs = judged([beat(0), spoilt, beat(500)])
    assert [(kind.kind, kind.abnormal) for kind in kinds] == [("V", 0.9), ("Q", None), ("V", 0.9)]
    _, without = judged([beat(0), beat(500)])
    np.testing.assert_array_equal(inputs, without)


@pytest.mark.parametrize("flaw", ["unlike_template", "no_t_wave"])
def test_a_beat_of_another_shape_is_judged(flaw: str) -> None:
    kinds, _ = judged([beat(0, BeatQuality(0.5, (flaw,)))])
    assert [kind.kind for kind in kinds] == ["V"]


def test_a_quiet_beat_without_qrs_is_judged_if_it_is_alone() -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(175)
    noisy = replace(beat(0, WITHOUT_QRS), ecg_mv=tuple((np.array(QUIET_WINDOW) + noise).tolist()))
    many = [beat(250 * number, WITHOUT_QRS) for number in range(8)]
    assert [kind.kind for kind in judged([noisy])[0]] == ["Q"]
    assert [kind.kind for kind in judged(many)[0]] == [*"VVVVQQQQ"]


@pytest.mark.parametrize(
    ("interruption", "forgets"),
    [
        (Interruption(600, "gap", HANDOVER_SAMPLES), True),
        (Interruption(600, "lead_off", 0), True),
        (Interruption(600, "gap", HANDOVER_SAMPLES - 1), False),
        (ContactRestored(600), False),
    ],
)
def test_all_is_forgotten_when_the_wearer_may_differ(interruption: Event, forgets: bool) -> None:
    before = [beat(200 * number) for number in range(3)]
    after = [replace(beat(800), rr_s=None), beat(1000)]
    kinds, inputs = judged([*before, interruption, *after])
    _, fresh = judged(after)
    assert [kind.r_index for kind in kinds] == [0, 200, 400, 800, 1000]
    assert np.array_equal(inputs[3:], fresh) == forgets


def test_a_beat_before_a_possible_change_of_hands_is_told_at_once() -> None:
    judge = BeatKindJudge(Notes())
    assert judge.push(beat(0)) == []
    assert [kind.r_index for kind in judge.push(Interruption(300, "lead_off", 0))] == [0]


def test_a_beat_that_nothing_follows_is_told_after_a_while() -> None:
    notes = Notes()
    judge = BeatKindJudge(notes)
    judge.push(peak(100))
    judge.push(beat(100))
    silent = 100 + round(SILENCE_S * RATE_HZ)
    assert judge.tick(silent - 1) == []
    assert [kind.r_index for kind in judge.tick(silent)] == [100]
    assert judge.tick(silent + 1000) == []
    assert judge.push(peak(900, 3.2)) == judge.push(beat(900, rr_s=3.2)) == []
    followed = BeatKindJudge(again := Notes())
    for event in (peak(100), beat(100), peak(900, 3.2)):
        followed.push(event)
    np.testing.assert_array_equal(notes.inputs[0], again.inputs[0])


def test_the_interval_after_a_beat_is_that_of_the_next_r_peak() -> None:
    ended, waited = Notes(), Notes()
    judge = BeatKindJudge(ended)
    judge.push(beat(0))
    judge.finish()
    judge = BeatKindJudge(waited)
    assert judge.push(peak(200)) == []  # told before the beat's own window is complete
    assert [kind.r_index for kind in judge.push(beat(0))] == [0]
    assert (ended.inputs[0][AFTER], waited.inputs[0][AFTER]) == (1, 0)
