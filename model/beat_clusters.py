"""The shapes of a wearer's beats so far, each with its running mean: which is the usual one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsp.segmenter import BEFORE_R, WINDOW_SAMPLES

CLUSTERS = 6
ALIKE = 0.92  # correlation from which on a beat is one of a cluster's
USUAL = 0  # in the place of the usual shape's number
MEMORY_BEATS = 128  # how far back beats are counted
EARLY_WEIGHT = 0.2  # of an early beat, where the usual shape is looked for
LEAST_GAIN = 0.05  # of a beat on its cluster's mean, once there are many
#: Where shapes are compared: the QRS and the ST segment, from 120 ms before R to 240 ms after.
COMPARED = slice(BEFORE_R - 30, BEFORE_R + 60)
TINY = 1e-12  # to divide by, instead of 0

Array = NDArray[np.float64]


class BeatClusters:
    """Counts beats of at most six shapes; a new shape takes the place of the rarest.

    The usual shape is that of most beats, of which early ones hardly count: ectopic beats come
    early, and may be more than a third of all, and more alike than the normal ones.

    Attributes:
        means_mv: the running mean of each shape, shape (6, 175); zeros where there is none.
        counts: how many beats of each there were lately, older ones counting less, shape (6,).
    """

    def __init__(self) -> None:
        self.means_mv = np.zeros((CLUSTERS, WINDOW_SAMPLES))
        self.counts = np.zeros(CLUSTERS)
        self._weights = np.zeros(CLUSTERS)
        self._numbers = [USUAL] * CLUSTERS
        self._shapes = 0  # that there have been

    @property
    def usual_mv(self) -> Array:
        """The mean of the usual shape."""
        usual: Array = self.means_mv[np.argmax(self._weights)]
        return usual

    def take(self, window_mv: Array, *, early: bool = False) -> tuple[float, float, int]:
        """Count a beat, shape (175,), which may have come early.

        Returns:
            Its correlation with the likest shape there was, 0 if there was none; the part that its
            own shape now has of all beats, 0 to 1; and this shape's number, which no other shape
            will ever have, or ``USUAL``.
        """
        likeness = correlations(self.means_mv[:, COMPARED], window_mv[COMPARED])
        own = int(np.argmax(likeness))
        likest = float(likeness[own])
        self.counts *= 1 - 1 / MEMORY_BEATS
        self._weights *= 1 - 1 / MEMORY_BEATS
        if likest < ALIKE:
            own = int(np.argmin(self.counts))
            self.counts[own] = self._weights[own] = 0.0
            self._shapes += 1
            self._numbers[own] = self._shapes
        self.counts[own] += 1
        self._weights[own] += EARLY_WEIGHT if early else 1
        gain = max(LEAST_GAIN, 1 / self.counts[own])
        self.means_mv[own] += min(gain, 1.0) * (window_mv - self.means_mv[own])
        number = USUAL if own == np.argmax(self._weights) else self._numbers[own]
        return likest, float(self.counts[own] / self.counts.sum()), number


def correlations(rows: Array, shape: Array) -> Array:
    """Return each row's correlation with a shape; 0 where one of the two is flat."""
    rows = rows - rows.sum(axis=1, keepdims=True) / len(shape)
    shape = shape - shape.sum() / len(shape)
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows) * (shape @ shape))
    likeness: Array = rows @ shape / np.maximum(lengths, TINY)
    return likeness
