"""The mean of the newest samples, at the same cost however many they are."""

from __future__ import annotations


class MovingMean:
    """The mean of the newest ``length`` samples."""

    __slots__ = ("_at", "_length", "_ring", "_sum")

    def __init__(self, length: int) -> None:
        self._length = length
        self._ring = [0.0] * length
        self._at = 0
        self._sum = 0.0

    def push(self, x: float) -> float:
        """Take one sample and return the mean."""
        ring, at = self._ring, self._at
        total = self._sum + x - ring[at]
        ring[at] = x
        at += 1
        if at == self._length:  # once a round, afresh: rounding errors must not add up
            at = 0
            total = sum(ring)
        self._at = at
        self._sum = total
        return total / self._length if total > 0 else 0.0
