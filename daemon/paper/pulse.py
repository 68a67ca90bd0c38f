"""The calibration pulse, 1 mV for 0.2 s, which says what a millimetre is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from daemon.paper.errors import PageUnusable
from daemon.paper.trace import Trace

PULSE_MV, PULSE_S = 1.0, 0.2
GAINS_MM_PER_MV = (5.0, 10.0, 20.0)
SPEEDS_MM_PER_S = (25.0, 50.0)
HEIGHT_OFF, WIDTH_OFF = 0.07, 0.13  # that a pulse may be off what it should be
WITHIN_MM = 25.0  # of a strip's begin or end
NOWHERE_MM = -1000.0
LEVEL_SLOPE = 0.7  # of what may be top or foot
UNEVEN = 0.1  # that they may be, in parts of the height
SHORTEST_TOP_MM, SHORTEST_FOOT_MM = 2.0, 0.3
WIDEST_EDGE_MM = 1.5
LEAST_HEIGHT_MM = 3.0


@dataclass(frozen=True, slots=True)
class Pulse:
    """A rectangle in the trace."""

    begin_px: int  # first and last column of it, from the trace's first
    end_px: int
    high_mm: float
    wide_mm: float


@dataclass(frozen=True, slots=True)
class Scale:
    """What a millimetre means."""

    mm_per_s: float
    mm_per_mv: float
    notes: tuple[str, ...]  # where that is from


def find_pulse(trace: Trace) -> Pulse | None:
    """Find a rectangle with level feet at the begin or the end of a trace."""
    from scipy.ndimage import median_filter

    px_per_mm, length = trace.px_per_mm, len(trace.up_mm)
    near = round(WITHIN_MM * px_per_mm)
    up = median_filter(np.nan_to_num(trace.up_mm, nan=NOWHERE_MM), 5, mode="nearest")
    slope = np.abs(up[4:] - up[:-4]) * px_per_mm / 4
    level = np.pad(slope < LEVEL_SLOPE, 2, mode="edge").astype(np.int8)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], level, [0]]))).reshape(-1, 2)
    runs = [(b, e) for b, e in edges.tolist() if e - b >= SHORTEST_FOOT_MM * px_per_mm]
    for before, top, after in zip(runs, runs[1:], runs[2:], strict=False):
        if near < top[1] and top[0] < length - near:
            continue
        feet = np.median(up[before[0] : before[1]][-5:]), np.median(up[after[0] : after[1]][:5])
        high = float(np.median(up[slice(*top)]) - np.mean(feet))
        if (
            max(top[0] - before[1], after[0] - top[1]) <= WIDEST_EDGE_MM * px_per_mm
            and top[1] - top[0] >= SHORTEST_TOP_MM * px_per_mm
            and high > LEAST_HEIGHT_MM
            and max(np.ptp(feet), np.std(up[slice(*top)])) < UNEVEN * high
        ):
            wide_px = (top[1] + after[0] - before[1] - top[0]) / 2
            return Pulse(before[1], after[0], high, wide_px / px_per_mm)
    return None


def scale_of(pulse: Pulse | None, mm_per_s: float | None, mm_per_mv: float | None) -> Scale:
    """Return what a millimetre means by the pulse and by what the user says.

    Raises:
        PageUnusable: they do not say it, or contradict each other.
    """
    high = _nearest(pulse.high_mm / PULSE_MV if pulse else None, GAINS_MM_PER_MV, HEIGHT_OFF)
    wide = _nearest(pulse.wide_mm / PULSE_S if pulse else None, SPEEDS_MM_PER_S, WIDTH_OFF)
    if pulse and not high:
        raise PageUnusable(
            f"the calibration pulse is {pulse.high_mm:.1f} mm high, and 5, 10 or 20 are expected: "
            "something is wrong with the grid or the pulse; --box around the strip without the "
            "pulse leaves it out"
        )
    if high and mm_per_mv and high != mm_per_mv:
        raise PageUnusable(
            f"the calibration pulse is {high:g} mm high, which is {high:g} mm/mV and not --gain "
            f"{mm_per_mv:g}; leave --gain out, or give --box around the strip without the pulse"
        )
    speed, gain = mm_per_s or wide, mm_per_mv or high
    if not speed or not gain:
        why = "the pulse is not 0.2 s wide" if pulse else "no calibration pulse is found"
        missing = [*(() if speed else ["--speed"]), *(() if gain else ["--gain"])]
        raise PageUnusable(f"{why}: give {' and '.join(missing)}, as is printed on the page")
    notes = []
    if pulse and not mm_per_mv:
        notes.append(f"{gain:g} mm/mV: the calibration pulse is {pulse.high_mm:.1f} mm high")
    if pulse and not mm_per_s:
        notes.append(
            f"{speed:g} mm/s, if the calibration pulse of {pulse.wide_mm:.1f} mm lasts 0.2 s; else "
            "give --speed"
        )
    return Scale(speed, gain, tuple(notes))


def _nearest(value: float | None, standards: tuple[float, ...], off: float) -> float | None:
    return next((s for s in standards if value and abs(value / s - 1) < off), None)
