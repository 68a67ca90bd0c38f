"""What the judge of the rhythm publishes, and that silence counts only where it is a heart's."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import pytest

from daemon.service.rhythm import CAUTION, RhythmJudge
from daemon.wire.messages import AlarmMessage, BeatKindMessage, Message, RhythmMessage
from dsp.options import RhythmOptions
from dsp.signals import BeatQuality, BeatWindow, Interruption, RPeak, Sample
from model.beat_history import KnownBeat
from model.beat_kinds import BeatKindJudge, Verdict
from model.beat_usual import UsualOdds

MessageKind = TypeVar("MessageKind", bound=Message)

RR = 200  # samples
BEAT = np.zeros(175)
BEAT[66:76] = np.hanning(10)
BEAT[110:150] = 0.2 * np.hanning(40)


def judge(*, alarms: bool = True, ventricular: tuple[int, ...] = ()) -> RhythmJudge:
    """Return a judge that takes these beats, by their numbers, for ventricular ones."""
    number = iter(range(1000))

    def classify(_: KnownBeat, _usual: UsualOdds) -> Verdict:
        is_v = next(number) in ventricular
        return Verdict("V" if is_v else "N", 0.99 if is_v else 0.01)

    return RhythmJudge(BeatKindJudge(classify), RhythmOptions(alarms=alarms))


def play(
    tested: RhythmJudge, beats: int, then_s: float = 0.0, *, lead_off: bool | None = False
) -> list[Message]:
    """Let so many beats come, each found 50 samples after its R, and then silence."""
    said: list[Message] = []
    good = BeatQuality(1.0, ())
    for index in range(beats * RR + round(then_s * 250)):
        number, since = divmod(index - RR, RR)
        rr_s = RR / 250 if number > 0 else None
        if 0 <= number < beats - 1 and since == 50:
            said += tested.push(RPeak(index - 50, 1.0, rr_s, search_back=False), index)
        if 0 <= number < beats - 1 and since == 104:
            window = BeatWindow(index - 104, rr_s, tuple(BEAT.tolist()), good)
            said += tested.push(window, index)
        said += tested.tick(Sample(index, 0.0, lead_off))
    return said


def only(kind: type[MessageKind], said: list[Message]) -> list[MessageKind]:
    return [message for message in said if isinstance(message, kind)]


def test_each_beat_is_told_once_and_the_rhythm_each_five_seconds() -> None:
    said = play(judge(), 30)
    kinds = only(BeatKindMessage, said)
    assert [message.r_index for message in kinds] == [RR * n for n in range(1, 29)]
    assert all(message.index - message.r_index <= RR + 104 for message in kinds)
    rhythms = only(RhythmMessage, said)
    assert [message.index for message in rhythms] == [1250, 2500, 3750, 5000]
    assert rhythms[-1].rhythm == "sinus"
    assert rhythms[-1].heart_rate_bpm == pytest.approx(75)
    assert only(AlarmMessage, said) == []


def test_a_run_is_told_with_the_ecg_that_led_to_it() -> None:
    said = play(judge(ventricular=(10, 11, 12)), 20)
    begins, ends = only(AlarmMessage, said)
    onset = RR * 11
    assert (begins.kind, begins.onset, begins.end) == ("ventricular_run", onset, None)
    assert begins.evidence == (onset - 1250, begins.index + 1)
    assert begins.caution == ends.caution == CAUTION
    assert ends.end == RR * 13
    told = [message.episodes for message in only(RhythmMessage, said) if message.episodes]
    assert [(each.onset, each.end) for [each] in told] == [(onset, None), (onset, ends.end)]


def test_without_alarms_the_rhythm_is_still_told() -> None:
    said = play(judge(alarms=False, ventricular=(10, 11, 12)), 20)
    assert only(AlarmMessage, said) == []
    assert any(message.episodes for message in only(RhythmMessage, said))


def test_silence_is_asystole_only_where_the_electrodes_are_known_to_be_on() -> None:
    alarms = only(AlarmMessage, play(judge(), 12, then_s=6))
    assert [(alarm.kind, alarm.end) for alarm in alarms] == [("pause", None), ("asystole", None)]
    assert only(AlarmMessage, play(judge(), 12, then_s=6, lead_off=None)) == []
    assert only(AlarmMessage, play(judge(), 12, then_s=6, lead_off=True)) == []


def test_another_wearer_ends_what_lasts() -> None:
    tested = judge(ventricular=tuple(range(8, 30)))
    play(tested, 16)
    said = tested.push(Interruption(16 * RR, "lead_off", 0), 16 * RR)
    [alarm] = [alarm for alarm in only(AlarmMessage, said) if alarm.end]
    assert alarm.kind == "ventricular_run"
    assert only(RhythmMessage, said)[-1].rhythm == "unknown"
