"""What is no heartbeat gives no good beat, and hearts of every rate do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.waveforms.hearts import Heart
from dsp.front_end import FrontEnd
from dsp.signals import BeatWindow, Sample
from tests.dsp.heartbeats import WAVES as WAVES_OF_A_BEAT
from tests.dsp.heartbeats import ecg, regular

SECONDS = 30
TIME_S = np.arange(SECONDS * 250) / 250
ENOUGH = 10  # good beats by which somebody may be enrolled from a recording

Signal = NDArray[np.float64]


def good_beats(signal_mv: Signal) -> tuple[int, int]:
    """Return how many of the beats that the chain found are good, and how many it found."""
    front_end = FrontEnd()
    beats = [
        event.quality.good
        for index, ecg_mv in enumerate(signal_mv.tolist())
        for event in front_end.push(Sample(index, ecg_mv, None))
        if isinstance(event, BeatWindow)
    ]
    return sum(beats), len(beats)


def wandering(hz: float, seed: int = 0) -> Signal:
    """Return the phase, in turns, of an oscillation that is not quite steady."""
    turns: Signal = hz * TIME_S + 0.05 * np.cumsum(
        np.random.default_rng(seed).normal(0, 0.05, len(TIME_S))
    )
    return turns


def square(turns: Signal) -> Signal:
    return np.asarray(np.sign(np.sin(2 * np.pi * turns)))


WAVES: dict[str, Callable[[float], Signal]] = {
    "sine": lambda hz: np.sin(2 * np.pi * wandering(hz)),
    "triangle": lambda hz: 2 * np.abs(2 * (wandering(hz) % 1) - 1) - 1,
    "square": lambda hz: square(wandering(hz)),
    "saw": lambda hz: 2 * (wandering(hz) % 1) - 1,
    "swelling": lambda hz: np.sin(2 * np.pi * wandering(hz)) * (1 + 0.9 * np.sin(8 * TIME_S)),
}


@pytest.mark.parametrize("hz", [2.5, 4.0, 5.0, 6.5, 8.0, 10.0, 12.0])
@pytest.mark.parametrize("wave", WAVES)
def test_an_oscillation_has_no_qrs(wave: str, hz: float) -> None:
    noise = np.random.default_rng(1).normal(0, 0.005, len(TIME_S))
    assert good_beats(0.3 * WAVES[wave](hz) + noise)[0] < ENOUGH


def test_the_chips_own_test_signal_has_no_qrs() -> None:
    noise = np.random.default_rng(1).normal(0, 0.002, len(TIME_S))
    assert good_beats(square(TIME_S * 0.999) + noise)[0] < ENOUGH


@pytest.mark.parametrize("f0_f1", [(1, 12), (12, 1), (4, 8), (0.5, 30)])
def test_a_chirp_has_no_qrs(f0_f1: tuple[float, float]) -> None:
    low, high = f0_f1
    turns = low * TIME_S + (high - low) * TIME_S**2 / (2 * SECONDS)
    assert good_beats(0.3 * np.sin(2 * np.pi * turns))[0] < ENOUGH


@pytest.mark.parametrize("spike_mv", [0.3, 1.0, 3.0])
def test_spikes_without_a_heart_have_no_qrs(spike_mv: float) -> None:
    rng = np.random.default_rng(2)
    signal = rng.normal(0, 0.002, len(TIME_S))
    for at in np.cumsum(rng.normal(210, 6, 34).astype(int)):
        signal[at : at + 2] += spike_mv
    assert good_beats(signal)[0] < ENOUGH


def again_and_again(event: Callable[[Signal], Signal], rate_hz: float, jitter: float = 8) -> Signal:
    """Return an event of 0.3 s that comes about so often, one like the other but for noise."""
    rng = np.random.default_rng(3)
    signal = rng.normal(0, 0.004, len(TIME_S))
    shape = event(np.arange(-75, 75) / 250)
    for at in np.cumsum(rng.normal(250 / rate_hz, jitter, len(TIME_S)).astype(int)):
        if 75 <= at < len(TIME_S) - 75:
            signal[at - 75 : at + 75] += shape
    return signal


PULSES: dict[str, Callable[[Signal, float], Signal]] = {
    "rectangle": lambda s, length_s: np.where(np.abs(s) < length_s / 2, 1.0, 0.0),
    "half sine": lambda s, length_s: np.cos(np.pi * np.clip(s / length_s, -0.5, 0.5)),
    "bell": lambda s, length_s: np.exp(-((2.35 * s / length_s) ** 2) / 2),
    "bell downwards": lambda s, length_s: -np.exp(-((2.35 * s / length_s) ** 2) / 2),
}


@pytest.mark.parametrize("rate_hz", [1.0, 1.7])
@pytest.mark.parametrize("length_s", [0.02, 0.05, 0.1, 0.2])
@pytest.mark.parametrize("pulse", PULSES)
def test_a_pulse_is_followed_by_no_t_wave(pulse: str, length_s: float, rate_hz: float) -> None:
    signal = again_and_again(lambda s: PULSES[pulse](s, length_s), rate_hz)
    assert good_beats(signal)[0] < ENOUGH


@pytest.mark.parametrize("decay_s", [0.05, 0.07, 0.1])
@pytest.mark.parametrize("hz", [5.0, 7.0, 10.0, 14.0, 25.0])
def test_a_knock_that_rings_is_followed_by_no_t_wave(hz: float, decay_s: float) -> None:
    def knock(s: Signal) -> Signal:
        return np.exp(-np.maximum(s, 0) / decay_s) * np.sin(2 * np.pi * hz * np.maximum(s, 0))

    assert good_beats(again_and_again(knock, 1.2))[0] < ENOUGH


@pytest.mark.parametrize("rate_hz", [2.6, 4.0, 5.0, 5.6])
@pytest.mark.parametrize("hz", [6.0, 14.0])
def test_knocks_as_often_as_a_fast_heart_beats_or_twice_are_none(hz: float, rate_hz: float) -> None:
    def knock(s: Signal) -> Signal:
        return np.exp(-np.maximum(s, 0) / 0.04) * np.sin(2 * np.pi * hz * np.maximum(s, 0))

    assert good_beats(again_and_again(knock, rate_hz, jitter=1))[0] < ENOUGH


@pytest.mark.parametrize("length_s", [0.1, 0.16, 0.24])
@pytest.mark.parametrize("hz", [7.0, 9.0, 11.0, 15.0])
def test_a_burst_is_followed_by_no_t_wave(hz: float, length_s: float) -> None:
    def burst(s: Signal) -> Signal:
        envelope = np.cos(np.pi * np.clip(s / length_s, -0.5, 0.5)) ** 2
        return np.asarray(envelope * np.sin(2 * np.pi * hz * s + 0.5))

    assert good_beats(again_and_again(burst, 1.2))[0] < ENOUGH


@pytest.mark.parametrize(("t_mv", "most_good"), [(0.0, 1), (0.002, 1), (0.05, SECONDS * 2)])
def test_a_qrs_without_a_t_wave_is_no_good_beat(t_mv: float, most_good: int) -> None:
    waves = (*WAVES_OF_A_BEAT[1:4], (t_mv, 0.25, 0.04))
    noise = np.random.default_rng(4).normal(0, 0.004, len(TIME_S))
    good, beats = good_beats(ecg(regular(70, SECONDS), len(TIME_S), waves) + noise)
    assert min(0.95 * beats, most_good) <= good <= most_good  # a first beat tells nothing


@pytest.mark.parametrize("bpm", [45, 72, 100, 120, 130, 140, 160, 180, 200])
def test_hearts_of_every_rate_have_a_qrs(bpm: int) -> None:
    rng = np.random.default_rng(bpm)
    good, beats = good_beats(
        ecg(regular(bpm, SECONDS), len(TIME_S)) + rng.normal(0, 0.004, len(TIME_S))
    )
    assert good >= beats - 1  # the first may have come before the filters had settled
    assert beats > 0.8 * SECONDS * bpm / 60


@pytest.mark.parametrize("seed", range(8))
def test_generated_hearts_have_a_qrs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    good, beats = good_beats(Heart(seed).ecg_mv[: len(TIME_S)] + rng.normal(0, 0.01, len(TIME_S)))
    assert good > 0.95 * beats > 20
