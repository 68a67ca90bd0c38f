"""Episodes of made-up hearts begin and end with the beats they should, and noise begins none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from dsp.front_end import RATE_HZ
from dsp.options import RhythmOptions
from model.beat_kinds import BeatKind, Kind
from model.rhythm import Episode, RhythmTracker

S = round(RATE_HZ)


def beats(kinds: str, rr_s: float | Iterable[float] = 0.8, start: int = 1000) -> list[BeatKind]:
    """Return beats of these kinds, so far apart."""
    intervals = iter([rr_s] * len(kinds) if isinstance(rr_s, float) else rr_s)
    made: list[BeatKind] = []
    for letter in kinds:
        kind: Kind = letter  # type: ignore[assignment]
        interval = next(intervals) if made else None
        index = made[-1].r_index + round(interval * RATE_HZ) if made and interval else start
        rr = (index - made[-1].r_index) / RATE_HZ if made else None
        abnormal = {"Q": None, "V": 0.9}.get(kind, 0.1)
        made.append(BeatKind(index, kind, abnormal, rr))
    return made


def run(tracker: RhythmTracker, heart: list[BeatKind], silence_s: float = 0.0) -> list[Episode]:
    """Let a heart beat, each beat's kind known with the next R peak, and then be silent."""
    found: list[Episode] = []
    end = heart[-1].r_index + round(silence_s * RATE_HZ)
    at = {beat.r_index: beat for beat in heart}
    before: BeatKind | None = None
    for index in range(heart[0].r_index, end + 1):
        if index in at:
            tracker.r_peak(index)
            if before:
                found += tracker.beat(before)
            before = at[index]
            if before.kind == "Q":
                found += tracker.beat(before)
                before = None
        found += tracker.tick(index)
        if index % (5 * S) == 0:
            found += tracker.judge_intervals()
    if before and not silence_s:
        found += tracker.beat(before)
    return found


def spans(found: list[Episode], heart: list[BeatKind]) -> Iterator[tuple[str, int, int | None]]:
    """Yield episodes with the numbers of their beats instead of samples."""
    numbers = {beat.r_index: number for number, beat in enumerate(heart)}
    for each in found:
        yield each.kind, numbers[each.onset], None if each.end is None else numbers[each.end]


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ("NNNNNNNN", []),
        ("NNNVNNNN", []),
        ("NNNVVNNN", [("couplet", 3, 4)]),
        ("NNVVVVNN", [("ventricular_run", 2, None), ("ventricular_run", 2, 5)]),
        ("NNVVQVNN", []),
        ("NNNVNVNVNN", [("bigeminy", 2, None), ("bigeminy", 2, 9)]),
        ("NNSNVSVNVNN", [("bigeminy", 3, None), ("bigeminy", 3, 10)]),
        ("NNVNNVNNVNNN", [("trigeminy", 0, None), ("trigeminy", 0, 11)]),
        ("NVNVNQVNV", []),
    ],
)
def test_patterns_of_ventricular_beats(kinds: str, expected: list[tuple[str, int, int]]) -> None:
    heart = beats(kinds)
    assert list(spans(run(RhythmTracker(), heart), heart)) == expected


def test_a_pause_is_told_before_it_ends_and_silence_becomes_asystole() -> None:
    heart = beats("NNNNNN")
    last = heart[-1].r_index
    tracker = RhythmTracker()
    told = run(tracker, heart, silence_s=2.3)
    assert told == []
    for index in range(last + round(2.3 * S), last + 10 * S):
        told += tracker.tick(index)
    assert told == [Episode("pause", last), Episode("asystole", last)]
    end = last + 10 * S
    tracker.r_peak(end)
    assert tracker.beat(heart[-1]) == []  # whose kind was not known before
    ended = tracker.beat(BeatKind(end, "N", 0.1, None))
    assert ended == [Episode("pause", last, end), Episode("asystole", last, end)]


@pytest.mark.parametrize(("rr_s", "is_pause"), [(1.99, False), (2.05, True), (2.9, True)])
def test_pauses_have_the_length_that_is_set(rr_s: float, is_pause: bool) -> None:
    heart = beats("NNNNNNN", [0.8, 0.8, 0.8, rr_s, 0.8, 0.8])
    found = run(RhythmTracker(), heart)
    assert {each.kind for each in found} == ({"pause"} if is_pause else set())
    assert all((e.onset, e.end) == (heart[3].r_index, heart[4].r_index) for e in found if e.end)


def test_after_noise_nothing_is_a_pause() -> None:
    heart = beats("NNNNQNNNN", [0.8, 0.8, 0.8, 1.0, 3.0, 0.8, 0.8, 0.8])
    assert run(RhythmTracker(), heart) == []


