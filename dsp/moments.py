"""Mean, deviation and span of a beat's samples, to the last bit as numpy has them.

numpy's own take several times as long for so few numbers, most of it for arguments nobody gives.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def mean(values: Array) -> float:
    """Return the mean."""
    return float(np.add.reduce(values)) / len(values)


def deviation(values: Array) -> float:
    """Return the standard deviation from the mean."""
    about_mean = values - mean(values)
    return sqrt(mean(about_mean * about_mean))


def span(values: Array) -> float:
    """Return how far the largest is above the smallest."""
    return float(np.maximum.reduce(values) - np.minimum.reduce(values))
