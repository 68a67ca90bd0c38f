"""A recording of any length through the signal chain: an hour at a time, two of them at once.

Each hour is heard from three minutes before it on, in which all that the chain learns of a heart
settles. So the hours need not wait for each other, and nothing longer has to be held.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from ctypes import CDLL
from dataclasses import dataclass, replace
from itertools import chain, islice
from multiprocessing import get_context, parent_process
from multiprocessing.context import BaseContext
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from daemon.offline.errors import WorkerKilled
from daemon.recordings.replay import LeadOff, Step, chain_steps
from dsp.front_end import RATE_HZ
from dsp.intervals import Intervals, measure_intervals
from dsp.options import RhythmOptions
from dsp.signals import BeatWindow, Event, RPeak
from model.beat_kinds import BeatKind, BeatKindJudge
from model.beat_network import BeatNetwork
from model.rhythm import Episode
from model.rhythm_watch import NOTHING, RhythmWatch, Told

STRIP_SAMPLES = round(10 * RATE_HZ)  # of which beats are averaged
PIECE_SAMPLES = 360 * STRIP_SAMPLES
BEFORE_SAMPLES = 18 * STRIP_SAMPLES  # levels follow a beat by 1/8: 1e-9 is left of what they were
AFTER_SAMPLES = STRIP_SAMPLES  # until a beat at the end is found, searched back for and cut out

M_MMAP_THRESHOLD, LARGE_BYTES = -3, 1 << 20  # glibc's number of it; above so much
Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Some of a recording, with what the chain hears before and after it."""

    begin: int  # its first sample
    stop: int  # the first one after it
    heard_from: int  # the first sample of ``ecg_mv``
    ecg_mv: NDArray[np.float64]  # raw, NaN where nothing was recorded

    @property
    def own_mv(self) -> NDArray[np.float64]:
        """The piece alone."""
        return self.ecg_mv[self.begin - self.heard_from : self.stop - self.heard_from]


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What was found in a recording, or in a piece of it, in time order."""

    r_indices: NDArray[np.int64]  # the samples in which the R waves peak
    r_mv: NDArray[np.float64]  # their amplitudes
    after_break: NDArray[np.bool_]  # whether no interval leads to it
    beat_indices: NDArray[np.int64]  # R of the beats that were cut out whole
    good: NDArray[np.bool_]  # whether the service would count them
    flaws: Counter[str]  # of them
    gaps: NDArray[np.int64]  # where nothing was recorded, shape (n, 2): begin and end
    strips: tuple[Intervals, ...]  # of each ten seconds, if they were asked for
    kinds: tuple[BeatKind, ...]  # of the beats, and what the rhythm did, if they were asked for
    episodes: tuple[Episode, ...]  # each has an end

    @classmethod
    def joined(cls, parts: Sequence[Heard]) -> Heard:
        """Join what was found in pieces that follow on each other."""
        names = ("r_indices", "r_mv", "after_break", "beat_indices", "good", "gaps")
        arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        edges = arrays["gaps"].ravel()
        goes_on = np.flatnonzero(edges[1:-1:2] == edges[2::2])  # a gap across two pieces
        edges = np.delete(edges, np.concatenate([2 * goes_on + 1, 2 * goes_on + 2]))
        return cls(
            **{**arrays, "gaps": edges.reshape(-1, 2)},
            flaws=sum((part.flaws for part in parts), Counter()),
            strips=tuple(strip for part in parts for strip in part.strips),
            kinds=tuple(kind for part in parts for kind in part.kinds),
            episodes=tuple(_joined_episodes(chain.from_iterable(p.episodes for p in parts))),
        )


def _joined_episodes(episodes: Iterable[Episode]) -> list[Episode]:
    """Join those that were cut where two pieces meet; return all by their onsets."""
    joined: list[Episode] = []
    for each in sorted(episodes, key=lambda episode: (episode.kind, episode.onset)):
        before = joined[-1] if joined else None
        is_cut = each.onset % PIECE_SAMPLES == 0
        if before and is_cut and (before.kind, before.end) == (each.kind, each.onset):
            joined[-1] = replace(before, end=each.end)
        else:
            joined.append(each)
    return sorted(joined, key=lambda episode: episode.onset)


def cut(blocks: Iterable[NDArray[np.float64]]) -> Iterator[Piece]:
    """Cut an ECG that comes in blocks into pieces; the last one is what is left."""
    held, heard_from, begin = np.empty(0), 0, 0
    for block in blocks:
        held = np.concatenate([held, block])
        while heard_from + len(held) > begin + PIECE_SAMPLES + AFTER_SAMPLES:
            stop = begin + PIECE_SAMPLES
            heard = held[: stop + AFTER_SAMPLES - heard_from]
            yield Piece(begin, stop, heard_from, heard)
            begin = stop
            held = held[begin - BEFORE_SAMPLES - heard_from :]
            heard_from = begin - BEFORE_SAMPLES
    yield Piece(begin, heard_from + len(held), heard_from, held)


def watched(steps: Iterable[Step], watch: RhythmWatch, told: Told) -> Iterator[Event]:
    """Yield the events of a run's steps, and add to ``told`` what the watch tells of them."""
    for sample, events in steps:
        for event in events:
            _add(watch.push(event), told)
            yield event
        news = watch.tick(sample)
        if news is not NOTHING:
            _add(news, told)
    _add(watch.finish(), told)


def _add(news: Told, told: Told) -> None:
    told.beats.extend(news.beats)
    told.episodes.extend(news.episodes)


