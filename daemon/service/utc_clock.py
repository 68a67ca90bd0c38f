"""UTC time of samples, from a line fitted through the edges of DRDY rather than each edge.

    index --(line fitted to the edges' monotonic times)--> monotonic time --(offset)--> UTC

The chip's oscillator may be off by 1.5 %, edges are told up to a millisecond late, and somebody may
set the wall clock at any moment. The fit takes care of the first two. The offset follows small
corrections of the wall clock slowly. A step is taken over only while nobody wears the electrodes
(where the chip cannot tell: while no good beat counts) or where samples are missing anyway, so that
none shows between two samples of somebody's; until then
``state`` is ``stepped``. A Pi has no battery for its clock and may boot in 1970: then it is
``unset``, and its first step is taken over at once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from daemon.wire.messages import CLOCK_UNSET_BEFORE_S, ClockState

FIT_SAMPLES = 15_000  # memory of the fit: a minute at 250 Hz
LOST_RHYTHM_S = 0.1  # an edge so far from the line begins another
STEP_S = 1.0  # a larger difference is a step of the clock, a smaller one its correction
SLEW_PER_S = 500e-6  # as fast as the kernel's own corrections

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class EdgeFit:
    """The line through the edges: time over index, by least squares with growing memory.

    The gains are those of the expanding-memory polynomial filter of degree 1 (Morrison,
    "Introduction to Sequential Smoothing and Prediction", 1969), held constant from FIT_SAMPLES on.
    """

    def __init__(self, rate_hz: float) -> None:
        self._nominal_s = 1 / rate_hz
        self._count = 0
        self._index = 0
        self._time_s = 0.0
        self._period_s = self._nominal_s

    def observe(self, index: int, time_s: float) -> float | None:
        """Take the edge of a sample, in monotonic seconds; return by how much it is off the line.

        None if it begins another.
        """
        expected_s = self.time_of(index)
        error_s = time_s - expected_s
        if self._count == 0 or abs(error_s) > LOST_RHYTHM_S:
            self._count, self._index, self._time_s = 1, index, time_s
            return None
        if self._count < FIT_SAMPLES:
            self._count += 1
        n = self._count
        self._time_s = expected_s + error_s * 2 * (2 * n - 1) / (n * (n + 1))
        self._index = index
        if n > 2:  # two edges alone would make a line of their jitter
            self._period_s += error_s * 6 / (n * (n + 1))
        return error_s

    def time_of(self, index: int) -> float:
        """Return when a sample was taken, in monotonic seconds."""
        return self._time_s + (index - self._index) * self._period_s

    def index_at(self, time_s: float) -> int:
        """Return the sample that was taken nearest to a monotonic time."""
        return self._index + round((time_s - self._time_s) / self._period_s)


class UtcClock:
    """Tells the UTC time of samples.

    Args:
        rate_hz: nominal samples per second.
        monotonic: the clock of the edges, in seconds.
        wall: seconds since 1970 in UTC.
    """

    def __init__(
        self, rate_hz: float, monotonic: Callable[[], float], wall: Callable[[], float]
    ) -> None:
        self._fit = EdgeFit(rate_hz)
        self._monotonic = monotonic
        self._wall = wall
        self._checked_s = monotonic()
        self._wall_minus_monotonic_s = wall() - self._checked_s

    @property
    def offset_s(self) -> float:
        """By how much the time told is ahead of the wall clock."""
        return self._wall_minus_monotonic_s - (self._wall() - self._monotonic())

    @property
    def state(self) -> ClockState:
        """Whether the wall clock was ever set, and whether the time told follows it."""
        if self._wall() < CLOCK_UNSET_BEFORE_S:
            return "unset"
        return "stepped" if abs(self.offset_s) >= STEP_S else "set"

    def observe(self, index: int, time_s: float) -> float | None:
        """Take the edge of a sample, in monotonic seconds; return its jitter in seconds.

        None if the rhythm was lost.
        """
        return self._fit.observe(index, time_s)

    def utc(self, index: int) -> datetime:
        """Return when a sample was taken."""
        return EPOCH + timedelta(seconds=self._fit.time_of(index) + self._wall_minus_monotonic_s)

    def index_at(self, time_s: float) -> int:
        """Return the sample that was taken nearest to a monotonic time."""
        return self._fit.index_at(time_s)

    def now(self) -> datetime:
        """Return the present on the samples' time scale."""
        return EPOCH + timedelta(seconds=self._monotonic() + self._wall_minus_monotonic_s)

    def date(self) -> datetime:
        """Return the present for a record that is kept: 1970-01-01 if the clock was never set."""
        return EPOCH if self.state == "unset" else self.now()

    def follow_wall_clock(self) -> None:
        """Follow a small correction of the wall clock, at 500 ppm at most; or its first set."""
        now_s = self._monotonic()
        most_s = (now_s - self._checked_s) * SLEW_PER_S
        self._checked_s = now_s
        offset_s = self.offset_s
        if abs(offset_s) < STEP_S:
            self._wall_minus_monotonic_s -= max(-most_s, min(offset_s, most_s))
        elif now_s + self._wall_minus_monotonic_s < CLOCK_UNSET_BEFORE_S:
            self.take_over_step()

    def take_over_step(self) -> None:
        """Take over whatever the wall clock says now, where nobody can see the step."""
        self._wall_minus_monotonic_s -= self.offset_s
