"""Seeded noise with a given spectrum, which repeats without a seam."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 250.0


def periodic_noise(
    amplitude: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    period_s: int,
    random: np.random.Generator,
) -> NDArray[np.float64]:
    """Return one period of noise of unit power, at 250 Hz, with phases drawn at random.

    ``amplitude`` tells the relative amplitude at frequencies in Hz.
    """
    samples = int(period_s * RATE_HZ)
    frequency_hz = np.fft.rfftfreq(samples, 1 / RATE_HZ)
    phase = random.uniform(0, 2 * np.pi, len(frequency_hz))
    noise = np.fft.irfft(amplitude(frequency_hz) * np.exp(1j * phase), samples)
    return np.asarray(noise / noise.std(), dtype=np.float64)
