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
NOTHING_WIDTHS = 10  # from its centre, 1e-22 of a wave is left


def ecg(
    r_positions: NDArray[np.int_] | list[int],
    count: int,
    waves: tuple[tuple[float, ...], ...] = WAVES,
) -> NDArray[np.float64]:
    """Return ``count`` samples in mV with a beat at each position."""
    signal = np.zeros(count)
    for r in r_positions:
        for amplitude_mv, offset_s, width_s in waves:
            centre_s = r / RATE_HZ + offset_s
            reach_s = NOTHING_WIDTHS * width_s
            first, stop = (round((centre_s + sign * reach_s) * RATE_HZ) for sign in (-1, 1))
            near = np.arange(max(first, 0), min(stop, count))
            from_centre = (near / RATE_HZ - centre_s) / width_s
            signal[near] += amplitude_mv * np.exp(-(from_centre**2) / 2)
    return signal


def regular(bpm: float, seconds: float) -> NDArray[np.int_]:
    """Return the R positions of a steady rhythm."""
    return np.round(np.arange(0.5, seconds - 0.5, 60 / bpm) * RATE_HZ).astype(int)
