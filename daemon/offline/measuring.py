"""Measures what the heart of a recording of any length does: its variability, its waves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daemon.offline.analysis import FoundBeats, OfRecording, Readable, listen
from daemon.offline.excerpt import Excerpt
from daemon.offline.pieces import STRIP_SAMPLES
from daemon.recordings.recording import OpenRecording
from daemon.recordings.signal_file import Reading
from dsp.front_end import RATE_HZ
from dsp.hrv import NEEDS, Hrv, Method, hrv
from dsp.intervals import Intervals
from dsp.respiration import WINDOW_S, Marks, Respiration, marks_of_beats, respiration
from dsp.rr_correction import RrSeries

CHEST_SAMPLES = 25  # that are averaged to one


@dataclass(frozen=True, slots=True)
class Variability(OfRecording):
    """The heart rate variability and the breathing of one recording."""

    rr: RrSeries  # the intervals between its R peaks, as detected
    hrv: Hrv  # of them
    breathing: tuple[Respiration, ...]  # of each minute, one after the other

    def figures(self) -> dict[str, Any]:
        """Return all of it by names, for JSON."""
        needs = {name: asdict(need) for name, need in NEEDS.items()}
        minutes = [*map(asdict, self.breathing)]
        return {"record": self.path, **asdict(self.hrv), "needs": needs, "breathing": minutes}


def measure_variability(
    path: str,
    signal: str | None = None,
    mains_hz: int = 50,
    reading: Reading | None = None,
    method: Method = "welch",
) -> Variability:
    """Find the heartbeats of a recording, how their intervals vary, and the breathing.

    Raises:
        RecordingError: it cannot be read.
    """
    recording = OpenRecording(path, signal, reading)
    return variability_of(listen(recording, mains_hz), recording, method)


def variability_of(
    found: FoundBeats, recording: OpenRecording | Excerpt, method: Method = "welch"
) -> Variability:
    """Measure the variability and the breathing of a recording that was listened to.

    Args:
        found: what was heard.
        recording: the recording, for what channel 1 saw.
        method: of the spectrum.
    """
    heard, r_s = found.heard, found.r_indices / RATE_HZ
    series = RrSeries.of_beats(r_s, heard.after_break)
    marks = marks_of_beats(r_s, heard.r_mv, series)
    chest = _chest(recording)
    minutes = np.arange(WINDOW_S, found.duration_s + 1 / RATE_HZ, WINDOW_S)
    breathing = tuple(respiration(chest, *marks, float(until_s)) for until_s in minutes)
    return Variability(*found.told, series, hrv(series, method), breathing)


def _chest(recording: OpenRecording | Excerpt) -> Marks | None:
    """Return what channel 1 saw of the chest, ten times a second; None without such a signal."""
    blocks = recording.respiration_blocks()
    if blocks is None:
        return None
    means = [
        strip[: len(strip) // CHEST_SAMPLES * CHEST_SAMPLES].reshape(-1, CHEST_SAMPLES).mean(axis=1)
        for _, strip in _strips(blocks)
    ]
    chest_mv = np.concatenate(means)
    time_s = (np.arange(len(chest_mv)) + 0.5) * CHEST_SAMPLES / RATE_HZ
    recorded = np.isfinite(chest_mv)
    return Marks(time_s[recorded], chest_mv[recorded])


@dataclass(frozen=True, slots=True)
class Delineation(OfRecording):
    """The waves of one recording's averaged beats."""

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
    return delineation_of(listen(OpenRecording(path, signal, reading), mains_hz, waves=True))


def delineation_of(found: FoundBeats) -> Delineation:
    """Return the waves of a recording that was listened to for them."""
    return Delineation(*found.told, found.heard.strips)


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """Ten seconds of a recording, or what there is of the last ones."""

    begin: int  # its first sample at 250 Hz
    ecg_mv: NDArray[np.float64]  # raw, NaN where nothing was recorded
    r_indices: NDArray[np.int64]  # its R peaks, from its begin


def strips_with_beats(recording: Readable, r_indices: NDArray[np.int64]) -> Iterator[Strip]:
    """Yield a recording's strips of ten seconds with the R peaks in each, given in order."""
    for begin, ecg_mv in _strips(recording.blocks()):
        first, last = np.searchsorted(r_indices, (begin, begin + len(ecg_mv)))
        yield Strip(begin, ecg_mv, r_indices[first:last] - begin)


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
