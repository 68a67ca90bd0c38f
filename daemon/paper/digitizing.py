"""From a picture of a page to a signal: how far off each sample may be, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daemon.paper.errors import PageUnusable
from daemon.paper.ink import find_strips, ink_of
from daemon.paper.page import Picture
from daemon.paper.pulse import Pulse, Scale, find_pulse, scale_of
from daemon.paper.sheet import COARSE_MM, FINE_MM, Paper, Sheet
from daemon.paper.trace import Trace, baseline, follow
from daemon.tables import counted
from dsp.front_end import RATE_HZ

DARK = 100  # median of a picture of bright lines
PEN_MM = (0.1, 1.2)  # no pen is finer or wider
LEAST_QUALITY = 0.5  # 17.5 dB expected: in truth 13 or more, on clean prints (docs/paper.md)
SHORTEST_S = 2.0
BEHIND_PULSE_MM = 1.0
BAD_DB, GOOD_DB = 10.0, 25.0
WANDER_SAMPLES = round(0.8 * RATE_HZ)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user says of a page."""

    mm_per_s: float | None = None
    mm_per_mv: float | None = None
    wave_mm: float | None = None  # from a line to the next, where all are alike
    strip: int | None = None  # from 1, from the top; None for the longest


@dataclass(frozen=True, slots=True, eq=False)
class Digitized:
    """One strip of a page."""

    ecg_mv: NDArray[np.float64]  # at 250 Hz, NaN where there is no ink
    error_mv: NDArray[np.float64]  # standard error of each sample
    quality: float  # 0 to 1
    scale: Scale
    notes: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.ecg_mv) / RATE_HZ


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """A strip, read with so many millimetres from a line to the next."""

    sheet: Sheet
    trace: Trace
    own_pulse: Pulse | None
    pulse: Pulse | None  # its own, or that of the other strips
    number: int
    strips: int


def digitize(picture: Picture, asked: Asked) -> Digitized:
    """Read one strip of a page.

    Raises:
        PageUnusable: it cannot be read, not well enough to be believed, or at no sure scale.
    """
    if np.median(picture[::4, ::4]) < DARK:
        picture = np.asarray(255 - picture, np.uint8)  # of a screen
    paper = Paper(np.ascontiguousarray(picture))
    read, scale, notes = _at_scale(paper, asked)
    if read.strips > 1 and not asked.strip:
        notes.append(f"strip {read.number} of {read.strips} is read, the longest; else --strip")
    ecg_mv, error_mv = _resampled(read.trace, read.own_pulse, scale)
    if len(ecg_mv) < SHORTEST_S * RATE_HZ:
        raise PageUnusable(f"the strip has {len(ecg_mv) / RATE_HZ:.1f} s of ECG: two are needed")
    quality = _quality(read.sheet, read.trace, _expected_db(ecg_mv, error_mv))
    return Digitized(ecg_mv, error_mv, quality, scale, (*notes, *scale.notes))


def _at_scale(paper: Paper, asked: Asked) -> tuple[_Read, Scale, list[str]]:
    """Read a page; where all its lines are alike, the pulse says how far apart they are."""
    if paper.wave_mm and asked.wave_mm and paper.wave_mm != asked.wave_mm:
        raise PageUnusable(
            f"every fifth line is a strong one, by which the lines are {paper.wave_mm:g} mm apart "
            f"and not --grid {asked.wave_mm:g}"
        )
    wave_mm = paper.wave_mm or asked.wave_mm
    if wave_mm:
        read = _read(paper, wave_mm, asked)
        return read, scale_of(read.pulse, asked.mm_per_s, asked.mm_per_mv), []
    fitting = list(_fitting(paper, asked))
    if len(fitting) != 1:
        raise PageUnusable(
            "all lines of the paper are alike, and there is no calibration pulse to say whether "
            "they are 1 or 5 mm apart: give --grid 1 or --grid 5"
        )
    read, scale, wave_mm = fitting[0]
    return read, scale, [f"lines {wave_mm:g} mm apart, by the height of the calibration pulse"]


def _fitting(paper: Paper, asked: Asked) -> Iterator[tuple[_Read, Scale, float]]:
    for wave_mm in (FINE_MM, COARSE_MM):
        try:
            read = _read(paper, wave_mm, asked)
            scale = scale_of(read.pulse, asked.mm_per_s, asked.mm_per_mv)
        except PageUnusable:
            continue
        if read.pulse:
            yield read, scale, wave_mm


