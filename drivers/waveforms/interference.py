"""What electrodes pick up besides the heart: half-cell offset, mains, wander and muscle."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sin

import numpy as np
from numpy.typing import NDArray

from drivers.waveforms.noise import RATE_HZ, periodic_noise

PERIOD_S = 64  # noise repeats after this
WANDER_BAND_HZ = (0.05, 0.5)
MUSCLE_BAND_HZ = (20.0, 100.0)


@dataclass(frozen=True, slots=True)
class InterferenceOptions:
    """How strong each kind is; all off by default.

    Attributes:
        offset_mv: constant difference between the electrodes' half-cell potentials.
        mains_mv: amplitude of the mains hum.
        mains_hz: its frequency; 50.3 is as possible as 50.
        wander_mv: standard deviation of the baseline's wander.
        muscle_mv: standard deviation of the muscles' noise.
        seed: another seed is other noise.
    """

    offset_mv: float = 0.0
    mains_mv: float = 0.0
    mains_hz: float = 50.0
    wander_mv: float = 0.0
    muscle_mv: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for field in ("mains_mv", "wander_mv", "muscle_mv"):
            if getattr(self, field) < 0:
                raise ValueError(f"{field}: {getattr(self, field)} is below 0")
        if not 45 <= self.mains_hz <= 65:
            raise ValueError(f"mains_hz: {self.mains_hz} is not within 45 and 65")


#: What wet electrodes on a person at rest pick up.
AT_REST = InterferenceOptions(offset_mv=12.0, mains_mv=0.02, wander_mv=0.05, muscle_mv=0.01)


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
