"""Measures what the heart of a recording of any length does: its variability, its waves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daemon.offline.hearing import ChainRun, find_beats
from daemon.recordings.recording import OpenRecording
from daemon.recordings.signal_file import Reading
from dsp.front_end import RATE_HZ
from dsp.hrv import Hrv, Method, hrv
from dsp.intervals import Intervals, measure_intervals
from dsp.rr_correction import RrSeries
from dsp.signals import RPeak

STRIP_SAMPLES = round(10 * RATE_HZ)  # of which beats are averaged


@dataclass(frozen=True, slots=True)
class Variability:
    """The heart rate variability of one recording."""

    path: str  # the recording, as given
    duration_s: float  # its length
    notes: tuple[str, ...]  # what had to be assumed or mended to read it
    nothing_because: str | None  # why there is not one good beat; None if there is
    hrv: Hrv  # of its R peaks


def measure_variability(
    path: str,
    signal: str | None = None,
    mains_hz: int = 50,
    reading: Reading | None = None,
    method: Method = "welch",
) -> Variability:
    """Find the heartbeats of a recording and measure how their intervals vary.

    Raises:
        RecordingError: it cannot be read.
    """
    run = ChainRun(OpenRecording(path, signal, reading), mains_hz)
    rows = [(event.index, event.rr_s is None) for event in run.events() if isinstance(event, RPeak)]
    indices, after_break = np.array(sorted(rows)).reshape(-1, 2).T
    series = RrSeries.of_beats(indices / RATE_HZ, after_break.astype(bool))
    found = hrv(series, method)
    return Variability(path, run.duration_s, run.notes(), run.nothing_because(), found)


@dataclass(frozen=True, slots=True)
class Delineation:
    """The waves of one recording's averaged beats."""

    path: str  # the recording, as given
    duration_s: float  # its length
    notes: tuple[str, ...]  # what had to be assumed or mended to read it
    nothing_because: str | None  # why there is not one good beat; None if there is
    strips: tuple[Intervals, ...]  # of each ten seconds, one after the other

    def median(self, name: str) -> float | None:
        """Return the median of an interval over the strips; None if no strip shows it."""
        values = [getattr(strip, name) for strip in self.strips]
        known = [value for value in values if value is not None]
        return float(np.median(known)) if known else None


def delineate(
    path: str, signal: str | None = None, mains_hz: int = 50, reading: Reading | None = None
) -> Delineation:
    """Average the beats of each ten seconds of a recording, and measure their waves.

    Raises:
        RecordingError: it cannot be read.
    """
    found = find_beats(path, signal, mains_hz, reading)
    strips = []
    for begin, ecg_mv in _strips(OpenRecording(path, signal, reading).blocks()):
        first, last = np.searchsorted(found.r_indices, (begin, begin + len(ecg_mv)))
        strips.append(measure_intervals(ecg_mv, found.r_indices[first:last] - begin))
    return Delineation(path, found.duration_s, found.notes, found.nothing_because, tuple(strips))


def _strips(blocks: Iterable[NDArray[np.float64]]) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Yield ten seconds after the other, each with the index of its first sample."""
    begin, held = 0, np.empty(0)
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) >= STRIP_SAMPLES:
            yield begin, held[:STRIP_SAMPLES]
            begin, held = begin + STRIP_SAMPLES, held[STRIP_SAMPLES:]
    if len(held):
        yield begin, held
