"""What the conditioning lets through, measured on sines and held against the filters' theory."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import hilbert

from dsp.conditioner import Conditioner, conditioning_delay

RATE_HZ = 250.0


def gain_at(frequency_hz: float, mains_hz: int = 50) -> float:
    """Return the amplitude that a sine of 1 mV has left after settling."""
    conditioner = Conditioner(mains_hz, RATE_HZ)
    time_s = np.arange(5000) / RATE_HZ
    out = np.array([conditioner.push(x) for x in np.sin(2 * np.pi * frequency_hz * time_s)])
    settled, phasor = out[2500:], np.exp(-2j * np.pi * frequency_hz * time_s[2500:])
    return float(2 * abs(np.mean(settled * phasor)))


def test_the_corner_frequencies_are_3_db_down() -> None:
    assert gain_at(0.5) == pytest.approx(2**-0.5, abs=0.02)
    # at 40 Hz the skirt of the 50 Hz notch adds to the low-pass: alone that has 2 ** -0.5
    assert gain_at(40, mains_hz=60) == pytest.approx(2**-0.5, abs=0.05)


@pytest.mark.parametrize("frequency_hz", [5, 10, 15])
def test_the_qrs_passes_unharmed(frequency_hz: float) -> None:
    assert gain_at(frequency_hz) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("mains_hz", [50, 60])
def test_mains_is_taken_out_even_when_the_grid_is_off_by_0_4_hz(mains_hz: int) -> None:
    assert gain_at(mains_hz, mains_hz) < 0.002
    assert gain_at(mains_hz + 0.4, mains_hz) < 0.1


@pytest.mark.parametrize("mains_hz", [50, 60])
def test_the_stated_delay_is_the_delay_of_a_qrs(mains_hz: int) -> None:
    conditioner = Conditioner(mains_hz, RATE_HZ)
    place = np.arange(500) - 250
    qrs = np.cos(2 * np.pi * 12 * place / RATE_HZ) * np.exp(-((place / 10) ** 2) / 2)
    envelope = np.abs(hilbert([conditioner.push(x) for x in qrs]))
    assert int(np.argmax(envelope)) - 250 == conditioning_delay(mains_hz, RATE_HZ)
