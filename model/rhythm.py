"""The rhythm of a heart, from the kinds of its beats and the intervals between them.

What is found are episodes with an onset and an end: pauses, asystole, fast and slow rates, runs and
couplets of ventricular beats, bigeminy and trigeminy, atrial fibrillation. A beat of bad quality
(kind Q) begins nothing: patterns begin anew after it, and what lasts ends if only such beats come
for ``GIVEN_UP_S``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice, pairwise, takewhile
from typing import Literal, TypeAlias

from dsp.fibrillation import fibrillation
from dsp.front_end import RATE_HZ
from dsp.options import EpisodeKind, RhythmOptions
from model.beat_kinds import BeatKind

#: What is shown wherever an episode is.
CAUTION = "not a medical device, not for diagnosis; may miss and may alarm falsely"

RhythmName: TypeAlias = Literal["sinus", "atrial_fibrillation", "bigeminy", "trigeminy", "unknown"]

#: V among other beats: an episode begins with so many times the pattern, and ends where it breaks.
PATTERNS: dict[EpisodeKind, str] = {"bigeminy": "NV", "trigeminy": "NNV"}
TIMES = 3
#: Those that name the rhythm, the first that lasts.
NAMING: tuple[RhythmName, ...] = ("atrial_fibrillation", "bigeminy", "trigeminy")
MOST_IN_A_ROW = 10  # beats that are kept to look for patterns
RATE_BEATS = 8  # intervals that the heart rate is the mean of
HYSTERESIS = 1.05  # an episode of rate ends so far on the other side of the limit
RUN_BEATS = 3  # ventricular beats in a row that are a run
#: The mean probability that a run's beats are abnormal: where noise or another conduction makes
#: beats look alike ventricular, none is sure. On DS1 this halves false runs, and misses none more.
RUN_SURE = 0.5
LATE_S = 0.4  # until the detector knows of a beat that came
SEARCH_BACK_RR = 1.7  # mean intervals until it has looked again for one that it missed
TRUSTED_BEATS = 3  # usable beats in a row, before silence says anything of the heart
GIVEN_UP_S = 10.0  # of R peaks without a usable beat: nothing more is known of an episode
MINUTE_SAMPLES = round(60 * RATE_HZ)
FEWEST_BEATS = 8  # usable ones of the last minute, to name a rhythm
#: Probabilities: fibrillation begins above the first, twice in a row, and ends below the second.
AF_BEGINS, AF_ENDS = 0.9, 0.5
#: The same without the intervals of early beats: many of these make a sinus rhythm as irregular,
#: but leave the others in step. Of DS1's time in fibrillation 96 % is found so, not 98 %; of svdb,
#: where nobody marked any and early beats abound, 5 % is called so, not 16 %.
AF_BEGINS_LATE, AF_ENDS_LATE = 0.8, 0.3
AF_AT_THE_END = 0.55  # 4 % of regular records of half a minute have more (benchmarks.fibrillation)


@dataclass(frozen=True, slots=True)
class Episode:
    """Something that a heart did for some time."""

    kind: EpisodeKind
    onset: int  # sample of the R peak that it begins with
    end: int | None = None  # sample of the R peak that it ends with; None while it lasts


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What the rhythm is now."""

    name: RhythmName  # ``sinus`` also stands for every other regular rhythm of narrow beats
    heart_rate_bpm: float | None  # of the last eight intervals; None while there are fewer
    #: that it is atrial fibrillation, 0 to 1; None while too few beats tell
    fibrillation: float | None
    lasting: tuple[Episode, ...]  # episodes that have not ended


