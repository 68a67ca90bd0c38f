"""Designs the filters of the signal chain, by the bilinear transform of their analog forms.

They are those of ``scipy.signal``, which takes a second of a fast computer to import, and 65 MB.
Corner frequencies are warped beforehand, so that they come out where they are asked for.
"""

from __future__ import annotations

import cmath
from collections.abc import Sequence
from math import cos, pi, sqrt, tan
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: A second-order section: ``b0 b1 b2 a0 a1 a2``, with ``a0 = 1``.
Section: TypeAlias = tuple[float, float, float, float, float, float]


def high_pass(corner_hz: float, rate_hz: float) -> Section:
    """Return a high-pass of first order."""
    corner = tan(pi * corner_hz / rate_hz)
    gain = 1 / (1 + corner)
    return gain, -gain, 0.0, 1.0, (corner - 1) * gain, 0.0


def low_pass(corner_hz: float, rate_hz: float) -> Section:
    """Return a Butterworth low-pass of second order."""
    corner = tan(pi * corner_hz / rate_hz)
    gain = 1 / (1 + sqrt(2) * corner + corner**2)
    b = corner**2 * gain
    return b, 2 * b, b, 1.0, 2 * (corner**2 - 1) * gain, (1 - sqrt(2) * corner + corner**2) * gain


def notch(centre_hz: float, q: float, rate_hz: float) -> Section:
    """Return a notch that is ``centre_hz / q`` wide where it is 3 dB deep."""
    centre_rad = 2 * pi * centre_hz / rate_hz
    gain = 1 / (1 + tan(centre_rad / q / 2))
    middle = -2 * cos(centre_rad) * gain
    return gain, middle, gain, 1.0, middle, 2 * gain - 1


def band_pass(band_hz: tuple[float, float], rate_hz: float) -> tuple[Section, Section]:
    """Return a Butterworth band-pass of second order: two poles at either side of the band."""
    low, high = (tan(pi * corner_hz / rate_hz) for corner_hz in band_hz)
    middle = cmath.exp(0.75j * pi) * (high - low) / 2  # of the two that a low-pass's pole becomes
    apart = cmath.sqrt(middle**2 - low * high)
    lower, upper = sorted((middle - apart, middle + apart), key=abs)
    b = ((high - low) / abs((1 - lower) * (1 - upper))) ** 2
    return (b, 2 * b, b, *_poles(upper)), (1.0, -2.0, 1.0, *_poles(lower))


def _poles(analog: complex) -> tuple[float, float, float]:
    """Return ``a0 a1 a2`` of an analog pole and its mirror image."""
    pole = (1 + analog) / (1 - analog)
    return 1.0, -2 * pole.real, abs(pole) ** 2


def response(
    sections: Sequence[Section], frequencies_hz: ArrayLike, rate_hz: float
) -> NDArray[np.complex128]:
    """Return what becomes of sines: the gain, and the phase, at each frequency."""
    back = np.exp(-2j * np.pi * np.asarray(frequencies_hz) / rate_hz)  # by one sample
    parts = [np.polyval(each[2::-1], back) / np.polyval(each[:2:-1], back) for each in sections]
    return np.asarray(np.prod(parts, axis=0))
