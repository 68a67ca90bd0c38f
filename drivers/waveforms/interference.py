"""What electrodes pick up besides the heart: half-cell offset, mains, wander and muscle."""

from __future__ import annotations

from math import pi, sin

import numpy as np
from numpy.typing import NDArray

from drivers.waveforms.noise import RATE_HZ, periodic_noise
from drivers.waveforms.options import InterferenceOptions

PERIOD_S = 64  # noise repeats after this
WANDER_BAND_HZ = (0.05, 0.5)
MUSCLE_BAND_HZ = (20.0, 100.0)


class Interference:
    """The sum of all kinds, as a function of the sample at 250 Hz."""

    def __init__(self, options: InterferenceOptions) -> None:
        self._options = options
        random = np.random.default_rng(options.seed)
        wander = options.wander_mv * _noise(WANDER_BAND_HZ, random)
        muscle = options.muscle_mv * _noise(MUSCLE_BAND_HZ, random)
        self._mv: list[float] = (options.offset_mv + wander + muscle).tolist()

    def at(self, sample: int) -> float:
        """Return the interference at a sample in mV."""
        options = self._options
        hum = options.mains_mv * sin(2 * pi * options.mains_hz / RATE_HZ * sample)
        return self._mv[sample % len(self._mv)] + hum


def _noise(band_hz: tuple[float, float], random: np.random.Generator) -> NDArray[np.float64]:
    """Return noise of unit power, flat inside the band and nothing outside."""
    low_hz, high_hz = band_hz
    return periodic_noise(
        lambda hz: ((hz >= low_hz) & (hz <= high_hz)).astype(np.float64), PERIOD_S, random
    )
