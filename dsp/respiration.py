"""Breathing, from the impedance of the chest and from two marks that it leaves in the ECG.

    impedance      channel 1 rises and falls with the chest
    R amplitude    the heart turns and the baseline moves
    RSA            the heart beats faster while breathing in (respiratory sinus arrhythmia)

Each wave is looked at over a minute. Its rate is the highest peak of its spectrum (Hann) from 6 to
42 a minute, below half the heart rate for marks that come once a beat. Its quality is the share of
the band's power that lies in that peak: 0.8 or more for even breathing, 0.3 for noise. The fused
spectrum is the mean of the three, each of unit power, weighed by the square of its quality, so that
a wave which does not know is not heard (compare Karlen et al., IEEE TBME 60:1946-1953, 2013).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsp.rr_correction import Array, RrSeries

WINDOW_S = 60.0
WAVE_HZ = 4.0
BAND_HZ = (0.1, 0.7)
ABOVE_PRESSURE_HZ = 0.14  # of RSA: blood pressure moves the heart rate at 0.1 Hz
LOBE_HZ = 2 / WINDOW_S  # half the width of a Hann window's peak
LEAST_QUALITY = 0.55  # of a thousand minutes of noise, one or two reach it
LEAKAGE = 0.01  # of the whole power: less in the band has leaked into it from outside
LONGEST_GAP_S = 6.0  # without a value: a breath may be lost in it
OUTLIER = 3.0  # times the median deviation, beyond which a beat is an odd one
SPECTRUM = 4096  # points of the transform: the grid is finer than a tenth of a breath a minute
FREQUENCY_HZ = np.fft.rfftfreq(SPECTRUM, 1 / WAVE_HZ)


@dataclass(frozen=True, slots=True)
class Breathing:
    """What one wave, or all together, says of a minute's breathing."""

    rate_per_min: float | None  # None if the quality is too low to tell
    quality: float | None  # 0 to 1: how much of the power is in one peak; None without a wave


@dataclass(frozen=True, slots=True)
class Respiration:
    """A minute's breathing."""

    fused: Breathing
    impedance: Breathing
    r_amplitude: Breathing
    rsa: Breathing


UNKNOWN = Breathing(None, None)


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Values at their times, which ascend but need not be even."""

    time_s: Array
    values: Array
    band_hz: tuple[float, float] = BAND_HZ  # where they may show breathing


def marks_of_beats(r_s: Array, r_mv: Array, series: RrSeries) -> tuple[Marks, Marks]:
    """Return the marks of breathing in beats: R amplitude and RSA.

    Args:
        r_s: when the beats came, ascending.
        r_mv: their R amplitudes.
        series: the intervals between them.
    """
    most_hz = min(500 / float(np.median(series.rr_ms)), BAND_HZ[1]) if len(series.rr_ms) else 0.0
    amplitude = Marks(r_s, r_mv, (BAND_HZ[0], most_hz))
    return amplitude, Marks(series.end_s, series.rr_ms, (ABOVE_PRESSURE_HZ, most_hz))


def respiration(
    impedance: Marks | None, r_amplitude: Marks, rsa: Marks, until_s: float
) -> Respiration:
    """Return the breathing of the minute before a time; ``impedance`` may be off, which is None."""
    spectra = [
        _spectrum(marks, until_s) if marks else None for marks in (impedance, r_amplitude, rsa)
    ]
    each = [UNKNOWN if spectrum is None else _judged(spectrum) for spectrum in spectra]
    heard = [
        (breathing.quality or 0.0) ** 2 * spectrum
        for breathing, spectrum in zip(each, spectra, strict=True)
        if spectrum is not None
    ]
    fused = _judged(np.sum(heard, axis=0)) if heard else UNKNOWN
    return Respiration(fused, *each)


def wave(marks: Marks, until_s: float) -> Array | None:
    """Return a minute's wave at 4 Hz, without mean and trend; None if too little was measured.

    What is far off is cut back: a beat that is none, or a movement.
    """
    edges_s = (until_s - WINDOW_S - LONGEST_GAP_S, until_s)
    inside = slice(*np.searchsorted(marks.time_s, edges_s, "right"))
    time_s, values = marks.time_s[inside], marks.values[inside]
    grid_s = until_s - WINDOW_S + np.arange(1, round(WINDOW_S * WAVE_HZ) + 1) / WAVE_HZ
    edges = np.concatenate([[until_s - WINDOW_S], time_s[time_s > until_s - WINDOW_S], [until_s]])
    if len(time_s) < 10 or np.max(np.diff(edges)) > LONGEST_GAP_S:
        return None
    middle = np.median(values)
    limit = OUTLIER * np.median(np.abs(values - middle))
    even = np.interp(grid_s, time_s, np.clip(values, middle - limit, middle + limit))
    place = np.linspace(-1, 1, len(even))
    even = even - even.mean()
    return np.asarray(even - place * (even @ place) / (place @ place))


def _spectrum(marks: Marks, until_s: float) -> Array | None:
    """Return the power in the band, of unit sum or 0; None without a wave that moves."""
    even = wave(marks, until_s)
    if even is None:
        return None
    power = np.abs(np.fft.rfft(even * np.hanning(len(even)), SPECTRUM)) ** 2
    whole = power.sum()
    if not whole:
        return None
    lowest_hz, highest_hz = marks.band_hz
    power[np.abs(FREQUENCY_HZ - (lowest_hz + highest_hz) / 2) > (highest_hz - lowest_hz) / 2] = 0
    total = power.sum()
    return np.asarray(power / total if total > LEAKAGE * whole else np.zeros(len(power)))


def _judged(spectrum: Array) -> Breathing:
    """Return the rate at the highest peak, and how much of the power lies there."""
    highest = int(np.argmax(spectrum))
    # Nothing, or the flank of a peak outside the band.
    if not highest or not spectrum[highest - 1 : highest + 2].all():
        return Breathing(None, 0.0)
    rate_hz = FREQUENCY_HZ[highest]
    near = np.abs(FREQUENCY_HZ - rate_hz) <= LOBE_HZ
    quality = float(spectrum[near].sum() / spectrum.sum())
    return Breathing(float(60 * rate_hz) if quality >= LEAST_QUALITY else None, round(quality, 3))
