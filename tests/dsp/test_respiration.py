"""Breathing of known rate is found in each wave and in all together; noise has no rate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from drivers.waveforms.hearts import Heart, draw_anatomy
from dsp.front_end import FrontEnd
from dsp.respiration import (
    UNKNOWN,
    WINDOW_S,
    Breathing,
    Marks,
    Respiration,
    marks_of_beats,
    respiration,
    wave,
)
from dsp.rr_correction import RrSeries
from dsp.signals import RPeak, Sample

NO_MARKS = Marks(np.empty(0), np.empty(0))
MINUTES = (70, 110, 150)
SECONDS = MINUTES[-1]


def chest(rate_per_min: float, noise: float = 0.0, seed: int = 1) -> Marks:
    time_s = np.arange(0, SECONDS, 0.1)
    values = np.sin(2 * np.pi * rate_per_min / 60 * time_s)
    return Marks(time_s, values + np.random.default_rng(seed).normal(0, noise, len(time_s)))


def alone(marks: Marks, until_s: float = 100.0) -> Breathing:
    return respiration(marks, NO_MARKS, NO_MARKS, until_s).impedance


@pytest.mark.parametrize("rate_per_min", [7, 12.5, 20, 33, 40])
def test_the_rate_of_a_sine(rate_per_min: float) -> None:
    found = alone(chest(rate_per_min, noise=0.3))
    assert found.rate_per_min == pytest.approx(rate_per_min, abs=0.3)
    assert found.quality is not None
    assert found.quality > 0.9


def test_noise_has_no_rate() -> None:
    told = [alone(noise(seed)).rate_per_min for seed in range(100)]
    assert sum(rate is not None for rate in told) <= 1


def noise(seed: int) -> Marks:
    time_s = np.arange(0.0, SECONDS, 0.1)
    return Marks(time_s, np.random.default_rng(seed).normal(size=len(time_s)))


def test_what_does_not_move_is_not_known() -> None:
    assert alone(Marks(chest(15).time_s, np.ones(SECONDS * 10))) == UNKNOWN


def test_seconds_without_a_value_leave_the_minute_unknown() -> None:
    whole = chest(15)
    measured = (whole.time_s < 60) | (whole.time_s > 68)
    gap = Marks(whole.time_s[measured], whole.values[measured])
    assert alone(gap) == UNKNOWN
    assert wave(gap, 140.0) is not None  # the minute after it


def test_a_movement_does_not_drown_the_breath() -> None:
    moved = chest(15)
    moved.values[700:710] = 50
    assert alone(moved).rate_per_min == pytest.approx(15, abs=0.5)


def breathing_of(heart: Heart, seed: int, *, channel_1: bool) -> list[Respiration]:
    """Return what is found in a heart with muscle noise and a chest with noise of a fifth."""
    random = np.random.default_rng(seed)
    ecg_mv = heart.ecg_mv[: SECONDS * 250] + random.normal(0, 0.02, SECONDS * 250)
    front_end = FrontEnd()
    events = [e for i, mv in enumerate(ecg_mv) for e in front_end.push(Sample(i, float(mv), None))]
    peaks = sorted((e.index, e.amplitude_mv) for e in events if isinstance(e, RPeak))
    r_s, r_mv = np.array([index for index, _ in peaks]) / 250, np.array([mv for _, mv in peaks])
    series = RrSeries.of_beats(r_s, np.zeros(len(r_s), dtype=bool))
    chest_mv = heart.respiration_mv[: SECONDS * 250].reshape(-1, 25).mean(axis=1)
    time_s = np.arange(len(chest_mv)) / 10 + 0.05
    impedance = Marks(time_s, chest_mv + random.normal(0, 0.01, len(chest_mv)))
    marks = marks_of_beats(r_s, r_mv, series)
    return [respiration(impedance if channel_1 else None, *marks, until) for until in MINUTES]


def breaths_per_min(heart: Heart, until_s: int) -> float:
    """Count the breaths by how often the chest passes its middle, upwards."""
    moved = heart.respiration_mv[round((until_s - WINDOW_S) * 250) : until_s * 250]
    upwards = np.flatnonzero(np.diff(np.sign(moved - moved.mean())) > 0)
    return float(60 * (len(upwards) - 1) / ((upwards[-1] - upwards[0]) / 250))


@pytest.mark.parametrize("channel_1", [True, False])
def test_the_breathing_of_synthetic_hearts_is_found(channel_1: bool) -> None:
    errors, known = [], 0
    for seed, breathing_hz in enumerate((0.15, 0.2, 0.25, 0.3, 0.36)):
        anatomy = replace(draw_anatomy(np.random.default_rng(seed)), breathing_hz=breathing_hz)
        heart = Heart(seed, anatomy)
        for found, until in zip(
            breathing_of(heart, seed, channel_1=channel_1), MINUTES, strict=True
        ):
            assert (found.impedance == UNKNOWN) == (not channel_1)
            if found.fused.rate_per_min is not None:
                known += 1
                errors.append(abs(found.fused.rate_per_min - breaths_per_min(heart, until)))
    median, worst = np.median(errors), max(errors)
    print(f"off by {median:.2f} a minute in the median, {worst:.2f} at most, of {known} minutes")
    assert known >= 13
    assert median < 1


def test_the_flank_of_what_is_too_slow_is_no_breath() -> None:
    assert alone(chest(4)) == Breathing(None, 0.0)