class RhythmTracker:
    """Takes beats with their kinds in the order in which they came, and tells episodes.

    Args:
        options: limits.
    """

    def __init__(self, options: RhythmOptions | None = None) -> None:
        self._options = options or RhythmOptions()
        self._lasting: dict[EpisodeKind, Episode] = {}
        self._forget()

    def _forget(self) -> None:
        self._minute: deque[BeatKind] = deque()
        self._in_a_row: deque[BeatKind] = deque(maxlen=MOST_IN_A_ROW)
        self._intervals: deque[int] = deque(maxlen=2 * RATE_BEATS)  # samples, without a break
        self._usable = 0  # the newest usable beat
        self._r_peak = 0  # the newest R peak, whose kind may not be known yet
        self._fibrillation: float | None = None

    def r_peak(self, index: int) -> None:
        """Take an R peak as soon as it is found: until then there may be silence."""
        self._r_peak = max(index, self._r_peak)

    def beat(self, beat: BeatKind) -> list[Episode]:
        """Take the next beat, of which the kind is known now.

        Returns:
            Episodes that begin, those that end, and those that are over already.
        """
        while self._minute and beat.r_index - self._minute[0].r_index > MINUTE_SAMPLES:
            self._minute.popleft()
        self._minute.append(beat)
        silence = self._silence_ended(beat.r_index)
        interval = None if beat.kind == "Q" else self._interval(beat)
        if interval is None:
            self._in_a_row.clear()
            self._intervals.clear()
        if beat.kind == "Q":
            return silence
        self._usable = beat.r_index
        self._in_a_row.append(beat)
        found = silence + self._ventricular() + self._patterns()
        if interval is not None:
            self._intervals.append(interval)
            if not silence and interval > self._options.pause_s * RATE_HZ:
                found.append(Episode("pause", beat.r_index - interval, beat.r_index))
            found += self._rate(beat.r_index)
        return found

    def tick(self, index: int) -> list[Episode]:
        """Take note of the time, by a sample's index: it goes on in silence too."""
        found = self._silence(index)
        if self._lasting and self._r_peak - self._usable > GIVEN_UP_S * RATE_HZ:
            found += self._end_all()
        return found

    def unseen(self, index: int) -> None:
        """Take note that no beat could have been seen in a sample."""
        self._r_peak = max(index, self._r_peak)

    def judge_intervals(self) -> list[Episode]:
        """Look for fibrillation in the last minute's intervals, each few seconds."""
        before = self._fibrillation or 0.0
        rr_s, of_others_s = (intervals_s(self._minute, kinds) for kinds in ("NS", "N"))
        self._fibrillation = probability = fibrillation(rr_s)
        of_others = probability if of_others_s == rr_s else fibrillation(of_others_s)
        if probability is None or of_others is None:
            return []
        first, last = self._minute[0].r_index, self._minute[-1].r_index
        begins = min(before, probability) > AF_BEGINS and of_others > AF_BEGINS_LATE
        ends = probability < AF_ENDS or of_others < AF_ENDS_LATE
        return self._held("atrial_fibrillation", begins, ends, first, last)

    def finish(self) -> list[Episode]:
        """End what lasts: the recording is over, and of its last minute no more will be known."""
        probability = fibrillation(intervals_s(self._minute, "NS")) or 0.0
        found = []
        if probability > AF_AT_THE_END:
            found = self._begun("atrial_fibrillation", self._minute[0].r_index)
        return found + self._end_all()

    def interrupted(self) -> list[Episode]:
        """Forget the wearer: the electrodes came off, or samples are missing."""
        ended = self._end_all()
        self._forget()
        return ended

    @property
    def is_fibrillating(self) -> bool:
        """Whether atrial fibrillation lasts."""
        return "atrial_fibrillation" in self._lasting

    def now(self) -> Rhythm:
        """Return the rhythm."""
        lasting = tuple(self._lasting.values())
        return Rhythm(self._name(), self._rate_bpm(), self._fibrillation, lasting)

    def _name(self) -> RhythmName:
        for name in NAMING:
            if name in self._lasting:
                return name
        usable = sum(beat.kind != "Q" for beat in self._minute)
        return "sinus" if usable >= max(FEWEST_BEATS, len(self._minute) / 2) else "unknown"

    def _interval(self, beat: BeatKind) -> int | None:
        """Return the samples since the beat before, None if that was unusable or not cut out."""
        if not self._in_a_row or beat.rr_s is None:
            return None
        interval = beat.r_index - self._in_a_row[-1].r_index
        return interval if interval == round(beat.rr_s * RATE_HZ) else None

    def _rate_bpm(self, beats: int = RATE_BEATS) -> float | None:
        if len(self._intervals) < beats:
            return None
        return 60 * RATE_HZ * beats / sum(islice(reversed(self._intervals), beats))

    def _rate(self, index: int) -> list[Episode]:
        """Tell when the rate crosses a limit; it is over once twice as many beats say so too."""
        now_bpm = self._rate_bpm()
        if now_bpm is None:
            return []
        lately_bpm = self._rate_bpm(2 * RATE_BEATS) or now_bpm
        fast, slow = self._options.tachycardia_bpm, self._options.bradycardia_bpm
        not_fast = max(now_bpm, lately_bpm) < fast / HYSTERESIS
        not_slow = min(now_bpm, lately_bpm) > slow * HYSTERESIS
        onset = index - sum(islice(reversed(self._intervals), RATE_BEATS))
        return [
            *self._held("tachycardia", now_bpm > fast, not_fast, onset, index),
            *self._held("bradycardia", now_bpm < slow, not_slow, onset, index),
        ]

    def _ventricular(self) -> list[Episode]:
        """Tell of two ventricular beats in a row, and of more."""
        newest, *before = reversed(self._in_a_row)
        if newest.kind == "V":
            run = [newest, *takewhile(lambda beat: beat.kind == "V", before)]
            sure = sum(beat.abnormal or 0.0 for beat in run) / len(run) > RUN_SURE
            is_run = len(run) >= RUN_BEATS and sure
            return self._begun("ventricular_run", run[-1].r_index) if is_run else []
        run = list(takewhile(lambda beat: beat.kind == "V", before))
        if len(run) == 2 and len(before) > 2:
            return [Episode("couplet", run[1].r_index, run[0].r_index)]
        return self._ended("ventricular_run", run[0].r_index) if run else []

    def _patterns(self) -> list[Episode]:
        """Tell where each second or third beat is ventricular."""
        kinds = "".join("V" if beat.kind == "V" else "N" for beat in self._in_a_row)
        newest = self._in_a_row[-1].r_index
        found = []
        for name, pattern in PATTERNS.items():
            begins = kinds.endswith(pattern * TIMES)
            ends = kinds[-len(pattern) :] not in pattern * 2  # in any phase
            onset = self._in_a_row[-len(pattern) * TIMES].r_index if begins else newest
            found += self._held(name, begins, ends, onset, newest)
        return found

    def _silence_ended(self, index: int) -> list[Episode]:
        """End what a beat ends that came after it began; its kind may have been told long after."""
        silent = [self._lasting.get("pause"), self._lasting.get("asystole")]
        return [
            ended
            for each in silent
            if each and index > each.onset
            for ended in self._ended(each.kind, index)
        ]

    def _silence(self, index: int) -> list[Episode]:
        """Tell that no beat comes, if one would have been found by now."""
        if len(self._in_a_row) < TRUSTED_BEATS:
            return []
        silent_s = (index - self._r_peak) / RATE_HZ - LATE_S
        found = []
        mean_rr_s = sum(self._intervals) / len(self._intervals) / RATE_HZ
        if silent_s > max(SEARCH_BACK_RR * mean_rr_s, self._options.pause_s):
            found += self._begun("pause", self._r_peak)
        if silent_s > self._options.asystole_s:
            found += self._begun("asystole", self._r_peak)
        return found

    def _held(
        self, kind: EpisodeKind, begins: bool, ends: bool, onset: int, end: int
    ) -> list[Episode]:
        if begins:
            return self._begun(kind, onset)
        return self._ended(kind, end) if ends else []

    def _begun(self, kind: EpisodeKind, onset: int) -> list[Episode]:
        if kind in self._lasting:
            return []
        self._lasting[kind] = episode = Episode(kind, onset)
        return [episode]

    def _ended(self, kind: EpisodeKind, end: int) -> list[Episode]:
        episode = self._lasting.pop(kind, None)
        return [] if episode is None else [replace(episode, end=end)]

    def _end_all(self) -> list[Episode]:
        """End what lasts with the last beat that was usable."""
        return [ended for kind in tuple(self._lasting) for ended in self._ended(kind, self._usable)]


def intervals_s(beats: Iterable[BeatKind], kinds: str) -> list[float]:
    """Return the intervals between two beats of some kinds that follow each other, in s."""
    return [
        after.rr_s
        for before, after in pairwise(beats)
        if after.rr_s is not None and {before.kind, after.kind} <= {*kinds}
    ]
