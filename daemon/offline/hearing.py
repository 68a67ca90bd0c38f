"""Recordings through the whole signal chain, side by side on every core."""

from __future__ import annotations

import os
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from time import perf_counter
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from daemon.offline.no_beats import why_no_good_beat
from daemon.recordings.errors import RecordingError
from daemon.recordings.recording import OpenRecording, Recording
from daemon.recordings.replay import samples_of
from daemon.recordings.signal_file import Reading
from dsp.front_end import RATE_HZ, FrontEnd
from dsp.hum import GRIDS_HZ, hum_mv, telling
from dsp.options import FrontEndOptions
from dsp.segmenter import WINDOW_SAMPLES
from dsp.signals import BeatWindow, Event, RPeak

WORTH_PROCESSES_S = 2.0  # starting them takes about one
HUM_S = 10.0  # of a recording, looked at for hum
NOTICED_MV = 0.03  # of hum: less hardly spoils a beat
EXCERPT_SAMPLES = 15_000  # a minute

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


@dataclass(frozen=True, slots=True)
class Heard:
    """What the signal chain made of one recording."""

    path: str  # the recording, as given
    duration_s: float  # its length
    notes: tuple[str, ...]  # what had to be assumed or mended to read it
    events: tuple[Event, ...]  # R peaks, beats and interruptions, in the order in which they came
    nothing_because: str | None = None  # why there is not one good beat; None if there is

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


@dataclass(frozen=True, slots=True)
class Found:
    """The heartbeats of a recording, of which nothing else is kept."""

    path: str  # the recording, as given
    duration_s: float  # its length
    notes: tuple[str, ...]  # what had to be assumed or mended to read it
    r_indices: array[int]  # the samples in which the R waves peak, in order
    nothing_because: str | None  # why there is not one good beat; None if there is


class Listening:
    """A recording on its way through a fresh signal chain, stretch after stretch.

    Attributes:
        duration_s: of what was heard so far.
        good: how many of the beats were good.
    """

    def __init__(self, blocks: Iterable[NDArray[np.float64]], mains_hz: int) -> None:
        self._blocks = blocks
        self._mains_hz = mains_hz
        self._excerpt: list[NDArray[np.float64]] = []
        self._kept = self._length = 0
        self._flaws: Counter[str] = Counter()
        self.good = 0

    @property
    def duration_s(self) -> float:
        """Length of what was heard so far in seconds."""
        return self._length / RATE_HZ

    def events(self) -> Iterator[Event]:
        """Yield what the chain makes of the recording."""
        front_end = FrontEnd(FrontEndOptions(mains_hz=self._mains_hz))
        for sample in samples_of(self._passing()):
            for event in front_end.push(sample):
                if isinstance(event, BeatWindow):
                    self.good += event.quality.good
                    self._flaws.update(event.quality.flaws)
                yield event

    def _passing(self) -> Iterator[NDArray[np.float64]]:
        """Yield the blocks, and keep the begin to look at if nothing is found."""
        for block in self._blocks:
            self._length += len(block)
            if self._kept < EXCERPT_SAMPLES:
                recorded = block[np.isfinite(block)][: EXCERPT_SAMPLES - self._kept]
                self._kept += len(recorded)
                self._excerpt.append(recorded)
            yield block

    def notes(self) -> Iterator[str]:
        """Say so if what was heard hums at the frequency of the other grid."""
        return _grid_notes(np.concatenate([np.empty(0), *self._excerpt]), self._mains_hz)

    def nothing_because(self) -> str | None:
        """Say why there was not one good beat; None if there was."""
        if self.good:
            return None
        excerpt = np.concatenate([np.empty(0), *self._excerpt])
        return why_no_good_beat(excerpt, self._mains_hz, self._flaws)


