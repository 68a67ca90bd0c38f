"""Pages that are drawn, spoilt and read back: how much of the ECG is left, or was it refused?"""

from __future__ import annotations

import resource
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.paper.pages import Image
from daemon.offline.analysis import analyse_recording
from daemon.paper.digitizing import Asked, digitize
from daemon.paper.errors import PageUnusable
from daemon.recordings.recording import Recording
from dsp.front_end import RATE_HZ

EDGE_S = 0.1  # at both ends, where the pen begins and ends
SHIFT_S = 0.35  # that a strip may begin before or after what was printed: paper has no clock
R_REACH_S = 0.05


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of one page; of one that was refused, only why."""

    refused: str | None
    seconds: float  # of a processor
    snr_db: float = np.nan
    r_error_percent: float = np.nan  # median of the beats
    rate_error_per_minute: float = np.nan
    quality: float = np.nan
    within_two_errors: float = np.nan  # share of the samples that are off by two standard errors


def read_back(page: Image, true_mv: NDArray[np.float64], asked: Asked | None = None) -> Reading:
    """Read a page, and compare it with what was printed."""
    begin_s = _processor_s()
    try:
        found = digitize(page, asked or Asked())
    except PageUnusable as refusal:
        return Reading(str(refusal), _processor_s() - begin_s)
    seconds = _processor_s() - begin_s
    read_mv, error_mv, kept_mv = _aligned(found.ecg_mv, found.error_mv, true_mv)
    off = read_mv - kept_mv
    off -= off.mean()
    beats, read_beats = _beats(kept_mv), _beats(read_mv)
    return Reading(
        None,
        seconds,
        snr_db=float(10 * np.log10(np.var(kept_mv) / np.var(off))),
        r_error_percent=100 * _r_error(read_mv, kept_mv, beats),
        rate_error_per_minute=abs(_rate(beats) - _rate(read_beats)),
        quality=found.quality,
        within_two_errors=float((np.abs(off) < 2 * error_mv).mean()),
    )


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _aligned(
    read_mv: NDArray[np.float64], error_mv: NDArray[np.float64], true_mv: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return what was read where it fits best, its errors, and what was printed there."""
    from scipy.interpolate import CubicSpline

    inked = np.flatnonzero(np.isfinite(read_mv))
    curve = CubicSpline(inked, read_mv[inked])
    edge = round(EDGE_S * RATE_HZ)
    at = np.arange(edge, len(true_mv) - edge)
    best, begin = np.inf, 0.0
    for step in (1.0, 0.1):
        reach = SHIFT_S * RATE_HZ if step == 1 else 1
        for shift in np.arange(begin - reach, begin + reach, step):
            off = curve(np.clip(at + shift, inked[0], inked[-1])) - true_mv[at]
            if (spread := float(np.var(off))) < best:
                best, begin = spread, float(shift)
    at = at[(at + begin >= inked[0]) & (at + begin <= inked[-1])]
    return curve(at + begin), np.interp(at + begin, inked, error_mv[inked]), true_mv[at]


def _beats(mv: NDArray[np.float64]) -> NDArray[np.int64]:
    found = analyse_recording(Recording("", "", mv)).r_peaks
    return np.array([peak.index for peak in found], np.int64)


def _rate(beats: NDArray[np.int64]) -> float:
    return float(60 * RATE_HZ / np.diff(beats).mean()) if len(beats) > 1 else np.nan


def _r_error(
    read_mv: NDArray[np.float64], true_mv: NDArray[np.float64], beats: Iterable[int]
) -> float:
    reach = round(R_REACH_S * RATE_HZ)
    errors = []
    for beat in beats:
        near = slice(max(0, beat - reach), beat + reach)
        high, true = (mv[near].max() - np.median(mv) for mv in (read_mv, true_mv))
        errors.append(abs(high / true - 1))
    return float(np.median(errors)) if errors else np.nan
