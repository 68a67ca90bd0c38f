"""The straight line through the same problem: Fisher's linear discriminant.

A network that learns from a few dozen hearts is led astray by what it happened to see; a linear
projection can hardly be. They err on different people, so both together know people better.

Source: R. A. Fisher, "The use of multiple measurements in taxonomic problems", 1936; for several
classes C. R. Rao, 1948.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

RIDGE = 0.5  # of the mean variance within persons, added to each: neighbouring samples are alike


def discriminant(
    beats: NDArray[Any], persons: NDArray[np.str_], outputs: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find the directions in which persons differ most, next to how one person's beats differ.

    Args:
        beats: normalised, shape (n, samples).
        persons: whose each is, shape (n,).
        outputs: directions to return; there are as many as persons less one, the rest is zero.

    Returns:
        Matrix (samples, outputs) and offset (outputs,): ``beats @ matrix + offset`` is centred, and
        its deviation within a person is about 1 in each direction.
    """
    names = np.unique(persons)
    of_each = [beats[persons == name].astype(np.float64) for name in names]
    means = np.stack([own.mean(axis=0) for own in of_each])
    within = np.mean([np.cov(own.T, bias=True) for own in of_each], axis=0)
    between = np.cov(means.T)
    within += RIDGE * within.diagonal().mean() * np.eye(len(within))
    matrix = eigh(between, within)[1][:, ::-1][:, :outputs]
    matrix[:, len(names) - 1 :] = 0
    return matrix, -means.mean(axis=0) @ matrix
