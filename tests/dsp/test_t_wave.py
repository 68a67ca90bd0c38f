"""A heart's T wave is one; what a knock, a shock or a discharge leaves behind is none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import find_peaks

from drivers.waveforms.hearts import Heart
from dsp.conditioner import Conditioner
from dsp.segmenter import BEFORE_R, WINDOW_SAMPLES
from dsp.t_wave import has_t_wave
from tests.dsp.heartbeats import WAVES, ecg

Signal = NDArray[np.float64]
EVENTS = 8


def mean_beat(event: Callable[[Signal], Signal], rr_s: float) -> Signal:
    """Return what the chain cuts out of an event that comes again and again, around its R."""
    period = round(250 * rr_s)
    time_s = np.arange(EVENTS * period) / 250
    raw_mv = sum(event(time_s - number * period / 250) for number in range(1, EVENTS))
    push = Conditioner(50, 250.0).push
    conditioned = np.array([push(mv) for mv in np.asarray(raw_mv).tolist()])
    at = (EVENTS - 2) * period
    r = at - 10 + int(np.argmax(np.abs(conditioned[at - 10 : at + 30])))
    return conditioned[r - BEFORE_R : r - BEFORE_R + WINDOW_SAMPLES]


def knock(hz: float, decay_s: float) -> Callable[[Signal], Signal]:
    return lambda s: np.exp(-np.maximum(s, 0) / decay_s) * np.sin(2 * np.pi * hz * np.maximum(s, 0))


@pytest.mark.parametrize(
    ("decay_s", "rr_s"),
    [(0.04, 0.3), (0.04, 0.38), (0.04, 0.5), (0.04, 0.9), (0.07, 0.5), (0.07, 0.9)],
)
@pytest.mark.parametrize("hz", [3.0, 4.3, 5.0, 6.0, 7.5, 10.0, 14.0, 20.0])
def test_a_knock_rings_on_and_has_no_t_wave(hz: float, decay_s: float, rr_s: float) -> None:
    assert not has_t_wave(mean_beat(knock(hz, decay_s), rr_s), rr_s)


@pytest.mark.parametrize("rr_s", [0.38, 0.5, 0.9])
@pytest.mark.parametrize("decay_s", [0.05, 0.07, 0.1])
def test_a_discharge_dies_away_and_has_no_t_wave(decay_s: float, rr_s: float) -> None:
    def discharge(s: Signal) -> Signal:
        return np.where(s >= 0, np.exp(-np.maximum(s, 0) / decay_s), 0.0)

    assert not has_t_wave(mean_beat(discharge, rr_s), rr_s)


@pytest.mark.parametrize("rr_s", [0.5, 0.9, 1.3])
@pytest.mark.parametrize("t_mv", [-0.3, -0.05, 0.05, 0.25, 0.5])
def test_a_heart_has_one_be_it_small_or_upside_down(t_mv: float, rr_s: float) -> None:
    waves = (*WAVES[:4], (t_mv, 0.25, 0.04))
    assert has_t_wave(mean_beat(lambda s: ecg([250], 700, waves)[_at(s)], rr_s), rr_s)


@pytest.mark.parametrize("rr_s", [0.3, 0.35, 0.4, 0.45])
def test_a_fast_heart_has_one_that_comes_sooner(rr_s: float) -> None:
    waves = (*WAVES[:4], (0.25, 0.14 + 0.15 * (rr_s - 0.3), 0.03))
    assert has_t_wave(mean_beat(lambda s: ecg([250], 700, waves)[_at(s)], rr_s), rr_s)


@pytest.mark.parametrize("number", [3, 7, 10, 11])
def test_a_heart_whose_electrodes_are_swapped_has_one(number: int) -> None:
    ecg_mv = -Heart(number).ecg_mv
    push = Conditioner(50, 250.0).push
    conditioned = np.array([push(mv) for mv in ecg_mv[:5000].tolist()])
    r_peaks = find_peaks(conditioned, height=0.6 * conditioned[500:].max(), distance=100)[0][3:-3]
    windows = [conditioned[r - BEFORE_R : r - BEFORE_R + WINDOW_SAMPLES] for r in r_peaks]
    assert has_t_wave(np.mean(windows, axis=0), float(np.diff(r_peaks).mean()) / 250)


def _at(seconds: Signal) -> NDArray[np.int_]:
    """Return the samples that lie so many seconds from one second on, as far as there are any."""
    return np.clip(np.rint(250 * seconds) + 250, 0, 699).astype(int)
