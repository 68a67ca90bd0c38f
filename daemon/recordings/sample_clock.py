"""Finds the sample rate of a table by its time stamps, and the sample number of each row.

The unit of numbers is the one that makes their step a rate at which ECGs are sampled. A logger's
clock may stamp whole bursts of rows, wrap, be set, or begin anew: only a pause means lost samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import copysign
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daemon.recordings.errors import MalformedRecording
from daemon.recordings.signal_file import SAME_RATE

USUAL_RATE_HZ = 250.0
LEAST_RATE_HZ, MOST_RATE_HZ = 50.0, 20_000.0  # less than 1000 apart, so that a step has one unit
CHIP_RATES_HZ = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
WHOLE_TOLERANCE = 0.0005
UNITS_S = (1.0, 1e-3, 1e-6, 1e-9)
LONGEST_GAP_S = 3600.0
SUMMER_TIME_S = 3600.0  # that the clock is set by, forwards and back
PAUSE_THEN_S = 60.0  # so much more or less is a pause at that moment
MOST_MISSING = 50  # samples for each row, besides such a gap
FEWEST_EVEN = 200  # steps that show whether samples are even
NEAR_STEPS = 50  # about a wrap
RESTART_S = 2.0  # a clock that shows less after it showed more began anew
PAUSE_S = 1.0  # stands for one of unknown length: longer than any that the signal chain bridges
DATES_S = 946_684_800, 4_102_444_800  # of 2000 and 2100: what a clock that was not set is set to
WALL_S = 1e8  # seconds since 1970 are more, an uptime is less
DAY_S = (86400.0, 43200.0)
COUNTER_WRAPS = (
    2.0**8,
    2.0**10,
    2.0**12,
    2.0**16,
    2.0**24,
    2.0**31,
    2.0**32,
    2**32 / 1e3,
    2**32 / 1e6,
)


class SampleClock:
    """Tells the rate from the first stamps, then the place of each row, block after block.

    Args:
        first: stamps of the first rows, NaN for empty ones.
        is_time: they are dates or times in seconds.
        unit_s: of numbers, where the heading says it.
        is_counter: the heading says that they number the samples.
        told_hz: the rate that the user gives, which no stamp can contradict.
        comment_hz: the rate that a comment in the file gives.
        path: for messages.
    """

    rate_hz: float  # samples per second
    note: str  # how the rate was found
    said_hz: float | None  # the rate by the file, whatever the user says

    def __init__(
        self,
        first: NDArray[np.float64],
        *,
        is_time: bool = False,
        unit_s: float | None = None,
        is_counter: bool = False,
        told_hz: float | None = None,
        comment_hz: float | None = None,
        path: Path,
    ) -> None:
        self._path = path
        self._last = np.nan
        self._place = -1
        self._rows = self._missing = self._wraps = self._restarts = 0
        self._changes: list[str] = []
        self._changed = 0
        known = first[np.isfinite(first)]
        self._step, self._burst = _step(np.diff(known))
        self._top = float(known.max()) if len(known) else 0.0
        self._bottom = float(known.min()) if len(known) else 0.0
        self._counts = unit_s is None and not is_time and _counts(known, self._step, is_counter)
        self._time_only = is_time and self._top < WALL_S
        self.rate_hz, self.note, self._unit_s = self._rate(
            1.0 if is_time else unit_s, told_hz, comment_hz, wraps=bool((np.diff(known) < 0).any())
        )
        self._wall = is_time or bool(len(known) and known[0] * self._unit_s > WALL_S)

    def _rate(
        self, unit_s: float | None, told_hz: float | None, comment_hz: float | None, wraps: bool
    ) -> tuple[float, str, float]:
        """Return the rate, how it was found, and the unit of the stamps."""
        hz = told_hz or comment_hz
        self.said_hz = comment_hz
        source = "as told" if told_hz else "by a comment in the file"
        if self._counts or not self._step:
            if hz:
                return hz, f"{hz:g} Hz {source}", 1 / hz
            if self._counts and not wraps:
                raise MalformedRecording(
                    f"{self._path}: its first column numbers the rows, which gives no sample rate: "
                    "say it with --rate HZ."
                )
            what = "a counter of samples gives no rate" if self._counts else "no time stamps"
            return USUAL_RATE_HZ, f"{what}: {USUAL_RATE_HZ:g} Hz assumed", 1 / USUAL_RATE_HZ
        for unit in (unit_s,) if unit_s else UNITS_S:
            measured_hz = 1 / (self._step * unit)
            if LEAST_RATE_HZ / 1.02 <= measured_hz <= MOST_RATE_HZ * 1.02:
                self.said_hz = rate_hz = _tidy(measured_hz)
                if told_hz:
                    return told_hz, f"{told_hz:g} Hz {source}", unit
                return rate_hz, f"{rate_hz:g} Hz by the time stamps", unit
        if hz:
            return hz, f"{hz:g} Hz {source}", 1 / (hz * self._step)
        raise MalformedRecording(
            f"{self._path}: its time stamps step by {self._step:g}, which in no unit is a rate of "
            f"{LEAST_RATE_HZ:g} to {MOST_RATE_HZ:g} Hz: say it with --rate HZ."
        )

    def places(
        self, stamps: NDArray[np.float64], lines: Sequence[int], restarts: Sequence[int]
    ) -> NDArray[np.int64]:
        """Return the sample number of each of the next rows; a jump is a gap."""
        restarts_before = self._restarts
        if not self._step or not np.isfinite(stamps).any():
            extra = np.zeros(len(stamps), dtype=np.int64)
            extra[[at for at in restarts if at < len(stamps)]] = round(PAUSE_S * self.rate_hz)
            self._restarts += len(restarts)
        else:
            steps = self._steps(_filled(stamps, self._last, self._step), lines, set(restarts))
            extra = self._lost(steps)
        self._rows += len(stamps)
        unknown = (self._restarts - restarts_before) * round(PAUSE_S * self.rate_hz)
        self._missing += int(extra.sum()) - unknown
        if self._missing > LONGEST_GAP_S * self.rate_hz + MOST_MISSING * self._rows:
            raise MalformedRecording(
                f"{self._path}, line {lines[-1]}: by the time stamps {self._missing} samples are "
                f"missing and {self._rows} are there; name the rate of rows without gaps by --rate."
            )
        places: NDArray[np.int64] = self._place + np.cumsum(1 + extra)
        self._place = int(places[-1])
        return places

    def notes(self) -> list[str]:
        """Say what was seen in all rows so far."""
        said = {
            "{} samples are missing by the time stamps": self._missing,
            "the stamps wrapped and were counted on, times: {}": self._wraps,
            f"the logger began anew, a pause of {PAUSE_S:g} s assumed: {{}} x": self._restarts,
            "the clock was set while no time passed, times: {} "
            f"({'; '.join(self._changes)})": self._changed,
        }
        return [text.format(count) for text, count in said.items() if count]

    def _steps(
        self, stamps: NDArray[np.float64], lines: Sequence[int], restarts: set[int]
    ) -> NDArray[np.float64]:
        """Return the time from each row to the next in steps of a sample, without clock changes."""
        before = stamps[0] - self._step if np.isnan(self._last) else self._last
        joined = np.concatenate(([before], stamps))
        steps = np.diff(joined)
        self._last = float(stamps[-1])
        leap = LONGEST_GAP_S / self._unit_s
        odd = (steps < -0.9 * self._step) | (steps > leap)  # less is jitter of the stamps
        if self._wall:
            half_hours = np.rint(steps * self._unit_s / 1800)
            off = np.abs(steps - half_hours * 1800 / self._unit_s)
            odd |= (half_hours > 0) & (off <= 3 * max(self._step, self._burst * self._step))
        for at in np.flatnonzero(odd).tolist():
            steps[at] = self._mended(
                float(joined[at]), float(joined[at + 1]), lines[at], at in restarts
            )
        return steps / self._step

    def _mended(self, before: float, after: float, line: int, restarted: bool) -> float:
        """Return the time that really passed where a clock wrapped, was set, or began anew."""
        modulus = self._wrap(before, after)
        if modulus:
            self._wraps += 1
            return after + modulus - before
        began_anew = not self._wall and after * self._unit_s <= RESTART_S
        if restarted or (began_anew and (before - after) * self._unit_s > RESTART_S):
            self._restarts += 1
            return self._step + PAUSE_S / self._unit_s
        change_s = (after - before) * self._unit_s
        set_to_date = DATES_S[0] < after * self._unit_s < DATES_S[1]
        if change_s > 0 and not (self._wall or set_to_date):
            raise MalformedRecording(
                f"{self._path}, line {line}: the time stamps leap to {after:g}."
            )
        passed_s = self._step * self._unit_s
        if self._wall:
            besides_s = change_s - copysign(SUMMER_TIME_S, change_s)
            passed_s = besides_s if passed_s < besides_s <= PAUSE_THEN_S else passed_s
        self._changed += 1
        if self._changed > 10 + self._rows / 1000:
            raise MalformedRecording(f"{self._path}, line {line}: the time stamps run backwards.")
        if self._changed <= 3:
            self._changes.append(f"line {line} by {change_s - passed_s:+.6g} s")
        return passed_s / self._unit_s

    def _wrap(self, before: float, after: float) -> float | None:
        """Return at what number the stamps wrapped between two rows, None if they did not."""
        if after >= before:
            return None
        values = int(self._top - self._bottom) + 1
        is_usual = values & (values - 1) == 0  # so that a jump back is a wrap with a gap
        if self._counts and (is_usual or (before, after) == (self._top, self._bottom)):
            return float(values)
        for modulus in DAY_S if self._time_only else COUNTER_WRAPS:
            near = min(NEAR_STEPS * max(self._step, self._burst * self._step), modulus / 4)
            for top in (modulus, modulus / 2):
                if 0 <= top - before <= near and 0 <= after - (top - modulus) <= near:
                    return modulus
        return None

    def _lost(self, steps: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return how many samples are missing before each row.

        A stamp that comes late is no gap if the rows after it catch up, as those of a burst do. So
        the earliest of the next rows is compared with the earliest of the last.
        """
        lag = np.concatenate(([0.0], np.cumsum(steps - 1)))
        least = 1.0 if self._burst == 1 else max(3.0, self._burst / 2)
        near = 32 if self._burst == 1 else max(32, round(3 * self._burst))
        extra = np.zeros(len(steps), dtype=np.int64)
        since = 0
        for at in (np.flatnonzero(steps > least + 0.5) + 1).tolist():
            before = lag[max(since, at - near) : at].min()
            following = lag[at : at + near]
            to_come = max(0, round(self._burst) - len(following))  # of a burst, in the next block
            lost = round(float(following.min() - before)) - to_come
            if lost >= least:
                extra[at - 1] = lost
                since = at
        return extra


