"""Closed-form heartbeats for the dsp tests: Gaussian P, QRS and T waves at known positions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 250.0

#: amplitude in mV, offset from the R peak in s, width in s
WAVES = (
    (0.12, -0.16, 0.020),
    (-0.10, -0.030, 0.008),
    (1.0, 0.0, 0.010),
    (-0.20, 0.030, 0.008),
    (0.25, 0.25, 0.040),
)


def ecg(
    r_positions: NDArray[np.int_] | list[int],
    count: int,
    waves: tuple[tuple[float, ...], ...] = WAVES,
) -> NDArray[np.float64]:
    """Return ``count`` samples in mV with a beat at each position."""
    time_s = np.arange(count) / RATE_HZ
    signal = np.zeros(count)
    for r in r_positions:
        for amplitude_mv, offset_s, width_s in waves:
            centre_s = r / RATE_HZ + offset_s
            signal += amplitude_mv * np.exp(-(((time_s - centre_s) / width_s) ** 2) / 2)
    return signal


def regular(bpm: float, seconds: float) -> NDArray[np.int_]:
    """Return the R positions of a steady rhythm."""
    return np.round(np.arange(0.5, seconds - 0.5, 60 / bpm) * RATE_HZ).astype(int)
