"""Tells the kinds of a recording's beats and the rhythm, as the service would."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import get_args

from daemon.offline.analysis import ChainRun, OfRecording
from daemon.offline.pieces import Step
from daemon.recordings.recording import OpenRecording
from daemon.recordings.signal_file import Reading
from dsp.options import RhythmOptions
from dsp.signals import BeatWindow
from model.beat_kinds import BeatKind, BeatKindJudge, Classify, Kind
from model.beat_network import BeatNetwork
from model.rhythm import Episode
from model.rhythm_watch import RhythmWatch, Told

KINDS: tuple[Kind, ...] = get_args(Kind)
ABNORMAL: tuple[Kind, ...] = ("S", "V", "F")


@dataclass(frozen=True, slots=True, eq=False)
class Rhythms(OfRecording):
    """The kinds of one recording's beats, and its episodes."""

    beats: tuple[BeatKind, ...]  # in order
    episodes: tuple[Episode, ...]  # by their onsets; each has an end

    @property
    def counts(self) -> dict[Kind, int]:
        """How many beats there are of each kind."""
        found = Counter(beat.kind for beat in self.beats)
        return {kind: found[kind] for kind in KINDS}


def abnormal_share(counts: Mapping[Kind, int]) -> float | None:
    """Return which part of the beats that could be judged is not normal; None if none could."""
    judged = sum(counts.values()) - counts["Q"]
    return sum(counts[kind] for kind in ABNORMAL) / judged if judged else None


def tell_rhythm(
    path: str,
    signal: str | None = None,
    mains_hz: int = 50,
    reading: Reading | None = None,
    options: RhythmOptions | None = None,
) -> Rhythms:
    """Tell the kind of every beat of a recording, and its episodes.

    Raises:
        RecordingError: it cannot be read.
    """
    run = ChainRun(OpenRecording(path, signal, reading), mains_hz)
    flaws: list[tuple[str, ...]] = []  # of each beat
    told = watch(_noting(flaws, run), open_classify(), options)
    ended = [episode for episode in told.episodes if episode.end is not None]
    by_onset = sorted(ended, key=lambda episode: episode.onset)
    of_recording = run.told(flaws.count(()), Counter(chain.from_iterable(flaws)))
    return Rhythms(*of_recording, tuple(told.beats), tuple(by_onset))


def _noting(flaws: list[tuple[str, ...]], run: ChainRun) -> Iterator[Step]:
    for step in run.steps():
        flaws += [event.quality.flaws for event in step[1] if isinstance(event, BeatWindow)]
        yield step


def watch(steps: Iterable[Step], classify: Classify, options: RhythmOptions | None = None) -> Told:
    """Watch a whole run; each episode that lasts is told twice, as it begins and ends."""
    rhythm = RhythmWatch(BeatKindJudge(classify), options)
    beats: list[BeatKind] = []
    episodes: list[Episode] = []
    for sample, events in steps:
        for told in (*map(rhythm.push, events), rhythm.tick(sample)):
            beats += told.beats
            episodes += told.episodes
    last = rhythm.finish()
    return Told(beats + last.beats, episodes + last.episodes)


def open_classify() -> Classify:
    """Open the network that comes with qrsd."""
    return BeatNetwork()
