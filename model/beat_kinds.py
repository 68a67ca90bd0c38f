"""Which kind every beat is, and how likely it is abnormal: online, one beat late at most.

    RPeak      --> RR before and after --.
    BeatWindow --> quality --> noise: Q  |--> BeatHistory --> network --> BeatKind
                       `----------------'

A beat is told once the R peak after it is known, since a pause after it says as much as haste
before it; where none follows, after ``SILENCE_S`` (``tick``) or when the signal ends (``finish``).
The kinds are those of AAMI EC57. A beat that noise, a gap or the converter's end has spoilt is
``Q``, whatever the network would say. One of another shape is not: most ectopic beats are. Nor is
one without what makes a QRS, as long as it is quiet and alone: of DS1's ventricular beats 4 % are
so wide. Many of these together are no heartbeats.

The service, the commands, training and the benchmarks run this same object.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from dsp.front_end import RATE_HZ
from dsp.moments import span
from dsp.quality import FALSE_BEATS, JUDGED_TOGETHER, noise_rms
from dsp.signals import BeatWindow, Event, Interruption, RPeak
from model.beat_history import LONGEST_RR_S, BeatHistory, KnownBeat
from model.beat_usual import UsualOdds

Kind: TypeAlias = Literal["N", "S", "V", "F", "Q"]

#: Flaws that leave nothing to judge. ``unlike_template`` and ``no_t_wave`` are shapes, not noise.
SPOILT = frozenset({"saturated", "gap", "flat", "noisy"})
#: Noise, as a part of the beat's span, of a beat that is quiet although it has no QRS. In DS1 nine
#: of ten such ventricular beats have less than 0.016, and half of what is no heartbeat has more.
QUIET = 0.02
#: How long to wait for another beat: a longer interval says no more, but R peaks are told late.
SILENCE_S = LONGEST_RR_S + 0.5


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a network says of a beat."""

    kind: Kind  # never ``Q``
    abnormal: float  # the probability that it is not ``N``, calibrated


@dataclass(frozen=True, slots=True)
class BeatKind:
    """What kind a beat is, in the classes of AAMI EC57."""

    r_index: int  # the sample in which the R wave peaks: that of its ``BeatWindow``
    #: ``N`` of the sinus node or conducted as usual, ``S`` too early from above the ventricles,
    #: ``V`` of the ventricles, ``F`` a fusion of both, ``Q`` not to be judged
    kind: Kind
    abnormal: float | None  # probability 0 to 1 that it is not ``N``; None for ``Q``
    rr_s: float | None  # seconds since the beat before, None after a start or a longer gap


#: Judges one beat, against what is usual of the same wearer.
Classify: TypeAlias = Callable[[KnownBeat, UsualOdds], Verdict]


class BeatKindJudge:
    """Takes the events of one signal in order and tells the kind of every beat that was cut out.

    Args:
        classify: the network, see ``model.beat_network``.
    """

    def __init__(self, classify: Classify) -> None:
        self._classify = classify
        self._begin_anew()

    def push(self, event: Event) -> list[BeatKind]:
        """Take one event; return the beats that are now certain, in order, most often none."""
        match event:
            case RPeak():
                self._peaks.append(event)
            case BeatWindow():
                self._waiting.append(event)
            case Interruption() if event.wearer_may_differ:
                kinds = self.finish()
                self._begin_anew()
                return kinds
            case _:
                return []
        return list(self._followed())

    def tick(self, index: int) -> list[BeatKind]:
        """Return the beats that nothing has followed for ``SILENCE_S``, by a sample's index."""
        silent = index - round(SILENCE_S * RATE_HZ)
        if not self._waiting or self._waiting[0].r_index > silent:
            return []
        return [self._judge(self._waiting.popleft(), LONGEST_RR_S)]

    def finish(self) -> list[BeatKind]:
        """Return the beats that still wait for another: the signal has ended."""
        kinds = list(self._followed())
        while self._waiting:
            kinds.append(self._judge(self._waiting.popleft(), None))
        return kinds

    def _begin_anew(self) -> None:
        """Forget the wearer: someone else may wear the electrodes by now."""
        self._history = BeatHistory()
        self._usual = UsualOdds()
        self._peaks: deque[RPeak] = deque()
        self._waiting: deque[BeatWindow] = deque()
        self._without_qrs: deque[bool] = deque(maxlen=JUDGED_TOGETHER)

    def _followed(self) -> Iterator[BeatKind]:
        """Judge the beats whose next R peak is known."""
        while self._waiting:
            beat = self._waiting[0]
            while self._peaks and self._peaks[0].index <= beat.r_index:
                self._peaks.popleft()
            if not self._peaks:
                return
            self._waiting.popleft()
            yield self._judge(beat, self._peaks[0].rr_s)

    def _judge(self, beat: BeatWindow, rr_after_s: float | None) -> BeatKind:
        if self._is_spoilt(beat):
            return BeatKind(beat.r_index, "Q", None, beat.rr_s)
        verdict = self._classify(self._history.take(beat, rr_after_s), self._usual)
        return BeatKind(beat.r_index, verdict.kind, verdict.abnormal, beat.rr_s)

    def _is_spoilt(self, beat: BeatWindow) -> bool:
        flaws = beat.quality.flaws
        self._without_qrs.append("no_qrs" in flaws)
        if not self._without_qrs[-1]:
            return not SPOILT.isdisjoint(flaws)
        window = np.asarray(beat.ecg_mv)
        quiet = noise_rms(window) <= QUIET * span(window)
        return not quiet or sum(self._without_qrs) >= FALSE_BEATS
