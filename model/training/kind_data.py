"""Beats whose kind experts have marked, as training and its figures take them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dsp.signals import BeatWindow, Event, Interruption
from model.beat_clusters import USUAL
from model.beat_history import INPUTS, KnownBeat
from model.beat_kinds import BeatKind, BeatKindJudge, Verdict
from model.beat_passport import TOLD_KINDS
from model.beat_usual import UsualOdds

KINDS = (*TOLD_KINDS, "Q")  # what a beat may be
TOLD = len(TOLD_KINDS)
Q = KINDS.index("Q")
NOBODY_MARKED = -1  # of a detected beat: experts saw none there

COLD_EVERY = 300  # beats, after which training forgets the wearer once more
COLD_BEATS = 40  # that are then learnt from

Inputs: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class MarkedBeats:
    """Beats in the order in which they came, record after record; arrays of shape (n,)."""

    inputs: Inputs  # of the network, shape (n, INPUTS); zeros for a beat that is spoilt
    shapes: NDArray[np.int64]  # number of its shape in its record; 0 if usual, or spoilt
    spoilt: NDArray[np.bool_]  # whether the judge calls it Q without asking the network
    kinds: NDArray[np.int64]  # place in ``KINDS`` of what experts say; -1 where they saw no beat
    records: NDArray[np.str_]  # which recording a beat is of
    patients: NDArray[np.str_]  # whose it is
    groups: NDArray[np.str_]  # the data set
    missed: dict[str, NDArray[np.int64]]  # by record: beats of each kind that were not detected

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Put the beats of several records together."""
        missed = {record: counts for part in parts for record, counts in part.missed.items()}
        return cls(
            np.concatenate([part.inputs for part in parts]),
            np.concatenate([part.shapes for part in parts]),
            np.concatenate([part.spoilt for part in parts]),
            np.concatenate([part.kinds for part in parts]),
            np.concatenate([part.records for part in parts]),
            np.concatenate([part.patients for part in parts]),
            np.concatenate([part.groups for part in parts]),
            missed,
        )

    def where(self, chosen: NDArray[np.bool_]) -> Self:
        """Return some of the beats, of the records that have any."""
        records = self.records[chosen]
        missed = {name: self.missed[name] for name in np.unique(records).tolist()}
        return type(self)(
            self.inputs[chosen],
            self.shapes[chosen],
            self.spoilt[chosen],
            self.kinds[chosen],
            records,
            self.patients[chosen],
            self.groups[chosen],
            missed,
        )

    @property
    def to_learn(self) -> NDArray[np.bool_]:
        """Which beats a network can learn from."""
        learnable: NDArray[np.bool_] = ~self.spoilt & (self.kinds >= 0) & (self.kinds < TOLD)
        return learnable


def judged_inputs(
    events: Iterable[Event],
) -> tuple[list[BeatKind], Inputs, NDArray[np.int64]]:
    """Run the judge over a recording; return its beats, their network's inputs, and shapes."""
    seen: list[KnownBeat] = []

    def note(beat: KnownBeat, _usual: UsualOdds) -> Verdict:
        seen.append(beat)
        return Verdict("N", 0.0)

    judge = BeatKindJudge(note)
    beats = [beat for event in events for beat in judge.push(event)] + judge.finish()
    inputs = np.zeros((len(beats), INPUTS), dtype=np.float32)
    shapes = np.full(len(beats), USUAL)
    if seen:
        judged = [beat.kind != "Q" for beat in beats]
        inputs[judged], shapes[judged] = zip(*seen, strict=True)
    return beats, inputs, shapes


def cold_starts(events: Sequence[Event]) -> list[tuple[Event, ...]]:
    """Cut stretches out of a recording, each of which begins as if with a new wearer.

    The first is left out: the whole recording begins with it.
    """
    places = [at for at, event in enumerate(events) if isinstance(event, BeatWindow)]
    firsts = places[COLD_EVERY::COLD_EVERY]
    return [
        tuple(each for each in events[first : first + 2 * COLD_BEATS] if not forgets(each))
        for first in firsts
    ]


def forgets(event: Event) -> bool:
    """Tell whether an event makes the judge forget the wearer."""
    return isinstance(event, Interruption) and event.wearer_may_differ
