"""The mean of the newest samples, at the same cost however many they are."""

from __future__ import annotations


class MovingMean:
    """The mean of the newest ``length`` samples."""

    __slots__ = ("_at", "_ring", "_sum")

    def __init__(self, length: int) -> None:
        self._ring = [0.0] * length
        self._at = 0
        self._sum = 0.0

    def push(self, x: float) -> float:
        """Take one sample and return the mean."""
        ring = self._ring
        self._sum += x - ring[self._at]
        ring[self._at] = x
        self._at += 1
        if self._at == len(ring):  # once a round, afresh: rounding errors must not add up
            self._at = 0
            self._sum = sum(ring)
        return max(self._sum, 0.0) / len(ring)
