"""Judge and tracker in step: what a signal's end and a hand-over make certain."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dsp.signals import BeatQuality, BeatWindow, Interruption, RPeak, Sample
from model.beat_history import KnownBeat
from model.beat_kinds import BeatKindJudge, Verdict
from model.beat_usual import UsualOdds
from model.rhythm import Episode
from model.rhythm_watch import RhythmWatch, Told

RR = 200  # samples
GOOD = BeatQuality(1.0, ())
BEAT = tuple((np.hanning(175) ** 8).tolist())


def watch(kinds: str) -> RhythmWatch:
    told = iter(kinds)

    def classify(_: KnownBeat, _usual: UsualOdds) -> Verdict:
        kind = next(told)
        return Verdict(kind, 0.2 if kind == "N" else 0.6)  # type: ignore[arg-type]

    return RhythmWatch(BeatKindJudge(classify))


def fibrillate(tested: RhythmWatch, beats: int) -> Iterator[Told]:
    """Let so many beats come at intervals that do not know of each other."""
    index = 0
    for rr in np.random.default_rng(1).integers(100, 280, beats).tolist():
        rr_s = rr / 250 if index else None
        index += rr
        yield tested.push(RPeak(index, 1.0, rr_s, search_back=False))
        yield tested.push(BeatWindow(index, rr_s, BEAT, GOOD))
        for later in range(index, index + 100, 25):
            yield tested.tick(Sample(later, 0.0, lead_off=False))


def play(tested: RhythmWatch, beats: int) -> Iterator[Told]:
    """Let so many beats come, one in each 200 samples, each found a little after its R."""
    for index in range(beats * RR + RR // 2):
        number, since = divmod(index, RR)
        rr_s = RR / 250 if number else None
        if since == 50 and number < beats:
            yield tested.push(RPeak(index - 50, 1.0, rr_s, search_back=False))
        if since == 90 and number < beats:
            yield tested.push(BeatWindow(index - 90, rr_s, BEAT, GOOD))
        yield tested.tick(Sample(index, 0.0, lead_off=False))


def test_the_end_of_a_signal_tells_the_last_beat_and_ends_what_lasts() -> None:
    tested = watch("NNNNVVV")
    told = [*play(tested, 7)]
    assert [beat.kind for each in told for beat in each.beats] == [*"NNNNVV"]
    assert [episode for each in told for episode in each.episodes] == []
    last = tested.finish()
    assert [(beat.r_index, beat.kind) for beat in last.beats] == [(6 * RR, "V")]
    assert last.episodes == [
        Episode("ventricular_run", 4 * RR),
        Episode("ventricular_run", 4 * RR, 6 * RR),
    ]


def test_a_hand_over_ends_what_lasts() -> None:
    tested = watch("NNNVVVV")
    told = [*play(tested, 7)]
    assert [each for one in told for each in one.episodes] == [Episode("ventricular_run", 3 * RR)]
    ended = tested.push(Interruption(8 * RR, "lead_off", 0))
    assert ended.episodes == [Episode("ventricular_run", 3 * RR, 6 * RR)]
    assert tested.now().lasting == ()


def test_intervals_are_looked_at_each_five_seconds() -> None:
    tested = watch("N" * 20)
    known = [tested.now().fibrillation is not None for _ in play(tested, 20)]
    first = known.index(True)
    assert not any(known[:first])
    assert all(known[first:])
    of_enough = 11 * RR + 50  # 10 intervals, the last one's beat told by the next R peak
    assert of_enough < first < of_enough + 5 * 250 + 2 * 20


def test_in_fibrillation_no_beat_is_too_early() -> None:
    tested = watch("NNNS" * 20 + "V" * 10)
    told = [each for each in fibrillate(tested, 90) if each.beats or each.episodes]
    begins = [bool(each.episodes) for each in told].index(True)
    assert told[begins].episodes[0].kind == "atrial_fibrillation"
    before, after = (
        [beat for each in part for beat in each.beats] for part in (told[:begins], told[begins:])
    )
    assert {beat.kind for beat in before} == {"N", "S"}
    assert {beat.kind for beat in after} == {"N", "V"}
    assert all((beat.abnormal or 0) <= 0.5 for beat in after if beat.kind == "N")
