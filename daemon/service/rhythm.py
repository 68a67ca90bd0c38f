"""The judge of the kinds of beats and of the rhythm, and its alarms."""

from __future__ import annotations

from collections.abc import Sequence

from daemon.wire.messages import (
    AlarmMessage,
    BeatKindMessage,
    EpisodeOnWire,
    Message,
    RhythmMessage,
)
from dsp.front_end import RATE_HZ
from dsp.options import RhythmOptions
from dsp.signals import Event, Sample
from model.beat_kinds import BeatKindJudge
from model.rhythm import CAUTION, Episode
from model.rhythm_watch import RhythmWatch, Told

EVERY_SAMPLES = round(5 * RATE_HZ)
EVIDENCE_SAMPLES = round(5 * RATE_HZ)  # of ECG before an episode begins, for whoever looks at it


class RhythmJudge:
    """Makes the messages ``beat_kind``, ``rhythm`` and, where they are wanted, ``alarm``.

    Args:
        kinds: tells the kind of each beat.
        options: limits, and whether there are alarms.
    """

    def __init__(self, kinds: BeatKindJudge, options: RhythmOptions) -> None:
        self._watch = RhythmWatch(kinds, options)
        self._alarms = options.alarms
        self._rhythm_due: int | None = None

    def push(self, event: Event, index: int) -> list[Message]:
        """Take one event that the sample of this index completed."""
        return self._messages(self._watch.push(event), index)

    def tick(self, sample: Sample) -> list[Message]:
        """Take one sample."""
        index = sample.index
        messages = self._messages(self._watch.tick(sample), index)
        if self._rhythm_due is None:
            self._rhythm_due = index + EVERY_SAMPLES
        if index >= self._rhythm_due:
            messages.append(self._rhythm(index))
        return messages

    def _messages(self, told: Told, index: int) -> list[Message]:
        messages: list[Message] = [
            BeatKindMessage(index, beat.r_index, beat.kind, beat.abnormal) for beat in told.beats
        ]
        if self._alarms:
            messages += [self._alarm(episode, index) for episode in told.episodes]
        if told.episodes:
            messages.append(self._rhythm(index, [each for each in told.episodes if each.end]))
        return messages

    def _rhythm(self, index: int, ended: Sequence[Episode] = ()) -> Message:
        self._rhythm_due = index + EVERY_SAMPLES
        now = self._watch.now()
        told = (EpisodeOnWire(each.kind, each.onset, each.end) for each in (*now.lasting, *ended))
        return RhythmMessage(index, now.name, now.heart_rate_bpm, now.fibrillation, tuple(told))

    @staticmethod
    def _alarm(episode: Episode, index: int) -> Message:
        evidence = (max(episode.onset - EVIDENCE_SAMPLES, 0), index + 1)
        return AlarmMessage(index, episode.kind, episode.onset, episode.end, evidence, CAUTION)
