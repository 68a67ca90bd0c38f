"""Normal-to-normal intervals: RR intervals, with ectopic, missed and false beats corrected.

After Lipponen and Tarvainen (J Med Eng Technol 43:173-181, 2019). A beat's interval is compared
with the one before it (dRR) and with the median of eleven (mRR), each in units of a threshold that
follows the 91 intervals around it: 5.2 quartile deviations, which hold 99.95 % of normal beats.

Departures, each with its reason:

- The quartile deviation is that of dRR itself, not of its magnitude: of that, 5.2 would be 2.2
  standard deviations of normal beats, and one in a hundred of white noise would be corrected.
- Thresholds lie between 5 and 30 % of the median interval: below, there is nothing to correct but
  the grid of 4 ms on which beats lie; above, as in bigeminy and atrial fibrillation, the rule would
  call normal what no sinus node does.
- Ectopic, long and short intervals are interpolated between normal ones, without overshoot
  (monotone cubic), and time stays as it was measured: no beat is moved.
- An interval of 2.5 medians or more is no rhythm: there the series breaks, as it does where signal
  is missing. Nothing is compared or interpolated across a break.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Scalar = TypeVar("Scalar", bound=np.generic)

WINDOW = 91  # intervals that set a threshold
MEDIAN_WINDOW = 11  # intervals that an interval is compared with
THRESHOLD = 5.2  # quartile deviations
LEAST, MOST = 0.05, 0.30  # of the median interval: limits of the threshold
C1, C2 = 0.13, 0.17  # the line beyond which neighbours make a beat ectopic (paper, section 2.2)
LONG_OR_SHORT = 3.0  # thresholds from the median
NO_RHYTHM = 2.5  # medians
FEWEST = 5  # intervals that can be judged
NORMAL, ECTOPIC, MISSED, EXTRA, ODD = range(5)


@dataclass(frozen=True, slots=True, eq=False)
class RrSeries:
    """Intervals between heartbeats, in the order in which they came.

    An interval that does not begin at the beat that ended the one before it begins a new stretch.
    """

    end_s: Array  # when the beat came that ends each interval
    rr_ms: Array  # the intervals
    begins: NDArray[np.bool_]  # whether the interval begins a stretch

    @classmethod
    def of_intervals(cls, rr_ms: Sequence[float] | Array) -> RrSeries:
        """Take intervals that follow on each other."""
        intervals = np.asarray(rr_ms, dtype=np.float64)
        ends: Array = np.cumsum(intervals) / 1000
        return cls(ends, intervals, np.arange(len(intervals)) == 0)

    @classmethod
    def of_beats(cls, r_s: Array, after_break: NDArray[np.bool_]) -> RrSeries:
        """Take the times of heartbeats, and before which of them signal is missing."""
        whole = ~after_break[1:]
        begins = np.concatenate([[True], after_break[1:-1]])[: len(whole)]
        rr_ms = np.round(1000 * np.diff(r_s), 6)  # what rounding leaves is no variability
        return cls(r_s[1:][whole], rr_ms[whole], begins[whole])

    @property
    def duration_s(self) -> float:
        """The sum of all intervals."""
        return float(self.rr_ms.sum()) / 1000

    def stretches(self) -> list[slice]:
        """Return the intervals that follow on each other."""
        edges = [*np.flatnonzero(self.begins).tolist(), len(self.rr_ms)]
        return [slice(*each) for each in pairwise(edges)]

    def differences_ms(self) -> Array:
        """Return by how much each interval is longer than the one before; not across a break."""
        return np.diff(self.rr_ms)[~self.begins[1:]]


@dataclass(frozen=True, slots=True)
class Corrections:
    """How many intervals were corrected, and for what."""

    ectopic: int  # beats that came early or late, with the interval before and after
    missed: int  # beats that were not found: an interval was cut in two
    extra: int  # beats that are none: two intervals were joined
    long_or_short: int  # intervals that are unlike those around them
    breaks: int  # intervals that were dropped since no rhythm is so slow
    share: float  # of all normal-to-normal intervals, how many are not as they were measured


def corrected(series: RrSeries) -> tuple[RrSeries, Corrections]:
    """Return the normal-to-normal intervals of a series, and what was done to have them."""
    series, breaks = _without_pauses(series)
    kinds = classify(series)
    counts = [int(np.sum(kinds == kind)) for kind in (ECTOPIC, MISSED, EXTRA, ODD)]
    joined, kinds = _joined_and_cut(series, kinds)
    unlike = np.isin(kinds, (ECTOPIC, ODD))
    nn_ms = joined.rr_ms.copy()
    for stretch in joined.stretches():
        nn_ms[stretch] = _interpolated(joined.end_s[stretch], nn_ms[stretch], unlike[stretch])
    share = float(np.mean(kinds != NORMAL)) if len(kinds) else 0.0
    return (
        RrSeries(joined.end_s, nn_ms, joined.begins),
        Corrections(counts[0], counts[1], counts[2], counts[3], breaks, share),
    )


def classify(series: RrSeries) -> NDArray[np.int_]:
    """Return for each interval what it is: NORMAL, ECTOPIC, MISSED, EXTRA or ODD.

    An ectopic beat makes the interval before it and the one after it ECTOPIC; a beat that is none
    makes the first of its two intervals EXTRA.
    """
    rr_ms = series.rr_ms
    kinds = np.full(len(rr_ms), NORMAL)
    if len(rr_ms) < FEWEST:
        return kinds
    median_ms = _medians(rr_ms)
    step_ms = np.where(series.begins, 0.0, np.diff(rr_ms, prepend=rr_ms[0]))
    off_ms = rr_ms - median_ms
    off_limit_ms = _threshold(off_ms, median_ms)
    step = step_ms / _threshold(step_ms, median_ms)
    off = np.where(off_ms < 0, 2.0, 1.0) * off_ms / off_limit_ms
    before, after, later = (_shifted(step, by) for by in (-1, 1, 2))
    up, down = step > 1, step < -1
    ectopic = up & (np.maximum(before, after) < -C1 * step - C2)
    ectopic |= down & (np.minimum(before, after) > -C1 * step + C2)
    long = (up & (np.minimum(after, later) < -1)) | (off > LONG_OR_SHORT)
    short = (down & (np.maximum(after, later) > 1)) | (off < -LONG_OR_SHORT)
    follows = ~_shifted(series.begins, 1, True)
    two_ms = rr_ms + _shifted(rr_ms, 1)
    kinds[long | short] = ODD
    kinds[long & (np.abs(rr_ms / 2 - median_ms) < off_limit_ms)] = MISSED
    extra = short & follows & (np.abs(two_ms - median_ms) < off_limit_ms)
    extra &= ~_shifted(extra, -1)
    kinds[extra] = EXTRA
    kinds[_shifted(extra, -1)] = NORMAL  # once the two are joined
    kinds[ectopic] = ECTOPIC
    kinds[_shifted(ectopic, 1) & follows] = ECTOPIC
    return kinds


def _without_pauses(series: RrSeries) -> tuple[RrSeries, int]:
    """Break a series where an interval is too long for a rhythm."""
    if len(series.rr_ms) < FEWEST:
        return series, 0
    kept = series.rr_ms < NO_RHYTHM * _medians(series.rr_ms)
    begins = series.begins | _shifted(~kept, -1)
    carried = begins.copy()
    for place in np.flatnonzero(begins & ~kept):  # the next one that is kept begins the stretch
        carried[min(place + 1, len(carried) - 1)] = True
    return RrSeries(series.end_s[kept], series.rr_ms[kept], carried[kept]), int(np.sum(~kept))


def _joined_and_cut(series: RrSeries, kinds: NDArray[np.int_]) -> tuple[RrSeries, NDArray[np.int_]]:
    """Take out false beats and put in missed ones; return the series and what each now is.

    An interval that was joined of two is EXTRA, unless it is something else besides.
    """
    extra = np.flatnonzero(kinds == EXTRA)
    kinds = kinds.copy()
    kinds[extra + 1] = np.where(kinds[extra + 1] == NORMAL, EXTRA, kinds[extra + 1])
    rr_ms, begins = series.rr_ms.copy(), series.begins.copy()
    rr_ms[extra + 1] += rr_ms[extra]
    begins[extra + 1] = begins[extra]
    rr_ms, end_s = np.delete(rr_ms, extra), np.delete(series.end_s, extra)
    begins, kept = np.delete(begins, extra), np.delete(kinds, extra)
    missed = np.flatnonzero(kept == MISSED)
    rr_ms[missed] /= 2
    end_s = np.insert(end_s, missed, end_s[missed] - rr_ms[missed] / 1000)
    begins_both = np.insert(begins, missed, begins[missed])
    begins_both[missed + np.arange(1, len(missed) + 1)] = False
    kept = np.insert(kept, missed, MISSED)
    rr_ms = np.insert(rr_ms, missed, rr_ms[missed])
    return RrSeries(end_s, rr_ms, begins_both), kept


def _interpolated(end_s: Array, nn_ms: Array, unlike: NDArray[np.bool_]) -> Array:
    from scipy.interpolate import PchipInterpolator  # takes long, and the service starts without

    normal = ~unlike
    if normal.all() or normal.sum() < 2:
        return nn_ms
    curve = PchipInterpolator(end_s[normal], nn_ms[normal])
    first, last = end_s[normal][[0, -1]]
    return np.where(unlike, curve(np.clip(end_s, first, last)), nn_ms)


def _medians(rr_ms: Array) -> Array:
    from scipy.ndimage import median_filter

    return np.asarray(median_filter(rr_ms, MEDIAN_WINDOW, mode="reflect"))


def _threshold(values_ms: Array, median_ms: Array) -> Array:
    """Return 5.2 quartile deviations of the values around each, within its limits."""
    from scipy.ndimage import percentile_filter

    low, high = (percentile_filter(values_ms, q, WINDOW, mode="reflect") for q in (25, 75))
    limit = THRESHOLD * (high - low) / 2
    return np.asarray(np.clip(limit, LEAST * median_ms, MOST * median_ms))


def _shifted(values: NDArray[Scalar], by: int, beyond: float = 0) -> NDArray[Scalar]:
    """Return the value that is so many places further on, for each; ``beyond`` past the ends."""
    moved = np.full_like(values, beyond)
    if by > 0:
        moved[:-by] = values[by:]
    else:
        moved[-by:] = values[:by]
    return moved
