"""What a confusion matrix of a fixed group says of each person, and of the group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PersonFigures:
    """How well one person's beats are told from the others', each figure 0 to 1."""

    precision: float  # part of the beats taken for this person that are; 0 where there are none
    recall: float  # part of this person's beats that are taken for this person (sensitivity)
    f1: float  # harmonic mean of both
    specificity: float  # part of the others' beats that are not taken for this person


def accuracy(confusion: NDArray[np.int64]) -> float:
    """Return the part of all beats on the diagonal, 0 to 1."""
    return float(np.trace(confusion) / confusion.sum())


def person_figures(confusion: NDArray[np.int64]) -> tuple[PersonFigures, ...]:
    """Return each person's figures, one person against the rest."""
    right = np.diag(confusion)
    taken, own, beats = confusion.sum(axis=0), confusion.sum(axis=1), confusion.sum()
    precision, recall = _part(right, taken), _part(right, own)
    f1 = _part(2 * right, taken + own)
    specificity = _part(beats - own - taken + right, beats - own)
    columns = (precision, recall, f1, specificity)
    return tuple(PersonFigures(*map(float, row)) for row in zip(*columns, strict=True))


def macro_average(persons: tuple[PersonFigures, ...]) -> PersonFigures:
    """Return the mean over persons, each of whom counts the same."""
    rows = [(each.precision, each.recall, each.f1, each.specificity) for each in persons]
    return PersonFigures(*map(float, np.mean(rows, axis=0)))


def _part(some: NDArray[np.int64], of: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(some, of, out=np.zeros(len(some)), where=of > 0)
