"""Heart rate variability: in time, in frequency, and non-linear, of corrected RR intervals.

Names and bands are those of the Task Force (Circulation 93:1043-1065, 1996); how long a recording
each figure needs is as Shaffer and Ginsberg (Front Public Health 5:258, 2017) gather it. What
cannot be had is None, and ``reasons`` says why: too short, too much corrected, no variability.

Spectra are Welch's: stretches without a break are cut into segments of 300 s (the longest stretch,
if that is shorter) that overlap by half; each is freed of its trend, tapered (Hann) and weighs the
same. ``welch`` resamples at 4 Hz by cubic splines; ``lomb`` takes the intervals where they are
(Lomb-Scargle). Both are one-sided densities whose integral is the variance in ms^2.

Departures, each with its reason:

- Entropies of more than 1000 intervals are the mean over stretches of 1000: their bias depends on
  the number, and the cost grows with its square.
- DFA is not corrected for small boxes, in which white noise reads 0.57 rather than 0.5 (alpha 1):
  nor are the values that others publish.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from math import log, nan
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dsp.rr_correction import Array, Corrections, RrSeries, corrected

Method: TypeAlias = Literal["welch", "lomb"]
Figures: TypeAlias = dict[str, float]

RESAMPLED_HZ = 4.0
SEGMENT_S = 300.0
BANDS_HZ = {"vlf_ms2": (0.0033, 0.04), "lf_ms2": (0.04, 0.15), "hf_ms2": (0.15, 0.40)}
BIN_MS = 1000 / 128  # of the histogram behind the triangular index
TOLERANCE = 0.2  # standard deviations within which entropies call intervals alike
ENTROPY_INTERVALS = 1000
SHORT_BOXES = np.arange(4, 17)  # intervals, of DFA alpha 1
LONG_BOXES = np.unique(np.geomspace(16, 64, 17).astype(int))
NOTHING_MS2 = 1e-9  # what rounding leaves of a variability that is none
MOST_CORRECTED = 0.05  # share of the intervals, beyond which figures would be the correction's
#: A recording of so many seconds begins and ends within an interval.
CUT_OFF_S = 3.0


@dataclass(frozen=True, slots=True)
class Need:
    """The least that a figure needs."""

    seconds: float
    intervals: int = 2
    unbroken: bool = False  # whether the seconds have to follow on each other
    normal: bool = True  # whether it is worthless of many corrected intervals


def _needs(seconds: float, intervals: int = 2, **more: bool) -> float | None:
    """Declare a figure with what it needs."""
    value: float | None = field(default=None, metadata={"need": Need(seconds, intervals, **more)})
    return value


@dataclass(frozen=True, slots=True)
class Hrv:
    """The variability of a series of RR intervals, with how it was had."""

    method: Method  # of the spectrum
    duration_s: float  # the sum of the intervals
    unbroken_s: float  # the longest stretch without a break
    intervals: int  # between normal beats, after correction
    corrections: Corrections  # what was done to them
    reasons: dict[str, str]  # why a figure is None, by its name
    mean_rr_ms: float | None = _needs(0, normal=False)
    heart_rate_bpm: float | None = _needs(0, normal=False)  # that of the mean interval
    sdnn_ms: float | None = _needs(60)  # standard deviation
    rmssd_ms: float | None = _needs(30)  # root mean square of successive differences
    sdsd_ms: float | None = _needs(30)  # standard deviation of successive differences
    pnn50_percent: float | None = _needs(60)  # successive differences of more than 50 ms
    pnn20_percent: float | None = _needs(60)  # ... of more than 20 ms
    triangular_index: float | None = _needs(300)  # intervals to those of the fullest 7.8 ms
    vlf_ms2: float | None = _needs(300, unbroken=True)  # power from 0.0033 to 0.04 Hz
    lf_ms2: float | None = _needs(120, unbroken=True)  # ... to 0.15 Hz
    hf_ms2: float | None = _needs(60, unbroken=True)  # ... to 0.40 Hz
    lf_hf: float | None = _needs(120, unbroken=True)
    lf_normalised_percent: float | None = _needs(120, unbroken=True)  # of LF and HF together
    hf_normalised_percent: float | None = _needs(120, unbroken=True)
    sd1_ms: float | None = _needs(30)  # width of the Poincare plot
    sd2_ms: float | None = _needs(60)  # its length
    approximate_entropy: float | None = _needs(0, 100)
    sample_entropy: float | None = _needs(0, 100)
    dfa_alpha1: float | None = _needs(0, 64)  # boxes of 4 to 16 intervals
    dfa_alpha2: float | None = _needs(0, 256)  # ... 16 to 64


NEEDS: dict[str, Need] = {each.name: each.metadata["need"] for each in fields(Hrv) if each.metadata}


def hrv(series: RrSeries, method: Method = "welch", *, short_term: bool = False) -> Hrv:
    """Correct a series of RR intervals and measure its variability.

    Args:
        series: the intervals as they were detected.
        method: of the spectrum.
        short_term: leave out what five minutes are too short or too costly for: VLF, triangular
            index, entropies and DFA.
    """
    nn, corrections = corrected(series)
    stretches_s = [nn.rr_ms[each].sum() / 1000 for each in nn.stretches()]
    unbroken_s = float(max(stretches_s, default=0.0))
    parts: list[Callable[[RrSeries], Figures]] = [time_domain, lambda nn: spectral(nn, method)]
    found: Figures = {}
    if len(nn.rr_ms) >= 2:
        for part in parts if short_term else [*parts, non_linear]:
            found |= part(nn)
    told, reasons = {}, {}
    for name in SHORT_TERM if short_term else NEEDS:
        reason = _reason(NEEDS[name], nn, unbroken_s, corrections.share)
        value = found.get(name, nan)
        if reason is None and not np.isfinite(value):
            reason = "the intervals do not vary"
        told[name] = None if reason else float(value)
        if reason:
            reasons[name] = reason
    count = len(nn.rr_ms)
    return Hrv(method, nn.duration_s, unbroken_s, count, corrections, reasons, **told)


#: The figures of five minutes.
SHORT_TERM = tuple(
    name
    for name, need in NEEDS.items()
    if need.seconds < SEGMENT_S and need.intervals < min(SHORT_BOXES) * 16
)


def _reason(need: Need, nn: RrSeries, unbroken_s: float, share: float) -> str | None:
    """Say why a figure cannot be had; None if it can."""
    seconds = unbroken_s if need.unbroken else nn.duration_s
    without = " without a break" if need.unbroken else ""
    if seconds < need.seconds - CUT_OFF_S:
        return f"needs {need.seconds:.0f} s{without}, there are {seconds:.0f}"
    if len(nn.rr_ms) < need.intervals:
        return f"needs {need.intervals} intervals, there are {len(nn.rr_ms)}"
    if need.normal and share > MOST_CORRECTED:
        return f"{share:.0%} of the intervals are corrected, more than {MOST_CORRECTED:.0%}"
    return None


def time_domain(nn: RrSeries) -> Figures:
    """Return the figures in time, and the axes of the Poincare plot, of two intervals or more."""
    rr_ms, step_ms = nn.rr_ms, nn.differences_ms()
    if len(step_ms) < 2:
        step_ms = np.array([nan, nan])
    variance, of_steps = rr_ms.var(ddof=1), step_ms.var(ddof=1)
    bins = np.bincount(((rr_ms - rr_ms.min()) / BIN_MS).astype(int))
    return {
        "mean_rr_ms": rr_ms.mean(),
        "heart_rate_bpm": 60_000 / rr_ms.mean(),
        "sdnn_ms": np.sqrt(variance),
        "rmssd_ms": np.sqrt(np.mean(step_ms**2)),
        "sdsd_ms": np.sqrt(of_steps),
        "pnn50_percent": 100 * np.mean(np.abs(step_ms) > 50),
        "pnn20_percent": 100 * np.mean(np.abs(step_ms) > 20),
        "triangular_index": len(rr_ms) / bins.max(),
        "sd1_ms": np.sqrt(of_steps / 2),
        "sd2_ms": np.sqrt(max(2 * variance - of_steps / 2, 0.0)),
    }


def spectral(nn: RrSeries, method: Method = "welch") -> Figures:
    """Return the power in each band, their ratio, and LF and HF as shares of both."""
    frequency_hz, density = spectrum(nn, method)
    if not len(frequency_hz):
        return {}
    figures: Figures = {}
    for name, (low, high) in BANDS_HZ.items():
        band = (frequency_hz >= low) & (frequency_hz < high)
        figures[name] = float(density[band].sum() * frequency_hz[0])
    lf, hf = figures["lf_ms2"], figures["hf_ms2"]
    ratio = lf / hf if hf > NOTHING_MS2 else nan
    figures["lf_hf"] = ratio
    figures["lf_normalised_percent"] = 100 * ratio / (1 + ratio)
    figures["hf_normalised_percent"] = 100 / (1 + ratio)
    return figures


def spectrum(nn: RrSeries, method: Method = "welch") -> tuple[Array, Array]:
    """Return frequencies in Hz, multiples of the first, and the power density in ms^2/Hz."""
    stretches = [(nn.end_s[each], nn.rr_ms[each]) for each in nn.stretches()]
    longest_s = max((end_s[-1] - end_s[0] for end_s, _ in stretches), default=0.0)
    count = int(min(SEGMENT_S, longest_s) * RESAMPLED_HZ)
    if count < 8:
        return np.empty(0), np.empty(0)
    density_of = _welch if method == "welch" else _lomb
    densities = [
        density_of(*each, count)
        for each in stretches
        if each[0][-1] - each[0][0] >= count / RESAMPLED_HZ
    ]
    weights = [len(each) for each in densities]
    frequencies_hz = np.arange(1, count // 2) * RESAMPLED_HZ / count
    means = [each.mean(axis=0) for each in densities]
    return frequencies_hz, np.average(means, axis=0, weights=weights)


def _welch(end_s: Array, rr_ms: Array, count: int) -> Array:
    """Return the density of each segment of a stretch, resampled at 4 Hz."""
    from scipy.interpolate import CubicSpline  # takes long, and few commands need it

    grid_s = np.arange(end_s[0], end_s[-1] + 1e-9, 1 / RESAMPLED_HZ)
    even_ms = CubicSpline(end_s, rr_ms)(grid_s)
    starts = range(0, len(even_ms) - count + 1, count // 2)
    segments = np.array([even_ms[start : start + count] for start in starts])
    taper = np.hanning(count + 1)[:-1]
    power = np.abs(np.fft.rfft(_detrended(segments, np.arange(count)) * taper)) ** 2
    return np.asarray(2 * power[:, 1 : count // 2] / RESAMPLED_HZ / np.sum(taper**2))


def _lomb(end_s: Array, rr_ms: Array, count: int) -> Array:
    """Return the density of each segment of a stretch, from the intervals where they are."""
    from scipy.signal import lombscargle

    length_s = count / RESAMPLED_HZ
    angular = 2 * np.pi * np.arange(1, count // 2) / length_s
    densities = []
    for start_s in np.arange(end_s[0], end_s[-1] - length_s + 1e-9, length_s / 2):
        inside = (end_s >= start_s) & (end_s < start_s + length_s)
        time_s = end_s[inside] - start_s
        part_ms = _detrended(rr_ms[inside], time_s)
        taper = (1 - np.cos(2 * np.pi * time_s / length_s)) / 2
        power = lombscargle(time_s, part_ms * taper, angular)
        densities.append(2 * length_s * power / np.sum(taper**2))
    return np.array(densities)


def _detrended(rows: Array, places: NDArray[np.generic]) -> Array:
    """Return values, or each row of them, without their mean and their straight line."""
    place = places - places.mean()
    rows = rows - rows.mean(axis=-1, keepdims=True)
    slopes = (rows * place).sum(axis=-1, keepdims=True) / (place**2).sum()
    return np.asarray(rows - slopes * place)


def non_linear(nn: RrSeries) -> Figures:
    """Return the entropies and the exponents of the detrended fluctuation analysis."""
    approximate, sample = np.array([*_entropies(nn)]).T
    return {
        "approximate_entropy": _mean(approximate),
        "sample_entropy": _mean(sample),
        "dfa_alpha1": dfa(nn, SHORT_BOXES),
        "dfa_alpha2": dfa(nn, LONG_BOXES),
    }


def _mean(values: Array) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else nan


def _entropies(nn: RrSeries) -> Iterator[tuple[float, float]]:
    """Yield approximate and sample entropy of the stretches of at most 1000 intervals."""
    parts = max(len(nn.rr_ms) // ENTROPY_INTERVALS, 1)
    for places in np.array_split(np.arange(len(nn.rr_ms)), parts):
        yield entropies(nn.rr_ms[places], nn.begins[places])


def entropies(rr_ms: Array, begins: NDArray[np.bool_]) -> tuple[float, float]:
    """Return approximate and sample entropy: how new the interval after two is (natural log).

    Pincus 1991 (PNAS 88:2297) and Richman and Moorman 2000 (Am J Physiol 278:H2039). Patterns
    across a break do not count.
    """
    alike = np.abs(rr_ms[:, None] - rr_ms) <= TOLERANCE * rr_ms.std(ddof=1)
    pairs = alike[:-1, :-1] & alike[1:, 1:]
    triples = pairs[:-1, :-1] & alike[2:, 2:]
    stretch = np.cumsum(begins)
    two, three = stretch[:-1] == stretch[1:], stretch[:-2] == stretch[2:]
    if three.sum() < 2:
        return nan, nan
    of_two, of_three = (
        near[np.ix_(whole, whole)].sum(axis=1) for near, whole in ((pairs, two), (triples, three))
    )
    approximate = np.log(of_two / len(of_two)).mean() - np.log(of_three / len(of_three)).mean()
    continued = pairs[:-1, :-1][np.ix_(three, three)].sum() - len(of_three)  # but for themselves
    matches = of_three.sum() - len(of_three)
    return float(approximate), -log(matches / continued) if matches else nan


def dfa(nn: RrSeries, boxes: NDArray[np.int_]) -> float:
    """Return the exponent of the detrended fluctuation analysis over the sizes of boxes.

    Peng et al. 1995 (Chaos 5:82): 0.5 for white noise, 1 for 1/f noise, 1.5 for a random walk. NaN
    if nothing fluctuates. No box lies across a break.
    """
    profiles = [np.cumsum(nn.rr_ms[each] - nn.rr_ms.mean()) for each in nn.stretches()]
    fluctuations = []
    for size in boxes:
        cut = [profile[: len(profile) // size * size].reshape(-1, size) for profile in profiles]
        rows = _detrended(np.concatenate(cut), np.arange(size))
        fluctuations.append(np.mean(rows**2) if len(rows) else nan)
    squares = np.array(fluctuations)
    if not np.all(squares > NOTHING_MS2):
        return nan
    return float(np.polyfit(np.log(boxes), np.log(squares) / 2, 1)[0])
