"""The kinds of beats and the rhythm of one signal, online: judge and tracker, in step with time.

The service, the commands and the benchmarks run this same object behind ``FrontEnd``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from dsp.front_end import RATE_HZ
from dsp.options import RhythmOptions
from dsp.signals import Event, Interruption, RPeak, Sample
from model.beat_kinds import BeatKind, BeatKindJudge
from model.rhythm import Episode, Rhythm, RhythmTracker

TICK_SAMPLES = round(0.1 * RATE_HZ)
UNKNOWN = 0.5  # as likely as not: the most that is known of a beat that is only irregular
INTERVALS_SAMPLES = round(5 * RATE_HZ)  # between two looks at the last minute's intervals


class Told(NamedTuple):
    """What became certain."""

    beats: list[BeatKind]  # whose kind is known now, in order
    episodes: list[Episode]  # that begin, that end, and that are over already


NOTHING = Told([], [])  # of nearly every sample; it stays empty


class RhythmWatch:
    """Takes a signal's samples and the events they complete; tells kinds of beats and episodes.

    Args:
        kinds: tells the kind of each beat.
        options: limits.
    """

    def __init__(self, kinds: BeatKindJudge, options: RhythmOptions | None = None) -> None:
        self._kinds = kinds
        self._tracker = RhythmTracker(options)
        self._tick_due = 0
        self._unseen = 0  # the newest sample in which no beat could have been seen
        self._intervals_due: int | None = None

    def push(self, event: Event) -> Told:
        """Take one event."""
        if isinstance(event, RPeak):
            self._tracker.r_peak(event.index)
        told = self._tell(self._kinds.push(event), [])
        if isinstance(event, Interruption) and event.wearer_may_differ:
            told.episodes.extend(self._tracker.interrupted())
        return told

    def tick(self, sample: Sample) -> Told:
        """Take one sample; what may have come loose or is at the range's end proves no silence."""
        index = sample.index
        if sample.lead_off is not False or sample.saturated:
            self._unseen = index
        if index < self._tick_due:
            return NOTHING
        self._tick_due = index + TICK_SAMPLES
        self._tracker.unseen(self._unseen)
        if self._intervals_due is None:
            self._intervals_due = index + INTERVALS_SAMPLES
        told = self._tell(self._kinds.tick(index), self._tracker.tick(index))
        if index >= self._intervals_due:
            self._intervals_due = index + INTERVALS_SAMPLES
            told.episodes.extend(self._tracker.judge_intervals())
        return told

    def finish(self) -> Told:
        """Return what still waited: the signal has ended."""
        told = self._tell(self._kinds.finish(), [])
        told.episodes.extend(self._tracker.finish())
        return told

    def now(self) -> Rhythm:
        """Return the rhythm."""
        return self._tracker.now()

    def _tell(self, kinds: Sequence[BeatKind], episodes: list[Episode]) -> Told:
        beats = []
        for beat in kinds:
            beats.append(_not_early(beat) if self._tracker.is_fibrillating else beat)
            episodes += self._tracker.beat(beat)
        return Told(beats, episodes)


def _not_early(beat: BeatKind) -> BeatKind:
    """Take back that a beat is early, since in atrial fibrillation none has its time.

    Of the 944 beats of DS1 that experts marked S, 16 are among the 3,264 in atrial fibrillation.
    """
    if beat.kind != "S":
        return beat
    abnormal = None if beat.abnormal is None else min(beat.abnormal, UNKNOWN)
    return replace(beat, kind="N", abnormal=abnormal)