def _step(steps: NDArray[np.float64]) -> tuple[float, float]:
    """Return the time from sample to sample, and how many rows share a stamp; 0 without a time."""
    if not (steps > 0).any():
        return 0.0, 1.0
    usual = float(np.median(steps[steps > 0]))
    steps = steps[(steps > -0.9 * usual) & (steps <= 1000 * usual)]
    middle = float(np.median(steps))
    if steps.min() > 0.4 * middle:
        within = steps[steps < 1.5 * middle]
        if len(within) < 0.95 * len(steps) or _even(steps):
            # Stamps too coarse for the rate: one that comes a step late is no gap.
            return float(steps[steps < 2.5 * middle].mean()), 2.0
        return float(within.mean()), 1.0
    mean = float(steps.mean())
    for _ in range(2):
        starts = np.flatnonzero(steps > mean)
        typical = float(np.median(steps[starts]))
        pauses = steps > 3 * typical
        mean = float(steps[~pauses].mean())
    if len(starts) < 2:
        return mean, 1.0
    spanned = slice(starts[0] + 1, starts[-1] + 1)
    passed = np.where(pauses, typical, steps)[spanned].sum()
    rows = int(starts[-1] - starts[0])
    return float(passed / rows), rows / (len(starts) - 1)


def _even(steps: NDArray[np.float64]) -> bool:
    """Tell whether samples at even times, rounded to the stamps' resolution, have these steps.

    That is a power of ten. Lost samples are as rare, but not as even.
    """
    shortest = float(steps.min())
    decimals = float(np.log10(shortest))
    if len(steps) < FEWEST_EVEN or abs(decimals - round(decimals)) > 0.01:
        return False
    rows, late = np.arange(len(steps)), np.cumsum(steps - steps.mean())
    apart = float(np.ptp(late - np.polyval(np.polyfit(rows, late, 1), rows)))
    return float(np.mean(steps > 1.5 * shortest)) > 0.005 and apart < 1.1 * shortest


def _counts(stamps: NDArray[np.float64], step: float, named: bool) -> bool:
    """Tell whether stamps number the rows."""
    return step == 1 and bool((stamps % 1 == 0).all()) and (named or stamps[0] in (0, 1))


def _filled(stamps: NDArray[np.float64], last: float, step: float) -> NDArray[np.float64]:
    """Put a stamp where one is missing, as if nothing else were."""
    known = np.isfinite(stamps)
    if known.all():
        return stamps
    rows = np.arange(len(stamps))
    filled = np.interp(rows, rows[known], stamps[known])
    if not known[0] and not np.isnan(last):
        begin = int(np.argmax(known))
        filled[:begin] = last + step * (1 + rows[:begin])
    return filled


def _tidy(rate_hz: float) -> float:
    """Return the chip's rate that is meant, a whole one that is near, or what was measured."""
    for chip_hz in CHIP_RATES_HZ:
        if abs(rate_hz / chip_hz - 1) < SAME_RATE:
            return chip_hz
    whole = float(round(rate_hz))
    return whole if abs(rate_hz / whole - 1) < WHOLE_TOLERANCE else round(rate_hz, 3)
