"""The stream of frames: what is dropped, what is counted, and when it gives up."""

from __future__ import annotations

import os
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import (
    AllZeroFrames,
    BusError,
    ChipWasReset,
    FrameOutOfSync,
    LateReads,
    ReaderTooSlow,
    ReadyNeverFell,
    ReadyStuckLow,
    SamplesLost,
    WrongSampleRate,
)
from drivers.stream import FAULTS_IN_A_ROW, MAX_REINITIALISATIONS
from tests.drivers.scripted import PERIOD_S, Script, frame, newest

STEADY = [number * PERIOD_S for number in range(1000)]


def indices(script: Script, count: int, *, continuous: bool = False) -> list[int]:
    return [found.index for found in islice(script.stream(continuous=continuous), count)]


def test_each_edge_gives_its_frame() -> None:
    frames = list(islice(Script(STEADY).stream(), 500))
    assert [found.index for found in frames] == list(range(500))
    assert [found.counts[1] for found in frames] == list(range(500))
    assert [found.time_s for found in frames] == STEADY[:500]


def test_rdata_is_asked_for_each_sample_in_one_transfer_of_ten_bytes() -> None:
    script = Script(STEADY)
    indices(script, 3)
    assert script.reads == [b"\x12" + bytes(9)] * 3


def test_rdatac_clocks_nine_zeros_that_cannot_be_mistaken_for_a_command() -> None:
    script = Script(STEADY)
    indices(script, 3, continuous=True)
    assert script.reads == [bytes(9)] * 3


@given(st.sets(st.integers(1, 300)))
def test_samples_without_an_edge_are_lost_by_number(missing: set[int]) -> None:
    edges = [time_s for number, time_s in enumerate(STEADY) if number not in missing]
    script = Script(edges)
    script.low = True  # as it stays while a sample waits
    stream = script.stream()
    frames = list(islice(stream, 400))
    assert [found.counts[1] for found in frames] == [found.index for found in frames]
    assert stream.counters.lost == frames[-1].index - frames[0].index + 1 - len(frames)
    assert stream.counters.reinitialisations == 0


@given(st.floats(0.0, 0.030))
def test_a_late_reader_never_puts_a_sample_under_the_wrong_number(late_s: float) -> None:
    script = Script(STEADY)
    script.stalls[STEADY[100]] = late_s
    stream = script.stream()
    frames = list(islice(stream, 200))
    assert [found.counts[1] for found in frames] == [found.index for found in frames]
    assert stream.counters.lost == frames[-1].index + 1 - len(frames)
    assert stream.counters.latency_max_s <= max(late_s, PERIOD_S)


def test_a_read_that_ends_when_the_next_sample_is_due_is_dropped() -> None:
    script = Script(STEADY)
    script.stalls[STEADY[100]] = PERIOD_S - 0.00005
    stream = script.stream()
    assert 100 not in [found.index for found in islice(stream, 150)]
    assert stream.counters.late_reads == 1
    assert stream.counters.lost == 1
    assert {type(found) for found in stream.conditions} == {SamplesLost, LateReads}


def test_in_rdatac_mode_a_read_that_would_end_too_late_is_not_begun() -> None:
    script = Script(STEADY)
    script.stalls[STEADY[100]] = PERIOD_S - 0.00005
    stream = script.stream(continuous=True)
    list(islice(stream, 150))
    assert stream.counters.late_reads == 1
    assert len(script.reads) == 150


def test_a_reader_that_is_always_late_is_told_so() -> None:
    script = Script(STEADY)
    script.stalls = dict.fromkeys(STEADY, PERIOD_S - 0.00005)
    stream = script.stream()
    with pytest.raises(ReaderTooSlow, match="Not one sample"):
        next(stream)
    assert stream.counters.late_reads == 251  # a second of them, and one more