def _read(paper: Paper, wave_mm: float, asked: Asked) -> _Read:
    sheet = paper.laid_flat(wave_mm)
    ink = ink_of(sheet.picture)
    rows = find_strips(ink, sheet.px_per_mm)
    followed = [follow(ink, row, rows, sheet.px_per_mm) for row in rows]
    traces = [trace for trace in followed if trace and trace.is_curve]
    if not traces:
        raise PageUnusable("no trace is found: is the page sharp? give --box around one strip")
    pen_mm = float(np.median([trace.pen_mm for trace in traces]))
    if not PEN_MM[0] < pen_mm < PEN_MM[1]:
        raise PageUnusable(
            f"the trace would be {pen_mm:.2f} mm wide, which no pen is: the grid's scale is not "
            "sure; give --box around the strip, or a sharper picture"
        )
    strips = len(traces)
    if asked.strip and asked.strip > strips:
        raise PageUnusable(f"--strip {asked.strip}: {counted(strips, 'strip')} found")
    number = asked.strip or 1 + int(np.argmax([round(t.length_mm / 10) for t in traces]))
    pulses = [find_pulse(trace) for trace in traces]
    own = pulses[number - 1]
    highs = [pulse.high_mm for pulse in pulses if pulse]
    if not own and not asked.mm_per_mv and highs and max(highs) > 1.2 * min(highs):
        raise PageUnusable("the calibration pulses of the other strips differ: give --gain")
    pulse = own or next(filter(None, pulses), None)
    return _Read(sheet, traces[number - 1], own, pulse, number, strips)


def _expected_db(ecg_mv: NDArray[np.float64], error_mv: NDArray[np.float64]) -> float:
    """Return by how much the ECG, without its baseline's wander, is above its standard error."""
    inked = ecg_mv[np.isfinite(ecg_mv)]
    moving = inked - baseline(inked, WANDER_SAMPLES)
    return float(20 * np.log10(max(np.std(moving), 1e-9) / np.nanmean(error_mv)))


def _quality(sheet: Sheet, trace: Trace, expected_db: float) -> float:
    """Judge by how much of grid and ink is where it should be, and how clear the trace is.

    Raises:
        PageUnusable: it is below what may be believed.
    """
    mean_mm = float(np.nanmean(trace.error_mm))
    clear = float(np.clip((expected_db - BAD_DB) / (GOOD_DB - BAD_DB), 0, 1))
    quality = (sheet.agreeing * trace.covered) ** 2 * clear
    if quality >= LEAST_QUALITY:
        return quality
    worst = min(
        (sheet.agreeing**2, "the grid is not even: lay the page flat, or scan it"),
        (trace.covered**2, f"only {trace.covered:.0%} of the trace is inked: more light, or --box"),
        (
            clear,
            f"{mean_mm:.2f} mm unsure, the trace is too low: a sharper picture, 300 dots an inch",
        ),
    )
    raise PageUnusable(
        f"not good enough to be believed (quality {quality:.2f} of {LEAST_QUALITY:g} needed): "
        f"{worst[1]}"
    )


def _resampled(
    trace: Trace, pulse: Pulse | None, scale: Scale
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return signal and standard error in mV at 250 Hz, without the calibration pulse."""
    from scipy.interpolate import CubicSpline

    kept = slice(0, len(trace.up_mm))
    if pulse:
        behind = round(BEHIND_PULSE_MM * trace.px_per_mm)
        is_first = pulse.end_px < len(trace.up_mm) / 2
        kept = slice(pulse.end_px + behind, None) if is_first else slice(0, pulse.begin_px - behind)
    mv, error_mv = (each[kept] / scale.mm_per_mv for each in (trace.up_mm, trace.error_mm))
    column_s = np.arange(len(mv)) / (trace.px_per_mm * scale.mm_per_s)
    inked = np.isfinite(mv)
    time_s = np.arange(0, column_s[-1] if len(column_s) else 0, 1 / RATE_HZ)
    if inked.sum() < 2:
        return np.full(len(time_s), np.nan), np.full(len(time_s), np.nan)
    ecg_mv = CubicSpline(column_s[inked], mv[inked] - np.median(mv[inked]))(time_s)
    error = np.interp(time_s, column_s[inked], error_mv[inked])
    nearest = np.clip(np.rint(time_s * trace.px_per_mm * scale.mm_per_s), 0, len(mv) - 1)
    ecg_mv[~inked[nearest.astype(int)]] = np.nan
    error[np.isnan(ecg_mv)] = np.nan
    return ecg_mv, error
