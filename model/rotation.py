"""Renewable templates: the whole space of embeddings turned by a secret, so that it can be changed.

A network whose embeddings are turned makes templates that only it can read: its cohort, its probes
and its templates are turned alike, so every cosine, score and decision stays what it was, to the
rounding of float32. Turned by another seed, a template is like a random direction: it neither
matches its person nor tells that two turned templates are of the same one.

What it does not hide: the angles among the templates of one gallery are those of the people's
embeddings, and whoever knows the seed can turn a template back.

Source: ISO/IEC 24745:2022 (renewability, unlinkability). The orthogonal matrix is uniform over all:
F. Mezzadri, "How to generate random matrices from the classical compact groups", Notices of the
AMS 54 (2007).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


class Rotation:
    """An orthogonal matrix (a rotation, perhaps with a reflection) that follows from a seed.

    Args:
        seed: 32 secret bytes.
        size: of the embeddings, d.
    """

    def __init__(self, seed: bytes, size: int) -> None:
        self._matrix = _orthogonal(seed, size)

    def turn(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn unit vectors, shape (..., d), float32."""
        return (embeddings @ self._matrix).astype(np.float32)

    def turn_back(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Undo ``turn``, to the rounding of float32."""
        return (embeddings @ self._matrix.T).astype(np.float32)


@lru_cache(maxsize=8)
def _orthogonal(seed: bytes, size: int) -> NDArray[np.float64]:
    """Return the matrix of a seed, today's and that of any later numpy.

    RandomState's stream is frozen (NEP 19), which default_rng's is not; QR with a positive diagonal
    of R is unique.
    """
    random = np.random.RandomState(np.frombuffer(seed, dtype="<u4"))
    q, r = np.linalg.qr(random.standard_normal((size, size)))
    matrix: NDArray[np.float64] = q * np.sign(np.diag(r))
    return matrix
