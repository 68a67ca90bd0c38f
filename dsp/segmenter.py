"""Cuts one window per R peak out of the conditioned signal, the moment its last sample is there."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from math import inf

from dsp.qrs_features import HISTORY, MASK, stretch

RATE_HZ = 250.0
BEFORE_R = 70  # samples before the R peak, 280 ms at 250 Hz: the P wave
FROM_R = 105  # samples from the R peak on, 420 ms: QRS, ST segment and T wave
WINDOW_SAMPLES = BEFORE_R + FROM_R


class Segmenter:
    """Remembers the signal and the R peaks whose windows are not yet complete.

    Positions count the samples pushed since the start. A gap that is not bridged calls for a new
    segmenter.
    """

    def __init__(self) -> None:
        self._signal = [0.0] * HISTORY  # that of position p is at ``p & MASK``
        self._pushed = 0
        self._waiting: deque[tuple[int, float | None]] = deque()
        self._due = inf  # how many samples complete the next window

    def expect(self, r_position: int, rr_s: float | None) -> None:
        """Ask for the window around an R peak."""
        self._waiting.append((r_position, rr_s))
        self._due = self._waiting[0][0] + FROM_R

    def push(self, conditioned_mv: float) -> bool:
        """Take the newest sample and tell whether it completed a window."""
        self._signal[self._pushed & MASK] = conditioned_mv
        self._pushed += 1
        return self._pushed >= self._due

    def complete(self) -> Iterator[tuple[int, float | None, tuple[float, ...]]]:
        """Yield position, RR interval and the 175 samples in mV of each window now complete.

        A beat whose window begins before the signal did is left out.
        """
        while self._pushed >= self._due:
            r_position, rr_s = self._waiting.popleft()
            self._due = self._waiting[0][0] + FROM_R if self._waiting else inf
            start = r_position - BEFORE_R
            if start >= max(self._pushed - HISTORY, 0):
                yield r_position, rr_s, tuple(stretch(self._signal, start, start + WINDOW_SAMPLES))
