"""Interference is as strong as it was asked for, in the band where it lives."""

from __future__ import annotations

import numpy as np
import pytest

from drivers.waveforms.interference import Interference
from drivers.waveforms.options import InterferenceOptions


def first_minute(options: InterferenceOptions) -> np.ndarray:
    interference = Interference(options)
    return np.array([interference.at(sample) for sample in range(16_000)])


def share_between(signal: np.ndarray, low_hz: float, high_hz: float) -> float:
    power = np.abs(np.fft.rfft(signal - signal.mean())) ** 2
    frequency_hz = np.fft.rfftfreq(len(signal), 1 / 250)
    return float(power[(frequency_hz >= low_hz) & (frequency_hz <= high_hz)].sum() / power.sum())


def test_by_default_there_is_none() -> None:
    assert not first_minute(InterferenceOptions()).any()


def test_an_offset_is_constant() -> None:
    assert set(first_minute(InterferenceOptions(offset_mv=-120.0))) == {-120.0}


@pytest.mark.parametrize("mains_hz", [50.0, 50.3, 60.0])
def test_mains_is_a_sine_of_its_frequency_and_amplitude(mains_hz: float) -> None:
    hum = first_minute(InterferenceOptions(mains_mv=0.5, mains_hz=mains_hz))
    expected = 0.5 * np.sin(2 * np.pi * mains_hz * np.arange(len(hum)) / 250)
    np.testing.assert_allclose(hum, expected, atol=1e-9)


def test_wander_is_slow_and_muscle_fast() -> None:
    wander = first_minute(InterferenceOptions(wander_mv=0.2))
    muscle = first_minute(InterferenceOptions(muscle_mv=0.03))
    assert wander.std() == pytest.approx(0.2)
    assert muscle.std() == pytest.approx(0.03)
    assert share_between(wander, 0.05, 0.5) > 0.999
    assert share_between(muscle, 20, 100) > 0.999


def test_another_seed_is_other_noise() -> None:
    one, again, other = (
        first_minute(InterferenceOptions(muscle_mv=0.1, seed=seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(one, again)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.1


@pytest.mark.parametrize(
    ("field", "value"), [("mains_mv", -1.0), ("mains_hz", 16.7), ("muscle_mv", -0.1)]
)
def test_a_bad_option_is_named(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"^{field}: {value}"):
        InterferenceOptions(**{field: value})