def test_rates_begin_and_end_with_hysteresis() -> None:
    options = RhythmOptions(tachycardia_bpm=120, bradycardia_bpm=40)
    heart = beats("N" * 60, [0.8] * 15 + [0.48] * 15 + [0.505] * 15 + [0.8] * 14)
    found = list(spans(run(RhythmTracker(options), heart), heart))
    assert [(kind, end is None) for kind, _, end in found] == [
        ("tachycardia", True),
        ("tachycardia", False),
    ]
    assert 15 <= found[0][1] <= 23  # its eight intervals
    assert (found[1][2] or 0) > 45
    slow = beats("N" * 20, 1.6)
    [(kind, onset, end)] = spans(run(RhythmTracker(options), slow), slow)
    assert (kind, onset, end) == ("bradycardia", 0, None)


def fibrillating(count: int) -> list[float]:
    """Return intervals that do not know of each other."""
    return [float(rr_s) for rr_s in np.random.default_rng(1).uniform(0.4, 1.1, count)]


def test_fibrillation_begins_and_ends() -> None:
    intervals = [0.8 + 0.02 * np.sin(n) for n in range(60)] + fibrillating(90)
    intervals += [0.8 + 0.02 * np.sin(n) for n in range(90)]
    heart = beats("N" * 240, intervals)
    tracker = RhythmTracker(RhythmOptions(tachycardia_bpm=220, bradycardia_bpm=20))
    begun, ended = run(tracker, heart)
    assert begun.kind == ended.kind == "atrial_fibrillation"
    assert begun.onset <= heart[110].r_index
    assert (ended.end or 0) >= heart[150].r_index
    assert tracker.now().name == "sinus"


def test_of_a_short_recording_what_is_likely_counts() -> None:
    heart = beats("N" * 18, fibrillating(17))
    tracker = RhythmTracker(RhythmOptions(tachycardia_bpm=220, bradycardia_bpm=20))
    assert run(tracker, heart) == []
    begun, ended = tracker.finish()
    assert (begun.onset, ended.end) == (heart[0].r_index, heart[-1].r_index)


def test_breathing_and_single_extra_beats_are_no_fibrillation() -> None:
    breathing = [0.9 + 0.15 * np.sin(2 * np.pi * n / 4.3) for n in range(100)]
    assert run(RhythmTracker(), beats("N" * 100, breathing)) == []
    kinds, intervals = "", []
    for n in range(100):
        kinds += "V" if n % 7 == 3 else "N"
        intervals.append(0.5 if n % 7 == 2 else 1.1 if n % 7 == 3 else 0.8)
    assert run(RhythmTracker(), beats(kinds, intervals)) == []


def test_a_run_needs_beats_that_are_surely_ventricular() -> None:
    heart = [
        replace(beat, abnormal=0.3) if beat.kind == "V" else beat for beat in beats("NNVVVVNVVNN")
    ]
    assert [each.kind for each in run(RhythmTracker(), heart)] == ["couplet"]
    heart[3:6] = [replace(beat, abnormal=0.7) for beat in heart[3:6]]
    begun, ended, *_ = run(RhythmTracker(), heart)
    assert (begun.onset, ended.end) == (heart[2].r_index, heart[5].r_index)


def test_many_early_beats_in_a_steady_rhythm_are_no_fibrillation() -> None:
    rng = np.random.default_rng(2)
    kinds, rr_s = "NNN", [0.8, 0.8]  # one interval less than beats
    while len(kinds) < 150:
        kinds += "SN" + "N" * int(rng.integers(0, 3))
        early_s = float(rng.uniform(0.35, 0.6))
        rr_s += [early_s, float(rng.uniform(0.9, 1.2)), 0.82, 0.79][: len(kinds) - 1 - len(rr_s)]
    options = RhythmOptions(tachycardia_bpm=220, bradycardia_bpm=20)
    tracker = RhythmTracker(options)
    assert run(tracker, beats(kinds, rr_s)) == []
    assert (tracker.now().fibrillation or 0) > 0.9  # were they not known to be early
    called_normal = run(RhythmTracker(options), beats("N" * len(kinds), rr_s))
    assert [each.kind for each in called_normal] == ["atrial_fibrillation"]


def test_an_episode_is_given_up_when_only_noise_comes() -> None:
    heart = beats("NNVVVV" + "Q" * 20)
    tracker = RhythmTracker()
    begun, ended = run(tracker, heart)
    assert ended == Episode(begun.kind, begun.onset, heart[5].r_index)
    assert tracker.now().name == "unknown"


def test_another_wearer_begins_anew() -> None:
    tracker = RhythmTracker()
    heart = beats("NNVVVV")
    run(tracker, heart)
    assert tracker.interrupted() == [Episode("ventricular_run", heart[2].r_index, heart[5].r_index)]
    now = tracker.now()
    assert (now.name, now.heart_rate_bpm, now.lasting) == ("unknown", None, ())


def test_the_rate_is_that_of_eight_intervals() -> None:
    tracker = RhythmTracker()
    heart = beats("N" * 12, 0.6)
    run(tracker, heart)
    assert tracker.now().heart_rate_bpm == pytest.approx(100)
    assert {b.r_index - a.r_index for a, b in pairwise(heart)} == {150}
