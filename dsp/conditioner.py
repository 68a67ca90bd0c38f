"""Causal conditioning of the raw ECG: baseline, mains and muscle noise are taken out.

Every consumer sees this one signal: the detector, the network in training and in service, and
the subscriber's plot. All three filters are causal, and their delay is part of the contract.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from dsp.biquads import Cascade
from dsp.filter_design import Section, high_pass, low_pass, notch, response

HIGHPASS_HZ = 0.5  # first order: takes out wander, leaves the ST segment its shape
NOTCH_Q = 8.0  # wide enough for a grid at 50.4 Hz, which Q = 30 misses
LOWPASS_HZ = 40.0  # second order: keeps the QRS's corners, drops most muscle noise


def conditioning_sections(mains_hz: int, rate_hz: float) -> tuple[Section, ...]:
    """Return the filters as second-order sections: high-pass, notch, low-pass."""
    return (
        high_pass(HIGHPASS_HZ, rate_hz),
        notch(mains_hz, NOTCH_Q, rate_hz),
        low_pass(LOWPASS_HZ, rate_hz),
    )


@lru_cache
def conditioning_delay(mains_hz: int, rate_hz: float) -> int:
    """Return by how many samples conditioning delays a QRS: its mean group delay at 8 to 20 Hz."""
    frequencies_hz = np.linspace(7.5, 20.5, 105)
    passed = response(conditioning_sections(mains_hz, rate_hz), frequencies_hz, rate_hz)
    phase_rad = np.unwrap(np.angle(passed))
    delay_s = -np.diff(phase_rad) / np.diff(frequencies_hz) / (2 * np.pi)
    return round(float(delay_s.mean()) * rate_hz)


class Conditioner:
    """The filters in service, one sample in and one sample out, in mV."""

    def __init__(self, mains_hz: int, rate_hz: float) -> None:
        self._filters = Cascade(conditioning_sections(mains_hz, rate_hz))
        self.push = self._filters.push
