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
from dsp.signals import Event, Interruption, RPeak, Sample
from model.beat_kinds import BeatKind, BeatKindJudge
from model.rhythm import Episode, RhythmTracker

CAUTION = "not a medical device, not for diagnosis; may miss and may alarm falsely"
TICK_SAMPLES = round(0.1 * RATE_HZ)
EVERY_SAMPLES = round(5 * RATE_HZ)
EVIDENCE_SAMPLES = round(5 * RATE_HZ)  # of ECG before an episode begins, for whoever looks at it


class RhythmJudge:
    """Makes the messages ``beat_kind``, ``rhythm`` and, where they are wanted, ``alarm``.

    Args:
        kinds: tells the kind of each beat.
        options: limits, and whether there are alarms.
    """

    def __init__(self, kinds: BeatKindJudge, options: RhythmOptions) -> None:
        self._kinds = kinds
        self._tracker = RhythmTracker(options)
        self._alarms = options.alarms
        self._tick_due = 0
        self._rhythm_due: int | None = None

    def push(self, event: Event, index: int) -> list[Message]:
        """Take one event that the sample of this index completed."""
        if isinstance(event, RPeak):
            self._tracker.r_peak(event.index)
        messages = self._tell(self._kinds.push(event), [], index)
        if isinstance(event, Interruption) and event.wearer_may_differ:
            messages += self._tell([], self._tracker.interrupted(), index)
        return messages

    def tick(self, sample: Sample) -> list[Message]:
        """Take one sample; what may have come loose or is at the range's end proves no silence."""
        index = sample.index
        if sample.lead_off is not False or sample.saturated:
            self._tracker.unseen(index)
        if self._rhythm_due is None:
            self._rhythm_due = index + EVERY_SAMPLES
        if index < self._tick_due:
            return []
        self._tick_due = index + TICK_SAMPLES
        messages = self._tell(self._kinds.tick(index), self._tracker.tick(index), index)
        if index >= self._rhythm_due:
            messages += self._tell([], self._tracker.judge_intervals(), index)
            messages.append(self._rhythm(index))
        return messages

    def _tell(
        self, kinds: Sequence[BeatKind], episodes: list[Episode], index: int
    ) -> list[Message]:
        """Tell of these beats and episodes, and of those that the beats begin and end."""
        messages: list[Message] = []
        for beat in kinds:
            messages.append(BeatKindMessage(index, beat.r_index, beat.kind, beat.abnormal))
            episodes += self._tracker.beat(beat)
        if self._alarms:
            messages += [self._alarm(episode, index) for episode in episodes]
        if episodes:
            messages.append(self._rhythm(index, [each for each in episodes if each.end]))
        return messages

    def _rhythm(self, index: int, ended: Sequence[Episode] = ()) -> Message:
        self._rhythm_due = index + EVERY_SAMPLES
        now = self._tracker.now()
        told = (EpisodeOnWire(each.kind, each.onset, each.end) for each in (*now.lasting, *ended))
        return RhythmMessage(index, now.name, now.heart_rate_bpm, now.fibrillation, tuple(told))

    @staticmethod
    def _alarm(episode: Episode, index: int) -> Message:
        evidence = (max(episode.onset - EVIDENCE_SAMPLES, 0), index + 1)
        return AlarmMessage(index, episode.kind, episode.onset, episode.end, evidence, CAUTION)
