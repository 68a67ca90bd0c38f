"""The whole chain: events in order, nothing across gaps, nothing without contact."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsp.bridge import BRIDGED_SAMPLES
from dsp.contact import OFF_SAMPLES
from dsp.front_end import FrontEnd
from dsp.options import FrontEndOptions
from dsp.signals import BeatWindow, Event, Interruption, LeadOffContradicted, RPeak, Sample
from tests.dsp.heartbeats import ecg, regular

SECONDS = 20
BEATS = regular(72, SECONDS)
SIGNAL_MV = ecg(BEATS, SECONDS * 250)


def push_all(
    front_end: FrontEnd,
    signal_mv: np.ndarray = SIGNAL_MV,
    first: int = 0,
    lead_off: bool | None = False,
) -> list[Event]:
    return [
        event
        for index, x in enumerate(signal_mv, first)
        for event in front_end.push(Sample(index, float(x), lead_off))
    ]


def test_r_peaks_are_where_the_beats_are() -> None:
    peaks = [event for event in push_all(FrontEnd()) if isinstance(event, RPeak)]
    assert np.abs(np.subtract([peak.index for peak in peaks], BEATS)).max() <= 1
    assert peaks[0].rr_s is None
    assert [peak.rr_s for peak in peaks[1:]] == pytest.approx(
        [60 / 72] * (len(peaks) - 1), abs=0.01
    )


def test_a_beat_window_comes_104_samples_after_its_r_peak_plus_the_stated_delay() -> None:
    front_end = FrontEnd()
    for index, x in enumerate(SIGNAL_MV):
        for event in front_end.push(Sample(index, float(x), False)):
            if isinstance(event, BeatWindow) and event.r_index > 3 * 250:
                assert index == event.r_index + 104 + 2
                assert int(np.argmax(event.ecg_mv)) == 70
                assert event.quality.good


def test_the_heart_rate_is_the_beats_and_ends_with_them() -> None:
    front_end = FrontEnd()
    assert front_end.heart_rate_bpm is None
    push_all(front_end)
    assert front_end.heart_rate_bpm == pytest.approx(72, abs=1)
    push_all(front_end, np.zeros(4 * 250), first=len(SIGNAL_MV))
    assert front_end.heart_rate_bpm is None


def good_beats(events: list[Event]) -> list[int]:
    return [e.r_index for e in events if isinstance(e, BeatWindow) and e.quality.good]


@pytest.mark.parametrize("lost", [1, BRIDGED_SAMPLES])
def test_a_gap_of_a_few_samples_is_told_and_costs_at_most_the_beat_that_it_hides(
    lost: int,
) -> None:
    undisturbed = good_beats(push_all(FrontEnd()))
    for first in range(12 * 250, 12 * 250 + 200, 9):
        front_end = FrontEnd()
        events = push_all(front_end, SIGNAL_MV[:first])
        resume = first + lost
        after = push_all(front_end, SIGNAL_MV[resume:], first=resume)
        assert after[0] == Interruption(resume, "gap", lost)
        found = good_beats(events + after)
        clear = [r for r in undisturbed if not first - 20 <= r <= resume + 20]
        assert [r for r in found if not first - 20 <= r <= resume + 20] == clear
        assert len(found) <= len(undisturbed)


@pytest.mark.parametrize(
    ("lost_at", "lost", "flaws"), [(-1, 3, ("gap",)), (-1, 2, ()), (-40, 3, ()), (30, 3, ())]
)
def test_a_beat_whose_qrs_is_made_up_is_flawed(
    lost_at: int, lost: int, flaws: tuple[str, ...]
) -> None:
    front_end = FrontEnd()
    first = int(BEATS[10]) + lost_at
    push_all(front_end, SIGNAL_MV[:first])
    events = push_all(front_end, SIGNAL_MV[first + lost :], first=first + lost)
    windows = [event for event in events if isinstance(event, BeatWindow)]
    assert windows[0].r_index == pytest.approx(BEATS[10], abs=2)
    assert [window.quality.flaws for window in windows[:2]] == [flaws, ()]


def test_an_electrode_that_is_off_after_a_gap_is_off_and_nothing_is_bridged() -> None:
    front_end = FrontEnd()
    first = int(BEATS[10]) + 100  # a bridge would complete this beat's window
    push_all(front_end, SIGNAL_MV[:first])
    index = first + BRIDGED_SAMPLES
    events = push_all(front_end, np.zeros(OFF_SAMPLES), first=index, lead_off=True)
    assert events == [Interruption(index + OFF_SAMPLES - 1, "lead_off", 0)]


def test_a_window_that_ends_in_a_gap_behind_which_the_converter_is_at_its_end_is_saturated() -> (
    None
):
    front_end = FrontEnd()
    first = int(BEATS[10]) + 100
    push_all(front_end, SIGNAL_MV[:first])
    index = first + BRIDGED_SAMPLES
    events = front_end.push(Sample(index, float(SIGNAL_MV[index]), False, True))
    flaws = [event.quality.flaws for event in events if isinstance(event, BeatWindow)]
    assert flaws == [("saturated",)]


@pytest.mark.parametrize("lost", [1, 3, BRIDGED_SAMPLES])
@pytest.mark.parametrize("pulse_at", [-3, -1, 0])
def test_a_pacing_pulse_beside_a_gap_does_not_get_onto_the_bridge(pulse_at: int, lost: int) -> None:
    first = int(BEATS[10]) - 60
    paced_mv = SIGNAL_MV.copy()
    pulse = first + pulse_at + (lost if pulse_at >= 0 else 0)
    paced_mv[pulse : pulse + 3] += 700.0

    def largest_mv(signal_mv: np.ndarray) -> float:
        front_end = FrontEnd()
        push_all(front_end, signal_mv[:first])
        conditioned = []
        for index in range(first + lost, first + lost + 250):
            front_end.push(Sample(index, float(signal_mv[index]), False))
            conditioned.append(abs(front_end.conditioned_mv))
        return max(conditioned)

    assert largest_mv(paced_mv) == pytest.approx(largest_mv(SIGNAL_MV), rel=0.2)


@pytest.mark.parametrize("lost", [BRIDGED_SAMPLES + 1, 17, 50, 249])
def test_a_short_gap_costs_the_beats_whose_windows_it_spoils_and_no_more(lost: int) -> None:
    front_end = FrontEnd()
    first = 12 * 250
    push_all(front_end, SIGNAL_MV[:first])
    resume = first + lost
    events = push_all(front_end, SIGNAL_MV[resume:], first=resume)
    assert events[0] == Interruption(resume, "gap", lost)
    windows = [event.r_index for event in events if isinstance(event, BeatWindow)]
    whole = [r for r in BEATS if r - 70 >= resume and r + 105 <= len(SIGNAL_MV) - 2]
    assert windows == pytest.approx(whole, abs=1)


@pytest.mark.parametrize("lost", [250, 1000])
def test_a_long_gap_resets_the_chain_and_no_window_spans_it(lost: int) -> None:
    front_end = FrontEnd()
    push_all(front_end)
    resume = len(SIGNAL_MV) + lost
    events = push_all(front_end, first=resume)
    assert events[0] == Interruption(resume, "gap", lost)
    windows = [event for event in events if isinstance(event, BeatWindow)]
    assert windows
    assert all(window.r_index - 70 >= resume - 2 for window in windows)
    fresh = push_all(FrontEnd())
    assert [w.ecg_mv for w in windows] == [e.ecg_mv for e in fresh if isinstance(e, BeatWindow)]


def test_lead_off_is_said_once_and_silences_everything() -> None:
    front_end = FrontEnd()
    push_all(front_end)
    off = push_all(front_end, first=len(SIGNAL_MV), lead_off=True)
    interruption, *doubts = off
    assert interruption == Interruption(len(SIGNAL_MV) + OFF_SAMPLES - 1, "lead_off", 0)
    assert all(isinstance(doubt, LeadOffContradicted) for doubt in doubts)  # a heart beats on
    assert front_end.heart_rate_bpm is None
    back = push_all(front_end, first=2 * len(SIGNAL_MV))
    assert any(isinstance(event, BeatWindow) for event in back)


def test_a_flicker_of_the_lead_off_bits_costs_no_more_than_its_samples() -> None:
    front_end = FrontEnd()
    beats = [
        event
        for index, x in enumerate(SIGNAL_MV)
        for event in front_end.push(Sample(index, float(x), index % 100 < 2))
        if isinstance(event, BeatWindow)
    ]
    undisturbed = [event for event in push_all(FrontEnd()) if isinstance(event, BeatWindow)]
    assert len(beats) == len(undisturbed)
    assert sum(beat.quality.good for beat in beats) > 0.9 * len(beats)
    assert front_end.lead_off is False
    assert front_end.lead_off_flickers == len(SIGNAL_MV) // 100


def test_an_ecg_contradicts_lead_off_bits_that_are_always_set_and_an_open_input_does_not() -> None:
    said = [type(event) for event in push_all(FrontEnd(), lead_off=True)]
    assert said == [Interruption, LeadOffContradicted]
    noise_mv = np.random.default_rng(1).normal(0, 0.3, len(SIGNAL_MV))
    for nothing_mv in (noise_mv, 0 * noise_mv, np.sin(np.arange(len(SIGNAL_MV)) / 8)):
        front_end = FrontEnd()
        said = [type(event) for event in push_all(front_end, nothing_mv, lead_off=True)]
        assert front_end.lead_off
        assert said == [Interruption]


def test_a_gap_without_contact_is_nothing_new() -> None:
    front_end = FrontEnd()
    push_all(front_end, np.zeros(50), lead_off=True)
    assert front_end.push(Sample(100, 0.0, True)) == ()


@pytest.mark.parametrize(
    ("interruption", "may_differ"),
    [
        (Interruption(500, "lead_off", 0), True),
        (Interruption(500, "gap", 17), False),
        (Interruption(500, "gap", 18), True),
    ],
)
def test_only_lead_off_or_72_ms_without_samples_let_the_wearer_change(
    interruption: Interruption, may_differ: bool
) -> None:
    assert interruption.wearer_may_differ is may_differ


def test_unknown_lead_off_is_not_taken_for_lost_contact() -> None:
    events = push_all(FrontEnd(), lead_off=None)
    assert not any(isinstance(event, Interruption) for event in events)


def test_a_saturated_beat_is_flawed_and_the_next_is_not() -> None:
    front_end = FrontEnd()
    struck = int(BEATS[10]) + 50
    events = [
        event
        for index, x in enumerate(SIGNAL_MV)
        for event in front_end.push(Sample(index, float(x), False, index == struck))
    ]
    flawed = [e.r_index for e in events if isinstance(e, BeatWindow) and e.quality.flaws]
    assert flawed == pytest.approx([BEATS[10]], abs=1)


def test_an_index_that_goes_back_is_refused() -> None:
    front_end = FrontEnd()
    front_end.push(Sample(5, 0.0, None))
    with pytest.raises(ValueError, match="sample 5 came where 6 or later was expected"):
        front_end.push(Sample(5, 0.0, None))


def test_mains_of_55_hz_is_refused() -> None:
    with pytest.raises(ValueError, match="mains_hz: 55 is not one of 50, 60"):
        FrontEndOptions(mains_hz=55)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-400, 400), min_size=1, max_size=600), st.integers(0, 2**40))
def test_no_signal_breaks_the_chain_and_its_start_does_not_matter(
    signal_mv: list[float], first: int
) -> None:
    at_zero = push_all(FrontEnd(), np.array(signal_mv))
    later = push_all(FrontEnd(), np.array(signal_mv), first)
    assert [e.index + first for e in at_zero if isinstance(e, RPeak)] == [
        e.index for e in later if isinstance(e, RPeak)
    ]
