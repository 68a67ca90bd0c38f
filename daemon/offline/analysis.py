"""Runs the signal chain over recordings, several at a time on as many cores: R peaks and beats."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from time import perf_counter
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from daemon.offline.no_beats import why_no_good_beat
from daemon.offline.pieces import (
    PIECE_SAMPLES,
    Heard,
    Item,
    Outcome,
    cut,
    hear,
    two_at_a_time,
    worker_processes,
)
from daemon.offline.scoring import Scope, Score, score
from daemon.recordings.annotations import read_annotations
from daemon.recordings.recording import OpenRecording
from daemon.recordings.replay import Step, chain_events, chain_steps
from daemon.recordings.signal_file import Reading
from dsp.front_end import RATE_HZ
from dsp.hum import GRIDS_HZ, hum_mv, telling
from dsp.options import RhythmOptions
from dsp.segmenter import WINDOW_SAMPLES
from dsp.signals import BeatWindow, Event, RPeak

WORTH_PROCESSES_S = 2.0  # starting them takes about one
HUM_S = 10.0  # of a recording, looked at for hum
NOTICED_MV = 0.03  # of hum: less hardly spoils a beat
EXCERPT_SAMPLES = 15_000  # a minute

#: Who does some work: an executor, or so many processes; None for as many as there are cores.
Workers: TypeAlias = Executor | int | None


class Readable(Protocol):
    """A recording that is read in blocks."""

    @property
    def path(self) -> str:
        """Where it was read from, as given."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What had to be assumed or mended, complete once the blocks have been read."""

    @property
    def lead_off_s(self) -> tuple[tuple[float, float], ...]:
        """When an electrode was off, begin and end, as far as it says so."""

    def blocks(self) -> Iterator[NDArray[np.float64]]:
        """Yield the ECG in mV at 250 Hz, NaN where nothing was recorded."""


@dataclass(frozen=True, slots=True, eq=False)
class OfRecording:
    """What every work on one recording tells; each adds what it was done for."""

    path: str  # the recording, as given
    duration_s: float  # its length
    notes: tuple[str, ...]  # what had to be assumed or mended to read it
    nothing_because: str | None  # why there is not one good beat; None if there is

    @property
    def told(self) -> tuple[str, float, tuple[str, ...], str | None]:
        """All of it, to tell it again of what else is made of the recording."""
        return self.path, self.duration_s, self.notes, self.nothing_because


@dataclass(frozen=True, slots=True)
class Analysis(OfRecording):
    """R peaks, beats and interruptions of one recording, as ``analyse`` finds them."""

    events: tuple[Event, ...]  # R peaks, beats and interruptions, in the order in which they came

    @property
    def r_peaks(self) -> list[RPeak]:
        """The heartbeats, in time order."""
        peaks = [event for event in self.events if isinstance(event, RPeak)]
        return sorted(peaks, key=lambda peak: peak.index)

    @property
    def beats(self) -> list[BeatWindow]:
        """The beats that were cut out whole."""
        return [event for event in self.events if isinstance(event, BeatWindow)]

    @property
    def windows_mv(self) -> NDArray[np.float64]:
        """The beats as the network's input before normalisation: shape (beats, 175)."""
        windows = [beat.ecg_mv for beat in self.beats]
        return np.array(windows, dtype=np.float64).reshape(-1, WINDOW_SAMPLES)


@dataclass(frozen=True, slots=True, eq=False)
class FoundBeats(OfRecording):
    """What was heard in one recording."""

    heard: Heard
    score: Score | None = None  # against annotations; None where none were asked for

    @property
    def r_indices(self) -> NDArray[np.int64]:
        """The samples in which the R waves peak, ascending."""
        return self.heard.r_indices


class ChainRun:
    """One run of a recording, block after block, through a fresh signal chain.

    Args:
        recording: the recording.
        mains_hz: frequency of the grid, 50 or 60.
        inverted: turn it upside down, as it would be with the two electrodes in each other's place.
    """

    def __init__(self, recording: Readable, mains_hz: int, *, inverted: bool = False) -> None:
        self._recording = recording
        self._mains_hz = mains_hz
        self._sign = -1 if inverted else 1
        self._lead_off = [(off * RATE_HZ, on * RATE_HZ) for off, on in recording.lead_off_s]
        self._begin = np.empty(0)  # of what was recorded, to look at if nothing is found
        self._length = 0

    @property
    def duration_s(self) -> float:
        """Length of what has run through in seconds."""
        return self._length / RATE_HZ

    def events(self) -> Iterator[Event]:
        """Yield what the chain makes of the recording."""
        return chain_events(self._blocks(), self._mains_hz, self._lead_off)

    def steps(self) -> Iterator[Step]:
        """Yield each sample, with what it made certain."""
        return chain_steps(self._blocks(), self._mains_hz, self._lead_off)

    def heard(self, *, waves: bool, rhythm: RhythmOptions | None = None) -> Iterator[Heard]:
        """Yield what is in each hour of the recording, see ``daemon.offline.pieces.hear``."""
        off = self._lead_off
        work = partial(hear, mains_hz=self._mains_hz, lead_off=off, waves=waves, rhythm=rhythm)
        return two_at_a_time(work, cut(self._blocks()))

    def _blocks(self) -> Iterator[NDArray[np.float64]]:
        for block in self._recording.blocks():
            ecg_mv = self._sign * block
            self._length += len(ecg_mv)
            recorded = ecg_mv[np.isfinite(ecg_mv)][: EXCERPT_SAMPLES - len(self._begin)]
            self._begin = np.concatenate([self._begin, recorded])
            yield ecg_mv

    def told(
        self, good: int, flaws: Counter[str]
    ) -> tuple[str, float, tuple[str, ...], str | None]:
        """Return what an ``OfRecording`` tells, once all has run through.

        Args:
            good: how many good beats there are.
            flaws: of all beats.
        """
        notes = (*self._recording.notes, *_hum_notes(self._begin, self._mains_hz))
        reason = None if good else why_no_good_beat(self._begin, self._mains_hz, flaws)
        return self._recording.path, self.duration_s, notes, reason


