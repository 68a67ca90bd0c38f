"""P, QRS and T of an averaged beat: PR, QRS duration, QT and QTc, and the level of the ST segment.

Beats of some ten seconds are averaged, since a single one is too noisy to see where a wave begins.
QRS begins and ends where the slope, smoothed over 20 ms, falls below a share of its highest. P and
T end where the trapezium between their steepest point and the pause after them is largest (after
Vazquez-Seisdedos et al., Biomed Eng Online 10:43, 2011); the onset of P is the same leftwards.

The signal is filtered forwards and backwards (0.5 to 40 Hz), so that no wave moves. It is another
one than the detector's, whose filters are causal. A wave that does not stand out is None, as P in
atrial fibrillation. One lead shows less than twelve: where a wave is level in it, it begins late.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from dsp.rr_correction import Array

RATE_HZ = 250.0
BEFORE_S, AFTER_S = 0.32, 0.60  # of the R peak
MOST_OF_RR = 0.70  # of the interval: what comes later is the next beat
FEWEST_BEATS = 3
ALIKE = 0.85  # correlation with the median beat, below which a beat is not averaged
SLOPE_S = 0.020
ONSET_SLOPE, END_SLOPE = 0.08, 0.07  # of the highest; these and the reaches: on LUDB's 140 hearts
QRS_S = (0.12, 0.16)  # before and after R: where QRS is looked for
T_AFTER_S = 0.08  # the end of QRS
P_BEFORE_S = 0.012  # the onset of QRS
P_HALF_S = 0.09  # from its peak, in which P begins and ends
REACH_S = 0.10  # from its steepest point, in which a wave comes to rest
LEAST_MV = 0.03  # of P and T, to stand out
J_S = 0.060  # after the end of QRS: where the ST level is read


@dataclass(frozen=True, slots=True)
class Waves:
    """Where the waves of an averaged beat begin and end, in seconds from the R peak."""

    p_onset_s: float | None
    p_end_s: float | None
    qrs_onset_s: float | None
    qrs_end_s: float | None
    t_end_s: float | None


@dataclass(frozen=True, slots=True)
class Intervals:
    """Intervals of one averaged beat; None where a wave does not stand out."""

    beats: int  # that were averaged
    rr_ms: float | None  # their median interval
    pr_ms: float | None  # from the onset of P to that of QRS
    qrs_ms: float | None
    qt_ms: float | None
    qtc_bazett_ms: float | None
    qtc_fridericia_ms: float | None
    st_mv: float | None  # 60 ms after QRS, from the level before it
    waves: Waves


NOTHING = Waves(None, None, None, None, None)


def measure_intervals(ecg_mv: Array, r_indices: NDArray[np.int64]) -> Intervals:
    """Measure some ten seconds of raw ECG at 250 Hz with the R peaks in it."""
    rr_s = float(np.median(np.diff(r_indices))) / RATE_HZ if len(r_indices) > 1 else 0.0
    beat_mv, count = average_beat(ecg_mv, r_indices, rr_s)
    if beat_mv is None:
        return Intervals(count, 1000 * rr_s or None, None, None, None, None, None, None, NOTHING)
    waves = find_waves(beat_mv, rr_s)
    st_mv = None
    if waves.qrs_onset_s is not None and waves.qrs_end_s is not None:
        st_mv = _at(beat_mv, waves.qrs_end_s + J_S) - _at(beat_mv, waves.qrs_onset_s)
    qt_ms = _between_ms(waves.qrs_onset_s, waves.t_end_s)
    return Intervals(
        count,
        1000 * rr_s,
        _between_ms(waves.p_onset_s, waves.qrs_onset_s),
        _between_ms(waves.qrs_onset_s, waves.qrs_end_s),
        qt_ms,
        None if qt_ms is None else qt_ms / sqrt(rr_s),
        None if qt_ms is None else qt_ms / rr_s ** (1 / 3),
        st_mv,
        waves,
    )


def average_beat(
    ecg_mv: Array, r_indices: NDArray[np.int64], rr_s: float
) -> tuple[Array | None, int]:
    """Return the mean of the beats that look alike, and how many; None if there are too few."""
    before, after = round(BEFORE_S * RATE_HZ), round(min(AFTER_S, MOST_OF_RR * rr_s) * RATE_HZ)
    recorded = np.isfinite(ecg_mv)
    if len(r_indices) < FEWEST_BEATS or recorded.sum() < RATE_HZ:
        return None, 0
    filtered_mv = filtered(ecg_mv)
    whole = [int(r) for r in r_indices if r >= before and r + after < len(ecg_mv)]
    rows = [r for r in whole if recorded[r - before : r + after + 1].all()]
    if len(rows) < FEWEST_BEATS:
        return None, len(rows)
    beats = np.array([filtered_mv[r - before : r + after + 1] for r in rows])
    median = np.median(beats, axis=0)
    alike = np.corrcoef(beats, median)[-1, :-1] > ALIKE
    count = int(alike.sum())
    return (beats[alike].mean(axis=0) if count >= FEWEST_BEATS else None), count


def filtered(ecg_mv: Array) -> Array:
    """Return an ECG from 0.5 to 40 Hz, no wave of it moved; what is missing is a straight line."""
    from scipy.signal import sosfiltfilt  # takes long, and few commands need it

    recorded = np.isfinite(ecg_mv)
    place = np.arange(len(ecg_mv))
    bridged = np.interp(place, place[recorded], ecg_mv[recorded])
    return np.asarray(sosfiltfilt(_band(), bridged))


@cache
def _band() -> Array:
    from scipy.signal import butter

    return np.asarray(butter(2, (0.5, 40), "bandpass", fs=RATE_HZ, output="sos"))


def find_waves(beat_mv: Array, rr_s: float) -> Waves:
    """Return where the waves of an averaged beat are, whose R is ``BEFORE_S`` from its begin."""
    r = round(BEFORE_S * RATE_HZ)
    onset, end = _qrs_limits(beat_mv, r)
    t_end = _t_end(beat_mv[round(end + T_AFTER_S * RATE_HZ) :])
    if t_end is not None:
        t_end += round(end + T_AFTER_S * RATE_HZ)
    # The T wave of the beat before may reach into the begin.
    first = 0 if t_end is None else max(0, round(t_end - rr_s * RATE_HZ))
    p_onset, p_end = _p_limits(beat_mv[first : round(onset - P_BEFORE_S * RATE_HZ)])
    places = (
        None if p_onset is None else p_onset + first,
        None if p_end is None else p_end + first,
        onset,
        end,
        t_end,
    )
    return Waves(*(None if place is None else float(place - r) / RATE_HZ for place in places))


def _qrs_limits(beat_mv: Array, r: int) -> tuple[float, float]:
    """Return where the smoothed slope falls below its share of the highest, on either side of R."""
    width = round(SLOPE_S * RATE_HZ)
    slope = np.sqrt(np.convolve(np.gradient(beat_mv) ** 2, np.ones(width) / width, "same"))
    first, last = r - round(QRS_S[0] * RATE_HZ), r + round(QRS_S[1] * RATE_HZ)
    left, right = slope[first : r + 1][::-1], slope[r : last + 1]
    highest = max(left.max(), right.max())
    return (
        r - _falls_below(left, ONSET_SLOPE * highest),
        r + _falls_below(right, END_SLOPE * highest),
    )


def _falls_below(slope: Array, limit: float) -> float:
    """Return where a slope falls below a limit, the first time after its steepest point."""
    steepest = int(np.argmax(slope))
    below = np.flatnonzero(slope[steepest:] < limit)
    if not len(below):
        return float(len(slope) - 1)
    place = steepest + int(below[0])
    if place == 0:
        return 0.0
    return float(place - (limit - slope[place]) / (slope[place - 1] - slope[place]))


def _t_end(after_mv: Array) -> int | None:
    """Return where T ends in what follows QRS; None if there is no T to speak of."""
    if len(after_mv) < round(0.1 * RATE_HZ):
        return None
    height_mv = np.abs(after_mv - after_mv[-5:].mean())
    peak = int(np.argmax(height_mv))
    if height_mv[peak] < LEAST_MV:
        return None
    return _trapezium(after_mv, peak)


def _p_limits(before_mv: Array) -> tuple[int | None, int | None]:
    """Return where P begins and ends in what lies between T and QRS; None if it does not show."""
    if len(before_mv) < round(0.06 * RATE_HZ):
        return None, None
    line = np.linspace(before_mv[0], before_mv[-1], len(before_mv))
    height_mv = np.abs(before_mv - line)
    peak = int(np.argmax(height_mv))
    if height_mv[peak] < LEAST_MV:
        return None, None
    reach = round(P_HALF_S * RATE_HZ)
    begin = max(0, peak - reach)
    backwards = before_mv[begin : peak + 1][::-1]
    return peak - _trapezium(backwards, 0), _trapezium(before_mv[: peak + reach + 1], peak)


def _trapezium(wave_mv: Array, peak: int) -> int:
    """Return where a wave has come to rest after its peak."""
    steepest = peak + int(np.argmax(np.abs(np.gradient(wave_mv)[peak:])))
    places = np.arange(steepest, min(steepest + round(REACH_S * RATE_HZ) + 1, len(wave_mv)))
    area = (wave_mv[steepest] - wave_mv[places]) * (2 * places[-1] - places - steepest)
    return int(places[np.argmax(np.abs(area))])


def _between_ms(begin_s: float | None, end_s: float | None) -> float | None:
    return None if begin_s is None or end_s is None else 1000 * (end_s - begin_s)


def _at(beat_mv: Array, time_s: float) -> float:
    place = (BEFORE_S + time_s) * RATE_HZ
    return float(np.interp(place, np.arange(len(beat_mv)), beat_mv))