def hear(
    path: str,
    signal: str | None = "0",
    mains_hz: int = 50,
    inverted: bool = False,
    reading: Reading | None = None,
) -> Heard:
    """Replay one recording into a fresh signal chain.

    Args:
        path: the recording.
        signal: name or number of the signal; None for the first that holds an ECG.
        mains_hz: frequency of the grid, 50 or 60.
        inverted: turn it upside down, as it would be with the two electrodes in each other's place.
        reading: what the file does not say.

    Raises:
        RecordingError: it cannot be read.
    """
    recording = OpenRecording(path, signal, reading)
    blocks = recording.blocks()
    listening = Listening((-block for block in blocks) if inverted else blocks, mains_hz)
    events = tuple(listening.events())
    notes = (*recording.notes, *listening.notes())
    why = listening.nothing_because()
    return Heard(path, listening.duration_s, notes, events, why)


def hear_recording(recording: Recording, mains_hz: int = 50) -> Heard:
    """Replay a recording that has been read into a fresh signal chain."""
    listening = Listening([recording.ecg_mv], mains_hz)
    events = tuple(listening.events())
    notes = (*recording.notes, *listening.notes())
    why = listening.nothing_because()
    return Heard(recording.path, recording.duration_s, notes, events, why)


def find_beats(
    path: str, signal: str | None = None, mains_hz: int = 50, reading: Reading | None = None
) -> Found:
    """Find the heartbeats of a recording of any length; memory does not grow with it.

    Raises:
        RecordingError: it cannot be read.
    """
    recording = OpenRecording(path, signal, reading)
    listening = Listening(recording.blocks(), mains_hz)
    peaks = (event.index for event in listening.events() if isinstance(event, RPeak))
    indices = array("q", peaks)
    ordered = array("q", np.sort(np.frombuffer(indices, dtype=np.int64)).tobytes())
    notes = (*recording.notes, *listening.notes())
    return Found(path, listening.duration_s, notes, ordered, listening.nothing_because())


def _grid_notes(ecg_mv: NDArray[np.float64], mains_hz: int) -> Iterator[str]:
    """Say so if it hums at the frequency of the other grid, which is not filtered out."""
    ecg_mv = ecg_mv[: round(HUM_S * RATE_HZ)]
    if len(ecg_mv) < RATE_HZ:
        return
    time_s = np.arange(len(ecg_mv)) / RATE_HZ
    hum = {grid_hz: hum_mv(ecg_mv, time_s, grid_hz) for grid_hz in GRIDS_HZ}
    other_hz = next(grid_hz for grid_hz in GRIDS_HZ if grid_hz != mains_hz)
    if telling(hum[other_hz], hum[mains_hz]) and hum[other_hz] > NOTICED_MV:
        yield f"hum of {hum[other_hz]:.2g} mV at {other_hz} Hz is left in it: --mains {other_hz}."


def hear_all(
    paths: Sequence[str], signal: str = "0", mains_hz: int = 50, jobs: int | None = None
) -> Iterator[Heard | RecordingError]:
    """Yield each recording as it was heard, or why it could not be read, in the order given.

    Args:
        paths: the recordings.
        signal: name or number of the signal, in all of them.
        mains_hz: frequency of the grid, 50 or 60.
        jobs: how many to hear at a time; None for as many as there are cores to run on.
    """
    hear_one = partial(_hear_or_error, signal=signal, mains_hz=mains_hz)
    yield from side_by_side(hear_one, paths, jobs)


def side_by_side(
    work: Callable[[Item], Outcome], items: Sequence[Item], jobs: int | None = None
) -> Iterator[Outcome]:
    """Yield the outcome of some work on each recording, in the order given.

    Args:
        work: reads a recording and does something with it; another process must be able to.
        items: the recordings, or whatever names the work.
        jobs: how many to work on at a time; None for as many as there are cores to run on.
    """
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
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        yield from pool.map(work, others)


def _hear_or_error(path: str, signal: str, mains_hz: int) -> Heard | RecordingError:
    try:
        return hear(path, signal, mains_hz)
    except RecordingError as error:
        return error
