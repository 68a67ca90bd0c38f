"""From beat windows to the network's input tensor."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Name of this normalisation in passports.
NORMALISATION = "z-score per beat"


def normalise(windows_mv: ArrayLike) -> NDArray[np.float32]:
    """Give every beat a mean of 0 and a standard deviation of 1; a flat beat becomes zeros.

    The amplitude depends on the skin and the electrodes more than on the heart, so it goes.

    Args:
        windows_mv: conditioned beats in mV, shape (n, samples).

    Returns:
        The same shape in float32, without unit.
    """
    windows = np.asarray(windows_mv, dtype=np.float64)
    centred = windows - windows.mean(axis=1, keepdims=True)
    deviation = centred.std(axis=1, keepdims=True)
    scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 1e-9)
    normalised: NDArray[np.float32] = (centred * scale).astype(np.float32)
    return normalised
