"""Beats found against beats annotated, by the rules of ANSI/AAMI EC57.

Each annotated beat is paired with at most one found beat, and that with no other, if they are
no more than 150 ms apart. An annotated beat without a partner was missed (FN), a found one without
a partner was invented (FP). A pair counts where its annotated beat is, so that the edges of what
is scored cost nobody a beat.

Source: ANSI/AAMI EC57:2012, 4.3; the learning period is left out as by ``bxb -f``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from dsp.front_end import RATE_HZ

TOLERANCE_S = 0.150


@dataclass(frozen=True, slots=True)
class Scope:
    """The stretch of a record that is scored, in samples."""

    start: int  # its first sample
    stop: int  # the first sample after it
    #: stretches within that are not scored, each from its first to its last sample
    left_out: tuple[tuple[int, int], ...] = ()

    def covers(self, positions: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell of each position whether it is scored."""
        covered = (positions >= self.start) & (positions < self.stop)
        for first, last in self.left_out:
            covered &= (positions < first) | (positions > last)
        return covered


def pair(
    annotated: NDArray[np.int64], found: NDArray[np.int64], tolerance: int
) -> NDArray[np.int64]:
    """Pair beats one to one, the closest first.

    Args:
        annotated: sample of each reference beat, ascending.
        found: sample of each detected beat, ascending.
        tolerance: how many samples the two of a pair may be apart.

    Returns:
        Shape (pairs, 2): the places of the partners in ``annotated`` and ``found``.
    """
    first = np.searchsorted(found, annotated - tolerance, side="left")
    end = np.searchsorted(found, annotated + tolerance, side="right")
    possible = [
        (abs(int(found[other] - beat)), one, other)
        for one, beat in enumerate(annotated)
        for other in range(first[one], end[one])
    ]
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, one, other in sorted(possible):
        if one not in pairs and other not in taken:
            pairs[one] = other
            taken.add(other)
    return np.array(sorted(pairs.items()), dtype=np.int64).reshape(-1, 2)


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """How well beats were found."""

    beats: int  # how many were annotated
    missed: int  # annotated and not found (FN)
    invented: int  # found and not annotated (FP)
    offsets_ms: NDArray[np.float64]  # found minus annotated place of each pair

    @property
    def sensitivity(self) -> float:
        """The part of the annotated beats that was found, in per cent."""
        return _percent(self.beats - self.missed, self.beats)

    @property
    def positive_predictivity(self) -> float:
        """The part of the found beats that was annotated, in per cent."""
        right = self.beats - self.missed
        return _percent(right, right + self.invented)

    @property
    def f1(self) -> float:
        """The harmonic mean of the two, in per cent."""
        right = self.beats - self.missed
        return _percent(2 * right, 2 * right + self.missed + self.invented)

    @property
    def error_rate(self) -> float:
        """Missed and invented beats for each annotated one (DER), in per cent."""
        return _percent(self.missed + self.invented, self.beats)

    @property
    def bias_ms(self) -> float:
        """The mean offset; NaN without a pair."""
        return float(self.offsets_ms.mean()) if len(self.offsets_ms) else float("nan")

    @property
    def sd_ms(self) -> float:
        """The offsets' standard deviation about their own mean; NaN without a pair."""
        return float(self.offsets_ms.std()) if len(self.offsets_ms) else float("nan")

    def figures(self) -> dict[str, int | float | None]:
        """Return the counts and rates, for JSON; None for what is not defined."""
        figures = {
            "beats": self.beats,
            "missed": self.missed,
            "invented": self.invented,
            "sensitivity_percent": self.sensitivity,
            "positive_predictivity_percent": self.positive_predictivity,
            "f1_percent": self.f1,
            "error_rate_percent": self.error_rate,
        }
        return {name: value if isfinite(value) else None for name, value in figures.items()}


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else float("nan")


def score(annotated: NDArray[np.int64], found: NDArray[np.int64], scope: Scope) -> Score:
    """Score one record: ascending samples at 250 Hz of the annotated and of the found beats."""
    pairs = pair(annotated, found, int(TOLERANCE_S * RATE_HZ))
    missed = np.delete(annotated, pairs[:, 0])
    invented = np.delete(found, pairs[:, 1])
    places, partners = annotated[pairs[:, 0]], found[pairs[:, 1]]
    counts = scope.covers(places)
    offsets_ms = (partners - places)[counts] * 1000 / RATE_HZ
    n_missed = int(scope.covers(missed).sum())
    n_invented = int(scope.covers(invented).sum())
    return Score(len(offsets_ms) + n_missed, n_missed, n_invented, offsets_ms)


def pool(scores: Iterable[Score]) -> Score:
    """Score several records as if they were one: what EC57 calls gross statistics."""
    of_records = list(scores)
    return Score(
        beats=sum(one.beats for one in of_records),
        missed=sum(one.missed for one in of_records),
        invented=sum(one.invented for one in of_records),
        offsets_ms=np.concatenate([one.offsets_ms for one in of_records]),
    )
