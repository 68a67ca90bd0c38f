"""Cuts one window per R peak out of the conditioned signal, the moment its last sample is there."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice

from dsp.qrs_features import HISTORY

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
        self._signal: deque[float] = deque(maxlen=HISTORY)
        self._pushed = 0
        self.waiting: deque[tuple[int, float | None]] = deque()

    def expect(self, r_position: int, rr_s: float | None) -> None:
        """Ask for the window around an R peak."""
        self.waiting.append((r_position, rr_s))

    def push(self, conditioned_mv: float) -> None:
        """Take the newest sample."""
        self._pushed += 1
        self._signal.append(conditioned_mv)

    def complete(self) -> Iterator[tuple[int, float | None, tuple[float, ...]]]:
        """Yield position, RR interval and the 175 samples in mV of each window now complete.

        A beat whose window begins before the signal did is left out.
        """
        while self.waiting and self._pushed >= self.waiting[0][0] + FROM_R:
            r_position, rr_s = self.waiting.popleft()
            start = r_position - BEFORE_R - (self._pushed - len(self._signal))
            if start >= 0:
                window = islice(self._signal, start, start + WINDOW_SAMPLES)
                yield r_position, rr_s, tuple(window)
