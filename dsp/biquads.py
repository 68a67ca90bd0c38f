"""Second-order filter sections that take one sample at a time.

Plain Python runs them, because a call into scipy for a single sample costs tens of times more than
the five multiplications of a section.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class Cascade:
    """Biquads in series, at rest on the first sample's level.

    Each is in transposed direct form II: the form whose state is only two numbers. The first sample
    is taken as the zero of all that follow, so that the 300 mV by which two electrodes may differ
    does not ring through the filters (and a low-pass returns it as 0).

    Args:
        sections: as ``dsp.filter_design`` returns them.
    """

    __slots__ = ("_origin", "_sections")

    def __init__(self, sections: Iterable[Sequence[float]]) -> None:
        # Coefficients and state of each in one list, so that none needs a call of its own.
        self._sections = [[b0, b1, b2, a1, a2, 0.0, 0.0] for b0, b1, b2, _, a1, a2 in sections]
        self._origin: float | None = None

    def push(self, x: float) -> float:
        """Filter one sample, in whatever unit it has."""
        if self._origin is None:
            self._origin = x
        x -= self._origin
        for section in self._sections:
            b0, b1, b2, a1, a2, s1, s2 = section
            y = b0 * x + s1
            section[5] = b1 * x - a1 * y + s2
            section[6] = b2 * x - a2 * y
            x = y
        return x