@pytest.mark.parametrize(("policy", "advised"), [(os.SCHED_OTHER, True), (os.SCHED_FIFO, False)])
def test_sched_fifo_is_advised_only_to_whoever_has_it_not(
    policy: int, advised: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getscheduler", lambda _: policy)
    script = Script(STEADY)
    script.stalls[STEADY[100]] = PERIOD_S - 0.00005
    stream = script.stream()
    list(islice(stream, 150))
    [late] = [str(found) for found in stream.conditions if isinstance(found, LateReads)]
    assert ("SCHED_FIFO" in late) == advised
    assert "board.drdy_backend: gpiod" in late


def test_ringing_of_the_line_is_not_a_sample() -> None:
    script = Script(sorted(STEADY + [time_s + 20e-6 for time_s in STEADY[::7]]))
    stream = script.stream()
    assert [found.index for found in islice(stream, 300)] == list(range(300))
    assert stream.counters.duplicate_edges == pytest.approx(300 / 7, abs=1)


def test_one_bad_frame_is_dropped_and_counted() -> None:
    bad_s = STEADY[50]
    script = Script(STEADY, lambda time_s: frame(7, "400000" if time_s == bad_s else "c00000"))
    stream = script.stream()
    assert 50 not in [found.index for found in islice(stream, 100)]
    assert stream.counters.bad_frames == 1
    assert stream.counters.lost == 1
    assert stream.counters.reinitialisations == 0


def test_frames_that_stay_bad_are_diagnosed_and_end_after_a_bounded_number_of_restarts() -> None:
    late = lambda time_s: b"\xff" + frame(newest(time_s) * 321)[:8]  # noqa: E731
    script = Script(STEADY, late)
    stream = script.stream()
    with pytest.raises(FrameOutOfSync, match="byte slip"):
        next(stream)
    assert script.restarts == MAX_REINITIALISATIONS
    assert stream.counters.bad_frames == FAULTS_IN_A_ROW * (MAX_REINITIALISATIONS + 1)


def test_a_fault_that_passes_is_survived_and_remembered() -> None:
    script = Script(
        STEADY, lambda time_s: bytes(9) if 0.2 < time_s < 0.3 and not script.restarts else frame(9)
    )
    stream = script.stream()
    frames = list(islice(stream, 200))
    assert script.restarts == stream.counters.reinitialisations == 1
    assert stream.last_fault is not None
    assert stream.counters.lost == frames[-1].index - frames[0].index + 1 - len(frames) > 0


def test_the_registers_tell_more_than_the_symptom() -> None:
    script = Script([])
    script.trouble = ChipWasReset("at reset values")
    with pytest.raises(ChipWasReset):
        indices(script, 1)


def test_drdy_that_stays_high_ends_in_an_error() -> None:
    script = Script(STEADY[:100])
    stream = script.stream()
    with pytest.raises(ReadyNeverFell, match="check START"):
        list(stream)
    assert stream.counters.frames == 100
    assert script.time_s < 3.0


def test_drdy_that_stays_low_is_read_again_before_it_ends_in_an_error() -> None:
    script = Script(STEADY[:100])
    script.low = True
    stream = script.stream()
    with pytest.raises(ReadyStuckLow, match="short"):
        list(stream)
    assert stream.counters.watchdog_reads == FAULTS_IN_A_ROW * (MAX_REINITIALISATIONS + 1)
    assert script.time_s < 3.0


def test_edges_at_twice_the_rate_are_not_taken_for_samples() -> None:
    script = Script(STEADY[:100] + [STEADY[100] + number * 0.002 for number in range(500)])
    stream = script.stream()
    with pytest.raises(WrongSampleRate, match=r"2\.00 times"):
        list(stream)
    assert stream.counters.frames <= 101


def test_edges_out_of_all_rhythm_end_in_an_error() -> None:
    edges = [number * PERIOD_S + 0.0014 * (number % 2) for number in range(5000)]
    stream = Script(edges).stream()
    with pytest.raises(WrongSampleRate, match="rhythm"):
        list(stream)
    assert stream.counters.off_beat_frames == 251 * (MAX_REINITIALISATIONS + 1)
    assert stream.counters.reinitialisations == MAX_REINITIALISATIONS


def test_a_transfer_that_fails_now_and_then_costs_its_sample() -> None:
    def answer(time_s: float) -> bytes:
        if time_s == STEADY[60]:
            raise BusError("timed out")
        return frame(newest(time_s))

    stream = Script(STEADY, answer).stream()
    assert 60 not in [found.index for found in islice(stream, 100)]
    assert stream.counters.bus_errors == stream.counters.lost == 1


def test_a_register_that_changes_by_itself_is_found_within_seconds() -> None:
    edges = [number * PERIOD_S for number in range(4000)]
    script = Script(edges)
    stream = script.stream()
    list(islice(stream, 500))
    script.trouble = ChipWasReset("at reset values")
    with pytest.raises(ChipWasReset):
        list(islice(stream, 2000))
    assert script.time_s < 8.0
    assert stream.last_fault is script.trouble


def failing_at(*faults_s: float) -> Script:
    """Frames are zeros from each of these times on until the chip is set up again."""
    edges = [number * PERIOD_S for number in range(20_000)]

    def answer(time_s: float) -> bytes:
        due = sum(time_s > fault_s for fault_s in faults_s)
        return bytes(9) if script.restarts < due else frame(newest(time_s))

    script = Script(edges, answer)
    return script


def test_sixty_good_seconds_make_up_for_earlier_restarts() -> None:
    script = failing_at(1.0, 3.0, 6.0, 69.0)
    *_, last = islice(script.stream(), 18_000)
    assert last.time_s > 70.0
    assert script.restarts == 4


def test_fewer_good_seconds_do_not() -> None:
    script = failing_at(1.0, 3.0, 6.0, 65.0)
    with pytest.raises(AllZeroFrames):
        list(islice(script.stream(), 18_000))
    assert script.restarts == MAX_REINITIALISATIONS == 3


def test_one_disturbed_look_at_the_registers_restarts_nothing() -> None:
    script = Script(STEADY + [4.0 + time_s for time_s in STEADY])
    stream = script.stream()
    script.disturbed_diagnoses = 1
    list(islice(stream, 1900))
    assert script.disturbed_diagnoses == 0
    assert stream.counters.reinitialisations == 0
    assert stream.last_fault is None


def test_frames_that_repeat_themselves_are_counted() -> None:
    script = Script(STEADY, lambda time_s: frame(1 if time_s < 0.4 else newest(time_s)))
    stream = script.stream()
    list(islice(stream, 300))
    assert stream.counters.repeated_frames == 99
