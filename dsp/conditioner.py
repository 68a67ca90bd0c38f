"""Causal conditioning of the raw ECG: baseline, mains and muscle noise are taken out.

Every consumer sees this one signal: the detector, the network in training and in service, and
the subscriber's plot. All three filters are causal, and their delay is part of the contract.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from dsp.biquads import Cascade

HIGHPASS_HZ = 0.5  # first order: takes out wander, leaves the ST segment its shape
NOTCH_Q = 8.0  # wide enough for a grid at 50.4 Hz, which Q = 30 misses
LOWPASS_HZ = 40.0  # second order: keeps the QRS's corners, drops most muscle noise


@lru_cache
def conditioning_sections(mains_hz: int, rate_hz: float) -> tuple[tuple[float, ...], ...]:
    """Return the filters as second-order sections: high-pass, notch, low-pass."""
    from scipy import signal  # takes a second to import, and few commands filter anything

    highpass = signal.butter(1, HIGHPASS_HZ, "highpass", fs=rate_hz, output="sos")
    notch = signal.tf2sos(*signal.iirnotch(mains_hz, NOTCH_Q, fs=rate_hz))
    lowpass = signal.butter(2, LOWPASS_HZ, "lowpass", fs=rate_hz, output="sos")
    return tuple(tuple(map(float, row)) for row in np.vstack([highpass, notch, lowpass]))


def conditioning_delay(mains_hz: int, rate_hz: float) -> int:
    """Return by how many samples conditioning delays a QRS: its mean group delay at 8 to 20 Hz."""
    from scipy import signal

    sos = np.asarray(conditioning_sections(mains_hz, rate_hz))
    frequencies_hz = np.linspace(7.5, 20.5, 105)
    response = signal.sosfreqz(sos, frequencies_hz, fs=rate_hz)[1]
    phase_rad = np.unwrap(np.angle(response))
    delay_s = -np.diff(phase_rad) / np.diff(frequencies_hz) / (2 * np.pi)
    return round(float(delay_s.mean()) * rate_hz)


class Conditioner:
    """The filters in service, one sample in and one sample out, in mV."""

    def __init__(self, mains_hz: int, rate_hz: float) -> None:
        self._filters = Cascade(conditioning_sections(mains_hz, rate_hz))
        self.push = self._filters.push
