"""How much mains hum an ECG carries, and which grid it is of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: The grid may be off by 0.2 Hz, and the chip's oscillator by 1.5 %.
SEARCHED_HZ = 1.0
STEP_HZ = 0.05

GRIDS_HZ = (50, 60)
#: Hum that is weaker, or not so many times that of the other grid, may be the heart's own.
TELLING_MV = 0.01
TELLING_RATIO = 3.0


def hum_mv(ecg_mv: NDArray[np.float64], time_s: NDArray[np.float64], mains_hz: float) -> float:
    """Return the amplitude of the strongest line within 1 Hz of the mains, in mV.

    Args:
        ecg_mv: samples as they come from the electrodes, unfiltered, shape (n,); 5 s or more.
        time_s: when each was taken, shape (n,); samples may be missing.
        mains_hz: 50 or 60.
    """
    place = (time_s - time_s[0]) / (time_s[-1] - time_s[0])
    weights = np.sin(np.pi * place) ** 2  # Hann's, so that the baseline does not leak
    frequencies_hz = mains_hz + np.arange(-SEARCHED_HZ, SEARCHED_HZ + STEP_HZ / 2, STEP_HZ)
    waves = np.exp(-2j * np.pi * np.outer(frequencies_hz, time_s))
    lines = 2 * np.abs(waves @ (weights * (ecg_mv - ecg_mv.mean()))) / weights.sum()
    return float(lines.max())


def telling(stronger_mv: float, weaker_mv: float) -> bool:
    """Tell whether the hum of one grid is so much stronger that it must be the grid here."""
    return stronger_mv >= max(TELLING_MV, TELLING_RATIO * weaker_mv)
