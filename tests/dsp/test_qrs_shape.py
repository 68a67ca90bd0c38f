"""What is no heartbeat gives no good beat, and hearts of every rate do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.waveforms.hearts import Heart
from dsp.front_end import FrontEnd
from dsp.signals import BeatWindow, Sample
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
        for event in front_end.push(Sample(index, index / 250, ecg_mv, None))
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


@pytest.mark.parametrize("bpm", [45, 72, 120, 160, 200])
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
