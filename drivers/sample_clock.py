"""From the edges of DRDY to sample numbers: the chip has no counter, so its edges are one.

    edges    |     |     |           |     ||    |          each one a falling DRDY
    index    0     1     2           4     5     6          3: an edge that never came
                                           `- ringing

The number of a sample follows from when its edge fell and the measured period; a gap is a jump.
"""

from __future__ import annotations

from collections import deque
from statistics import median

from drivers.bus import Edge

#: A second edge within this share of a period is ringing of the line.
RINGING_SHARE = 0.05
#: An edge may be off the beat of the others by this share of a period.
OFF_BEAT_SHARE = 0.25
#: Off by more than this share, the rate is not a matter of the oscillator.
WRONG_RATE = 0.10
#: Edges over which the rate is judged, and the fewest from which the period is measured.
RATE_EDGES = 64
#: Samples over which the period is measured.
PERIOD_SAMPLES = 250


class SampleClock:
    """Numbers samples and measures their period.

    Args:
        rate_hz: nominal samples per second.

    Attributes:
        index: number of the newest sample, -1 before the first edge.
        period_s: measured seconds between samples.
        on_beat: whether the last edge came a whole number of periods after the one before; if not,
            the chip may have started anew by itself, and its settings are in doubt.
        rate_ratio: measured over nominal rate, by the median of the last edges; None until known.
        wrong_rate: whether that is more than an oscillator may be off by.
        duplicate_edges: edges that announced no new sample.
        unseen_edges: edges that the kernel's queue dropped, by its sequence numbers.
    """

    def __init__(self, rate_hz: float) -> None:
        self._nominal_s = 1 / rate_hz
        self._ringing_s = RINGING_SHARE * self._nominal_s
        self._sample_s: float | None = None
        self._edge_s: float | None = None
        self._sequence: int | None = None
        self._intervals_s: list[float] = []
        self._history: deque[tuple[int, float]] = deque(maxlen=PERIOD_SAMPLES)
        self.index = -1
        self.period_s = self._nominal_s
        self.on_beat = True
        self.rate_ratio: float | None = None
        self.wrong_rate = False
        self.duplicate_edges = 0
        self.unseen_edges = 0

    def restart(self) -> None:
        """Forget the rhythm but not the count: the chip has been started anew."""
        self._edge_s = self._sequence = self.rate_ratio = None
        self.wrong_rate = False
        self.on_beat = True
        self._intervals_s.clear()
        self._history.clear()

    def admit(self, edge: Edge) -> bool:
        """Take the next edge and say whether it announces a new sample."""
        time_s, sequence = edge
        if sequence is not None and self._sequence is not None:
            self.unseen_edges += sequence - self._sequence - 1
        self._sequence = sequence
        edge_s = self._edge_s
        steps = 1
        if edge_s is not None:
            interval_s = time_s - edge_s
            if interval_s < self._ringing_s:
                self.duplicate_edges += 1
                return False
            periods = interval_s / self.period_s
            steps = 1 if 0.5 < periods < 1.5 else round(periods)  # 1 nearly always
            self.on_beat = periods > 0.5 and abs(periods - steps) < OFF_BEAT_SHARE
            self._intervals_s.append(interval_s)
            if len(self._intervals_s) == RATE_EDGES:
                self._judge_rate()
        self._edge_s = time_s
        if edge_s != self._sample_s or not self.on_beat:  # not counted from a sample's edge
            steps = self._steps_to(time_s)
            if steps < 1:
                self.duplicate_edges += 1
                return False
        self.index += steps
        self._sample_s = time_s
        self._history.append((self.index, time_s))
        first_index, first_s = self._history[0]
        if self.index - first_index >= RATE_EDGES:
            self.period_s = (time_s - first_s) / (self.index - first_index)
        return True

    def _steps_to(self, time_s: float) -> int:
        if self._sample_s is None:
            return 1
        periods = (time_s - self._sample_s) / self.period_s
        return round(periods) if periods > 1 - OFF_BEAT_SHARE else 0

    def _judge_rate(self) -> None:
        self.rate_ratio = self._nominal_s / median(self._intervals_s)
        self.wrong_rate = abs(self.rate_ratio - 1) > WRONG_RATE
        self._intervals_s.clear()
