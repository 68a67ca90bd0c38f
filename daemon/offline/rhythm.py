"""Tells the kinds of a recording's beats and the rhythm, as the service would."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from daemon.offline.analysis import FoundBeats, OfRecording, listen
from daemon.offline.excerpt import Excerpt
from daemon.offline.pieces import watched
from daemon.recordings.recording import OpenRecording
from daemon.recordings.replay import Step
from daemon.recordings.signal_file import Reading
from dsp.front_end import RATE_HZ
from dsp.options import RhythmOptions
from model.beat_kinds import BeatKind, BeatKindJudge, Classify, Kind
from model.rhythm import Episode
from model.rhythm_watch import RhythmWatch, Told

KINDS: tuple[Kind, ...] = get_args(Kind)
SAID: dict[Kind, str] = {
    "N": "as usual",
    "S": "too early, from above the ventricles",
    "V": "of the ventricles",
    "F": "fusion of both",
    "Q": "not to be judged",
}
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

    def figures(self) -> dict[str, Any]:
        """Return what was found by names, for JSON."""
        return shares(self.counts) | {
            "episodes": [
                {"kind": each.kind, "onset_s": onset_s, "end_s": end_s}
                for each in self.episodes
                for onset_s, end_s in [span_s(each)]
            ],
        }


def shares(counts: Mapping[Kind, int]) -> dict[str, Any]:
    """Return how many beats there are of each kind, and which share is not normal, for JSON."""
    return {"beats": counts, "abnormal_share": abnormal_share(counts)}


def span_s(episode: Episode) -> tuple[float, float]:
    """Return when an episode that has ended began and ended."""
    assert episode.end is not None
    return episode.onset / RATE_HZ, episode.end / RATE_HZ


def abnormal_share(counts: Mapping[Kind, int]) -> float | None:
    """Return which part of the beats that could be judged is not normal; None if none could."""
    judged = sum(counts.values()) - counts["Q"]
    return sum(counts[kind] for kind in ABNORMAL) / judged if judged else None


def tell_rhythm(
    path: str,
    signal: str | None = None,
    mains_hz: int = 50,
    reading: Reading | None = None,
    *,
    options: RhythmOptions | None = None,
    last_s: float | None = None,
) -> Rhythms:
    """Tell the kind of every beat of a recording, and its episodes.

    With ``last_s`` the path is the recorder's folder, and the newest so many seconds are told of.

    Raises:
        RecordingError: it cannot be read.
    """
    recording = (
        Excerpt(Path(path), last_s, signal, reading)
        if last_s
        else OpenRecording(path, signal, reading)
    )
    return rhythms_of(listen(recording, mains_hz, rhythm=options or RhythmOptions()))


def rhythms_of(found: FoundBeats) -> Rhythms:
    """Take what ``listen`` found with ``rhythm``."""
    return Rhythms(*found.told, found.heard.kinds, found.heard.episodes)


def watch(steps: Iterable[Step], classify: Classify, options: RhythmOptions | None = None) -> Told:
    """Watch a whole run; each episode that lasts is told twice, as it begins and ends."""
    told = Told([], [])
    deque(watched(steps, RhythmWatch(BeatKindJudge(classify), options), told), maxlen=0)
    return told
