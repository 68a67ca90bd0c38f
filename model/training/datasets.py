"""The beats that a network learns from, and how they are dealt out.

Nothing here reads files: the command hears the recordings through the daemon's own signal chain
and hands over arrays.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

#: What somebody's recordings are for: to train with, to set thresholds with, or to test.
Purpose: TypeAlias = Literal["training", "thresholds", "test"]

PURPOSES: tuple[Purpose, ...] = ("training", "training", "training", "thresholds", "test")
BLEND = 3  # beats of one record that augmentation may blend into one sample


@dataclass(frozen=True, slots=True, eq=False)
class Beats:
    """Beats of many persons; a person's records come in the order in which they were recorded."""

    windows_mv: NDArray[np.float64]  # conditioned beats in mV, shape (n, 175)
    persons: NDArray[np.str_]  # whose each beat is, shape (n,), str
    records: NDArray[np.str_]  # which recording it is from, unique across persons, shape (n,), str
    #: when that was recorded, ``2004-12-07`` or empty if not known, shape (n,), str
    days: NDArray[np.str_]
    good: NDArray[np.bool_]  # whether the signal chain found no flaw in it, shape (n,), bool

    def __len__(self) -> int:
        return len(self.persons)

    @property
    def names(self) -> tuple[str, ...]:
        """Everybody who has a beat here, sorted."""
        return tuple(np.unique(self.persons).tolist())

    def records_of(self, person: str) -> list[str]:
        """Return a person's records, the earliest first."""
        return list(dict.fromkeys(self.records[self.persons == person].tolist()))

    def where(self, chosen: NDArray[np.bool_]) -> Self:
        """Return the chosen beats, given as a mask of shape (n,)."""
        return type(self)(
            self.windows_mv[chosen],
            self.persons[chosen],
            self.records[chosen],
            self.days[chosen],
            self.good[chosen],
        )

    def of(self, persons: Collection[str]) -> Self:
        """Return the beats of some of the persons."""
        return self.where(np.isin(self.persons, list(persons)))


@dataclass(frozen=True, slots=True, eq=False)
class Hearts:
    """Conditioned beats of many hearts, as dipoles."""

    dipoles_mv: NDArray[np.float64]  # X, Y, Z about lead I's R peak, (n, 3, 30 + 175 + 30)
    names: NDArray[np.str_]  # whose each is, shape (n,)


@dataclass(frozen=True, slots=True, eq=False)
class Others:
    """Whom every network learns from besides the persons that it is made for."""

    devices: tuple[Beats, ...] = ()  # people recorded by other devices
    #: people of these devices whom no network learns from: thresholds are set by them
    setters: tuple[Beats, ...] = ()
    hearts: Hearts | None = None  # of 12 leads, to be seen from many sides

    def description(self) -> dict[str, Any]:
        """Return how many they are, for the passport."""
        return {
            "persons_of_other_devices": [len(device.names) for device in self.devices],
            "persons_who_set_thresholds": [len(device.names) for device in self.setters],
            "hearts_of_12_leads": 0 if self.hearts is None else len(np.unique(self.hearts.names)),
        }

    def without_hearts(self, names: Collection[str]) -> Others:
        """Leave out some of the hearts."""
        if self.hearts is None:
            return self
        kept = ~np.isin(self.hearts.names, list(names))
        return replace(self, hearts=Hearts(self.hearts.dipoles_mv[kept], self.hearts.names[kept]))


NOBODY_ELSE = Others()


def person_folds(persons: Sequence[str], folds: int, seed: int) -> list[tuple[str, ...]]:
    """Split persons at random into groups whose sizes differ by one at most."""
    shuffled = np.random.default_rng(seed).permutation(np.array(persons))
    return [tuple(sorted(part.tolist())) for part in np.array_split(shuffled, folds)]


def purpose(record: str) -> Purpose:
    """Tell what a record of a large set, a person of its own, is for: it follows from the name.

    So a model, its thresholds and its figures never share a person, whoever makes them and from
    however much of the set: of 5 persons about 3 are for training, 1 each for the others.
    """
    return PURPOSES[crc32(record.encode()) % len(PURPOSES)]


class BatchSampler:
    """Draws batches of a few beats each of many persons, from as many of their records as it can.

    Args:
        beats: what to draw from; flawed beats are left out.
        persons: per batch; all of them if there are fewer.
        beats_each: beats of each person in a batch.
        rng: the source of chance.

    Attributes:
        persons: how many there are to draw from; each has the number of its label.
    """

    def __init__(
        self, beats: Beats, persons: int, beats_each: int, rng: np.random.Generator
    ) -> None:
        beats = beats.where(beats.good)
        self.persons = len(beats.names)
        self._windows = beats.windows_mv
        self._drawn = min(persons, self.persons)
        self._beats_each = beats_each
        self._rng = rng
        self._records = [
            [np.flatnonzero(beats.records == record) for record in beats.records_of(name)]
            for name in beats.names
        ]

    def draw(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return groups of beats to blend, shape (batch, 3, 175), and their labels (batch,)."""
        labels = self._rng.permutation(self.persons)[: self._drawn]
        chosen = np.concatenate([self._of_person(label) for label in labels])
        return self._windows[chosen], np.repeat(labels, self._beats_each)

    def _of_person(self, label: int) -> NDArray[np.int64]:
        """Choose beats of one person, shape (beats_each, 3): each row from one record."""
        records = self._records[label]
        order = np.resize(self._rng.permutation(len(records)), self._beats_each)
        rows = self._rng.random((self._beats_each, BLEND))  # quicker than a choice from each record
        return np.stack(
            [
                records[record][(row * len(records[record])).astype(int)]
                for record, row in zip(order, rows, strict=True)
            ]
        )