def hear(
    piece: Piece,
    mains_hz: int,
    lead_off: LeadOff = (),
    *,
    waves: bool,
    rhythm: RhythmOptions | None = None,
) -> Heard:
    """Find what is in a piece.

    Args:
        piece: the piece.
        mains_hz: frequency of the grid, 50 or 60.
        lead_off: where an electrode was off.
        waves: whether to measure the waves of the averaged beats.
        rhythm: limits of episodes; None to tell neither these nor the kinds of beats.
    """
    inside = range(piece.begin - piece.heard_from, piece.stop - piece.heard_from)
    told = Told([], [])
    events = _events(piece, mains_hz, lead_off, rhythm, told)
    peaks, beats, flaws = _peaks_and_beats(events, inside)
    r_indices, r_mv, after_break = np.array(sorted(peaks), np.float64).reshape(-1, 3).T
    beat_indices, good = np.array(sorted(beats), np.int64).reshape(-1, 2).T
    own_mv = piece.own_mv
    edges = np.flatnonzero(np.diff(np.isnan(own_mv), prepend=False, append=False))
    own_peaks = r_indices.astype(np.int64) - inside.start
    return Heard(
        own_peaks + piece.begin,
        r_mv,
        after_break.astype(bool),
        beat_indices + piece.heard_from,
        good.astype(bool),
        flaws,
        piece.begin + edges.reshape(-1, 2),
        tuple(_waves(own_mv, own_peaks)) if waves else (),
        tuple(
            replace(beat, r_index=beat.r_index + piece.heard_from)
            for beat in told.beats
            if beat.r_index in inside
        ),
        tuple(_cut_episodes(told.episodes, piece)),
    )


def _events(
    piece: Piece, mains_hz: int, lead_off: LeadOff, rhythm: RhythmOptions | None, told: Told
) -> Iterator[Event]:
    """Return the events of a piece, which add to ``told`` what is told of the rhythm if asked."""
    from_it = [(off - piece.heard_from, on - piece.heard_from) for off, on in lead_off]
    blocks = np.array_split(piece.ecg_mv, len(piece.ecg_mv) // STRIP_SAMPLES + 1)
    steps = chain_steps(blocks, mains_hz, from_it)
    if rhythm:
        return watched(steps, RhythmWatch(BeatKindJudge(BeatNetwork()), rhythm), told)
    return chain.from_iterable(completed for _, completed in steps)


def _peaks_and_beats(
    events: Iterable[Event], inside: range
) -> tuple[list[tuple[int, float, bool]], list[tuple[int, bool]], Counter[str]]:
    """Return the R peaks inside, the beats and whether they are good, and the flaws of these."""
    peaks, beats = [], []
    flaws: Counter[str] = Counter()
    for event in events:
        if isinstance(event, RPeak) and event.index in inside:
            peaks.append((event.index, event.amplitude_mv, event.rr_s is None))
        elif isinstance(event, BeatWindow) and event.r_index in inside:
            beats.append((event.r_index, event.quality.good))
            flaws.update(event.quality.flaws)
    return peaks, beats, flaws


def _cut_episodes(episodes: Iterable[Episode], piece: Piece) -> Iterator[Episode]:
    """Yield what of the episodes that have ended is inside a piece."""
    for each in episodes:
        if each.end is not None:
            onset = max(each.onset + piece.heard_from, piece.begin)
            end = min(each.end + piece.heard_from, piece.stop)
            if onset < end:
                yield Episode(each.kind, onset, end)


def _waves(ecg_mv: NDArray[np.float64], r_indices: NDArray[np.int64]) -> Iterator[Intervals]:
    for begin in range(0, len(ecg_mv), STRIP_SAMPLES):
        first, last = np.searchsorted(r_indices, (begin, begin + STRIP_SAMPLES))
        yield measure_intervals(
            ecg_mv[begin : begin + STRIP_SAMPLES], r_indices[first:last] - begin
        )


def two_at_a_time(work: Callable[[Item], Outcome], items: Iterable[Item]) -> Iterator[Outcome]:
    """Yield the outcome of some work on each item, in their order.

    Another process does every second one, if there are two and this is no such process itself.
    """
    left = iter(items)
    pair = list(islice(left, 2))
    if len(pair) < 2 or len(os.sched_getaffinity(0)) < 2 or parent_process():
        yield from map(work, chain(pair, left))
        return
    # Neither of the ways to fork will do: not beside a progress bar's thread, and the server that
    # forks for others is a third process to hold in memory.
    _give_memory_back()
    spawn = get_context("spawn")
    with worker_processes(1, spawn, initializer=_give_memory_back) as pool:
        while pair:
            others = [pool.submit(work, item) for item in pair[1:]]
            yield work(pair[0])
            yield from (other.result() for other in others)
            pair.clear()  # before the next ones come
            pair += islice(left, 2)


@contextmanager
def worker_processes(
    count: int | None, context: BaseContext, **options: Any
) -> Iterator[ProcessPoolExecutor]:
    """Provide processes that share some work.

    Raises:
        WorkerKilled: one of them was killed, and its work is lost.
    """
    try:
        with ProcessPoolExecutor(count, context, **options) as pool:
            yield pool
    except BrokenProcessPool as error:
        raise WorkerKilled(
            "A process that shares the work was killed, as the system does when memory runs out: "
            "free some and try again."
        ) from error


def _give_memory_back() -> None:
    """Have glibc give each large array back once it is done with: pieces come and go by dozens."""
    with suppress(AttributeError):  # another C library
        CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
