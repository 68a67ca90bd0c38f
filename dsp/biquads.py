"""Second-order filter sections that take one sample at a time.

scipy designs the filters; plain Python runs them, because a call into scipy for a single sample
costs tens of times more than the five multiplications of a section.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class Biquad:
    """One section in transposed direct form II: the form whose state is only two numbers.

    Args:
        section: ``b0 b1 b2 a0 a1 a2`` with ``a0 = 1``, a row of scipy's second-order sections.
    """

    __slots__ = ("_a1", "_a2", "_b0", "_b1", "_b2", "_s1", "_s2")

    def __init__(self, section: Sequence[float]) -> None:
        self._b0, self._b1, self._b2, _, self._a1, self._a2 = (float(c) for c in section)
        self._s1 = self._s2 = 0.0

    def push(self, x: float) -> float:
        """Filter one sample."""
        y = self._b0 * x + self._s1
        self._s1 = self._b1 * x - self._a1 * y + self._s2
        self._s2 = self._b2 * x - self._a2 * y
        return y


class Cascade:
    """Biquads in series, at rest on the first sample's level.

    The first sample is taken as the zero of all that follow, so that the 300 mV by which two
    electrodes may differ does not ring through the filters (and a low-pass returns it as 0).
    """

    __slots__ = ("_origin", "_pushes")

    def __init__(self, sections: Iterable[Sequence[float]]) -> None:
        self._pushes = [Biquad(section).push for section in sections]
        self._origin: float | None = None

    def push(self, x: float) -> float:
        """Filter one sample, in whatever unit it has."""
        if self._origin is None:
            self._origin = x
        x -= self._origin
        for push in self._pushes:
            x = push(x)
        return x
