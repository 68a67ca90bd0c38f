"""Checks for a QRS: detectors take oscillations, edges and knocks for heartbeats too.

A QRS is steep, goes up and comes down again, is over within a sixth of a second, and leaves most of
the beat quiet but not dead; between it and the beat before there is no other. What fails one of
these is no heartbeat; docs/presentation-attacks.md has what that costs hearts. Strong noise hides a
QRS, and so may a very wide one: of 20 drawn hearts at 50 bpm two lose beats by it; MIT-BIH 109, a
bundle branch block, loses none. ``dsp.t_wave`` looks at what follows.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dsp.moments import deviation, span
from dsp.segmenter import BEFORE_R, RATE_HZ, WINDOW_SAMPLES

QUICKEST_RR_S = 0.27  # 222 beats a minute; faster than that, no heart feeds anybody for long
CORE_SAMPLES = 20  # on either side of the R peak: the widest QRS, of a ventricular beat
NEAR_SAMPLES = 37  # on either side: no other QRS below 200 beats a minute
SLOPE_SAMPLES = 2  # a slope is taken from so many samples before to as many after
EDGE_SAMPLES = 3  # the same, for up and down, where a spike of noise may not count
R_SAMPLES = 12  # on either side: where a QRS is steepest

LOUDEST_BETWEEN = 0.8  # energy of the slope between two beats, to the QRS's: there is no third
BETWEEN_SAMPLES = 62  # after the R: the next QRS comes later, a knock that was passed over sooner
BETWEEN_RR = 0.55  # of the RR interval, after the R: the next beat may be early
LOUDEST_REST = 0.12  # median energy of the slope outside the QRS, to its highest. Sines: 0.3 to 0.8
LEAST_ROUGH = 0.03  # second to first differences, squared. Pulse waves, slow oscillations: 0.02
LEAST_BACK = 0.28  # the gentler to the steeper of its two flanks. Steps and saw teeth: 0.1 to 0.25
MOST_NEAR = 0.42  # energy of the slope beside the QRS, to all near. Ringing: 0.4 to 0.8
MOST_FILLED = 0.6  # swings near the R, to those of an oscillation as rough. Bursts: 0.6 to 1
FEWEST_SWINGS = 4  # a QRS has two or three
SWING = 0.25  # of the QRS's span: what is smaller is noise
DEADEST_REST = 0.0115  # deviation of the rest, to the QRS's span. Spikes without a heart: 0.01

TINY = 1e-300  # instead of 0, to divide by

_AT = np.arange(WINDOW_SAMPLES) - BEFORE_R
_REST = np.abs(_AT) > CORE_SAMPLES
_NEAR = np.abs(_AT) <= NEAR_SAMPLES
_BESIDE = _REST & _NEAR
_SMOOTH = np.full(5, 0.2)
_SMOOTHER = np.full(7, 1 / 7)
_WAVES = np.abs(_AT) > CORE_SAMPLES + 5
_WAVES[:4] = _WAVES[-4:] = False  # where the smoother sees beyond the ends


def has_qrs(window: NDArray[np.float64], rr_s: float | None) -> bool:
    """Tell whether a beat has what every heartbeat has.

    Args:
        window: 175 conditioned samples, the R at 70.
        rr_s: seconds since the beat before, if there was one.
    """
    if rr_s is not None and rr_s < QUICKEST_RR_S:
        return False
    core = _around_r(window, CORE_SAMPLES)
    span_mv = span(core)
    if span_mv == 0 or _rest_deviation(window) < DEADEST_REST * span_mv:
        return False
    return _isolated(window, rr_s) and _both_flanks(window) and _one_burst(window, span_mv)


def upright(windows_mv: NDArray[np.float64]) -> bool:
    """Tell of beats, shape (n, 175), whether the median QRS does not reach twice as far down as up.

    In lead I that is rare in a heart, and usual with the electrodes in each other's place.
    """
    beat = np.median(windows_mv, axis=0)
    qrs = (beat - np.median(beat))[BEFORE_R - CORE_SAMPLES : BEFORE_R + CORE_SAMPLES]
    return bool(-qrs.min() < 2 * qrs.max())


def _around_r(window: NDArray[np.float64], samples: int) -> NDArray[np.float64]:
    return window[BEFORE_R - samples : BEFORE_R + samples + 1]


def _rest_deviation(window: NDArray[np.float64]) -> float:
    """Return how much P and T waves and the baseline move, in mV; noise hardly counts."""
    return deviation(np.convolve(window, _SMOOTHER, "same")[_WAVES])


def _isolated(window: NDArray[np.float64], rr_s: float | None) -> bool:
    """Tell whether what is steep lies within the QRS, and most of the beat is quiet."""
    energy = np.zeros(WINDOW_SAMPLES)
    slope = window[2 * SLOPE_SAMPLES :] - window[: -2 * SLOPE_SAMPLES]
    energy[SLOPE_SAMPLES:-SLOPE_SAMPLES] = slope * slope
    beside = np.add.reduce(energy[_BESIDE])
    within = np.add.reduce(_around_r(energy, CORE_SAMPLES))
    if beside > MOST_NEAR * (beside + within):
        return False
    smooth = np.convolve(energy, _SMOOTH, "same")
    steepest = _around_r(smooth, CORE_SAMPLES - 5).max()
    if rr_s is not None and smooth[_between(rr_s)].max(initial=0.0) > LOUDEST_BETWEEN * steepest:
        return False
    rest = np.sort(smooth[_REST])
    median = (rest[(len(rest) - 1) // 2] + rest[len(rest) // 2]) / 2
    return bool(median <= LOUDEST_REST * steepest)


def _between(rr_s: float) -> NDArray[np.bool_]:
    """Tell which samples lie between two beats, as far as none of theirs can be there."""
    rr = rr_s * RATE_HZ
    before, after = CORE_SAMPLES + 5 - rr, min(BETWEEN_RR * rr, BETWEEN_SAMPLES)
    between: NDArray[np.bool_] = ~_NEAR & (before <= _AT) & (after > _AT)
    return between


def _both_flanks(window: NDArray[np.float64]) -> bool:
    """Tell whether it goes up about as steeply as down."""
    wide = _around_r(window, CORE_SAMPLES + EDGE_SAMPLES)
    slope = wide[2 * EDGE_SAMPLES :] - wide[: -2 * EDGE_SAMPLES]
    gentler, steeper = sorted((float(slope.max()), -float(slope.min())))
    return gentler >= LEAST_BACK * steeper


def _one_burst(window: NDArray[np.float64], span_mv: float) -> bool:
    """Tell whether it is as rough as a QRS, and swings no more often than one.

    An oscillation's second differences are to its first as ``(2 sin(pi f / rate))**2``, which gives
    the frequency of one as rough, and so how often that would swing.
    """
    around = _around_r(window, R_SAMPLES + 1)[:-1]
    step = around[1:] - around[:-1]
    first, second = step[1:-1], step[1:] - step[:-1]
    roughness = float(second @ second) / max(float(first @ first), TINY)
    if roughness < LEAST_ROUGH:
        return False
    swings = _swings(_around_r(window, NEAR_SAMPLES).tolist(), SWING * span_mv)
    frequency_hz = RATE_HZ / math.pi * math.asin(min(math.sqrt(roughness) / 2, 1.0))
    expected = 2 * frequency_hz * 2 * NEAR_SAMPLES / RATE_HZ
    return swings < FEWEST_SWINGS or swings <= MOST_FILLED * expected


def _swings(signal: list[float], least: float) -> int:
    """Return how often a signal turns and goes on for more than ``least``."""
    swings = direction = 0
    extreme = signal[0]
    for value in signal:
        if direction == 0:
            if abs(value - extreme) > least:
                direction = 1 if value > extreme else -1
                swings, extreme = 1, value
        elif (value - extreme) * direction > 0:
            extreme = value
        elif (extreme - value) * direction > least:
            direction = -direction
            swings, extreme = swings + 1, value
    return swings