def analyse(
    path: str,
    signal: str | None = "0",
    mains_hz: int = 50,
    reading: Reading | None = None,
) -> Analysis:
    """Run the recording of a file through a fresh signal chain.

    Args:
        path: the recording.
        signal: name or number of the signal; None for the first that holds an ECG.
        mains_hz: frequency of the grid, 50 or 60.
        reading: what the file does not say.
    """
    return analyse_recording(OpenRecording(path, signal, reading), mains_hz)


def analyse_recording(recording: Readable, mains_hz: int = 50) -> Analysis:
    """Run a recording through a fresh signal chain."""
    run = ChainRun(recording, mains_hz)
    events = tuple(run.events())
    judged = [event.quality for event in events if isinstance(event, BeatWindow)]
    flaws = Counter(flaw for quality in judged for flaw in quality.flaws)
    return Analysis(*run.told(sum(quality.good for quality in judged), flaws), events)


def find_beats(
    path: str,
    signal: str | None = None,
    mains_hz: int = 50,
    reading: Reading | None = None,
    annotator: str | None = None,
) -> FoundBeats:
    """Find the heartbeats of a recording of any length; memory hardly grows with it.

    With an annotator, they are scored against what it marked.
    """
    annotations = None if annotator is None else read_annotations(path, annotator)
    found = listen(OpenRecording(path, signal, reading), mains_hz)
    if annotations is None:
        return found
    scope = Scope(0, round(found.duration_s * RATE_HZ), annotations.flutter)
    return replace(found, score=score(annotations.beats, found.r_indices, scope))


def listen(
    recording: Readable,
    mains_hz: int,
    *,
    waves: bool = False,
    rhythm: RhythmOptions | None = None,
    advance: Callable[[float], None] = lambda _: None,
) -> FoundBeats:
    """Hear a recording of any length, hour after hour.

    Args:
        recording: the recording.
        mains_hz: frequency of the grid, 50 or 60.
        waves: whether to measure the waves of the averaged beats.
        rhythm: limits of episodes; None to tell neither these nor the kinds of beats.
        advance: told how many seconds are done.
    """
    run = ChainRun(recording, mains_hz)
    parts = []
    for part in run.heard(waves=waves, rhythm=rhythm):
        parts.append(part)
        advance(min(len(parts) * PIECE_SAMPLES / RATE_HZ, run.duration_s))
    heard = Heard.joined(parts)
    return FoundBeats(*run.told(int(heard.good.sum()), heard.flaws), heard)


def _hum_notes(ecg_mv: NDArray[np.float64], mains_hz: int) -> Iterator[str]:
    """Say so if it hums at the frequency of the other grid, which is not filtered out."""
    ecg_mv = ecg_mv[: round(HUM_S * RATE_HZ)]
    if len(ecg_mv) < RATE_HZ:
        return
    time_s = np.arange(len(ecg_mv)) / RATE_HZ
    hum = {grid_hz: hum_mv(ecg_mv, time_s, grid_hz) for grid_hz in GRIDS_HZ}
    other_hz = next(grid_hz for grid_hz in GRIDS_HZ if grid_hz != mains_hz)
    if telling(hum[other_hz], hum[mains_hz]) and hum[other_hz] > NOTICED_MV:
        yield f"hum of {hum[other_hz]:.2g} mV at {other_hz} Hz is left in it: --mains {other_hz}."


def side_by_side(
    work: Callable[[Item], Outcome], items: Sequence[Item], jobs: Workers = None
) -> Iterator[Outcome]:
    """Yield the outcome of some work on each item, in the order given.

    If it takes long, ``jobs`` other processes do it. An executor does it in any case.
    """
    if isinstance(jobs, Executor):
        yield from jobs.map(work, items)
        return
    began_s = perf_counter()
    first = [work(item) for item in items[:1]]
    others = items[1:]
    expected_s = (perf_counter() - began_s) * len(others)
    yield from first
    jobs = min(jobs or len(os.sched_getaffinity(0)), len(others))
    if jobs < 2 or expected_s < WORTH_PROCESSES_S:
        yield from map(work, others)
        return
    context = get_context("forkserver")  # fork alone is not safe beside the progress bar's thread
    context.set_forkserver_preload([__name__, "wfdb"])
    with worker_processes(jobs, context) as pool:
        yield from pool.map(work, others)
