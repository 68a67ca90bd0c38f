"""What is evaluated: the people, how they are split, and what each part of the work is given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.training.records import gather_beats
from daemon.offline.analysis import Analysis
from daemon.recordings.person_folders import PersonRecord
from dsp.segmenter import WINDOW_SAMPLES
from dsp.signals import BeatWindow, Interruption
from model.training.datasets import NOBODY_ELSE, Beats, Others, person_folds
from model.training.errors import TooLittleData
from model.training.evaluate import can_enrol

if TYPE_CHECKING:
    from benchmarks.identity.angles import Side


@dataclass(frozen=True, slots=True)
class Session:
    """One record as the recogniser is given it."""

    record: str  # its name among ``Beats.records``
    person: str  # whose it is
    #: of the signal chain; the beats without their samples, which are in ``Beats``
    events: tuple[BeatWindow | Interruption, ...]

    @classmethod
    def of(cls, record: PersonRecord, analysis: Analysis) -> Session:
        """Take from a record what the recogniser needs beside the embeddings."""
        events: list[BeatWindow | Interruption] = []
        for event in analysis.events:
            if isinstance(event, BeatWindow):
                events.append(replace(event, ecg_mv=()))
            elif isinstance(event, Interruption):
                events.append(event)
        return cls(record.path, record.person, tuple(events))

    @property
    def good_beats(self) -> int:
        """How many of its beats count."""
        return sum(isinstance(event, BeatWindow) and event.quality.good for event in self.events)


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Everybody's beats, and the records that they come from, in the same order."""

    beats: Beats
    sessions: tuple[Session, ...]

    @classmethod
    def of(cls, records: Sequence[PersonRecord], analyses: Sequence[Analysis]) -> People:
        """Put all records together."""
        sessions = tuple(map(Session.of, records, analyses))
        return cls(gather_beats(records, analyses), sessions)


@dataclass(frozen=True, slots=True, eq=False)
class FoldJob:
    """One training and who is judged by it."""

    seed: int  # of the split and the training
    number: int  # of the fold, from 0 on
    known: Beats  # beats to train on
    unseen: Beats  # beats of the persons that are judged
    sessions: tuple[Session, ...]  # the same persons' records
    names: tuple[str, ...]  # of all persons of the study; their places are the person numbers
    others: Others  # to train on as well
    tested: dict[str, Beats]  # people of other devices, to be judged, by the device
    sides: tuple[Side, ...]  # other hearts seen from known directions, to be judged; or none
    hearts: tuple[str, ...]  # of all sides of the study; their places are the hearts' numbers
    steps: int  # of the training

    @property
    def side_windows_mv(self) -> NDArray[np.float64]:
        """Beats of all sides one after the other, shape (n, 175)."""
        windows = [side.windows_mv for side in self.sides]
        return np.concatenate([np.empty((0, WINDOW_SAMPLES)), *windows])


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What a fold's network sees before it is converted."""

    embeddings: NDArray[np.float32]  # of the unseen beats, shape (n, d)
    cohort: NDArray[np.float32]  # of the persons that it was trained on, shape (c, d)


def plan_folds(
    people: People,
    *,
    folds: int,
    seeds: int,
    steps: int,
    others: Others = NOBODY_ELSE,
    tested: dict[str, Beats] | None = None,
    sides: Sequence[Side] = (),
) -> Iterator[FoldJob]:
    """Split the persons anew for each seed and yield every fold's work.

    Hearts of 12 leads are split as well: nobody is judged whose heart was trained on.

    Raises:
        TooLittleData: a fold would have nobody to compare.
    """
    names = people.beats.names
    if len(names) < 2 * folds:
        raise TooLittleData(
            f"the data hold {len(names)} persons; {folds} folds need {2 * folds} or more"
        )
    hearts = tuple(sorted({side.heart for side in sides}))
    for seed in range(1, seeds + 1):
        parts = person_folds(names, folds, seed)
        heart_parts = person_folds(hearts, folds, seed)
        for number, (held_out, held_out_hearts) in enumerate(zip(parts, heart_parts, strict=True)):
            known = people.beats.of(set(names) - set(held_out))
            yield FoldJob(
                seed,
                number,
                known.of([name for name in known.names if can_enrol(known, name)]),
                people.beats.of(held_out),
                tuple(each for each in people.sessions if each.person in held_out),
                names,
                others.without_hearts(held_out_hearts),
                tested or {},
                tuple(side for side in sides if side.heart in held_out_hearts),
                hearts,
                steps,
            )
