"""Verification trials: each person's earliest record enrolled, the later ones probed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from model.enrolment import keep_nearest
from model.error_rates import (
    Trials,
    equal_error_rate,
    fmr_at_fnmr,
    percent,
    pool_trials,
    rate,
)
from model.scores import corrected_cosine, cosine, mean_direction
from model.training.datasets import Beats, Others

STRETCHES = tuple(range(1, 11))  # beats behind a decision, each with its own calibration
REPORTED = (1, 5, 10)
FNMR_LIMIT = 0.05
COHORT_PERSONS = 200  # of each other device at most

PROTOCOL = (
    "persons that the network was not trained on, pooled over the folds; enrolled with the good "
    "beats of the earliest record, probed with every stretch of so many consecutive good beats of "
    "later records; cosines corrected by a cohort of the fold's training persons, of all devices; "
    "95 % intervals by drawing persons"
)


@dataclass(frozen=True, slots=True, eq=False)
class Probes:
    """Stretches of consecutive good beats from records later than the enrolment."""

    embeddings: NDArray[np.float32]  # mean direction of each stretch, shape (n, d)
    persons: NDArray[np.int64]  # whose it is, as a number into ``Beats.names``, shape (n,)
    #: whether it is from another day than that person's enrolment, shape (n,)
    other_day: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """How alike each template is to each probe."""

    corrected: NDArray[np.float64]  # shape (t, p)
    cosines: NDArray[np.float64]  # shape (t, p); the highest one says who it is
    template_of: NDArray[np.int64]  # person number of each template, shape (t,)
    probe_of: NDArray[np.int64]  # person number of each probe, shape (p,)
    #: of each probe: whether it is from another day than the enrolment, shape (p,)
    other_day: NDArray[np.bool_]

    @property
    def trials(self) -> Trials:
        """Every template with every probe, one template after the other."""
        return Trials.of_all(self.corrected, self.template_of, self.probe_of)

    @property
    def trials_of_other_days(self) -> Trials:
        """Those whose probe is from another day than its person's enrolment."""
        return self.trials.where(np.tile(self.other_day, len(self.template_of)))

    @property
    def nearest_is_right(self) -> NDArray[np.bool_]:
        """Of each probe: whether the nearest template by cosine is its person's."""
        right: NDArray[np.bool_] = self.template_of[self.cosines.argmax(axis=0)] == self.probe_of
        return right


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Every template against every probe."""

    trials: Trials  # scored by corrected cosine
    #: of each trial: whether its probe is from another day than the enrolment
    other_day: NDArray[np.bool_]
    #: of each probe: whether the nearest template by cosine is its person's
    nearest_is_right: NDArray[np.bool_]
    enrolled: int  # how many templates there were to choose from

    @classmethod
    def pool(cls, comparisons: list[Self]) -> Self:
        """Put folds together that have no person in common."""
        return cls(
            pool_trials([each.trials for each in comparisons]),
            np.concatenate([each.other_day for each in comparisons]),
            np.concatenate([each.nearest_is_right for each in comparisons]),
            max(each.enrolled for each in comparisons),
        )


def templates(beats: Beats, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Enrol each person with the good beats of the earliest record; shape (persons, d).

    Args:
        beats: each person has good beats in the earliest record.
        embeddings: of the beats, shape (n, d).
    """
    earliest = [beats.records == beats.records_of(person)[0] for person in beats.names]
    return np.stack(
        [mean_direction(keep_nearest(embeddings[record & beats.good])) for record in earliest]
    )


def cohort_templates(
    beats: Beats,
    others: Others,
    embed: Callable[[NDArray[np.float64]], NDArray[np.float32]],
) -> NDArray[np.float32]:
    """Return a template of everybody trained on, of other devices' people 200, shape (c, d).

    Args:
        beats: of the persons that the network is made for; each has good beats.
        others: whom it learned from besides.
        embed: what the network makes of windows in mV, shape (n, 175): unit vectors (n, d).
    """
    devices = [device.of(device.names[:COHORT_PERSONS]) for device in others.devices]
    return np.concatenate([templates(each, embed(each.windows_mv)) for each in (beats, *devices)])


def probes(beats: Beats, embeddings: NDArray[np.float32], stretch: int) -> Probes:
    """Take every stretch of so many consecutive good beats from the records after the earliest."""
    directions, persons, other_day = [], [], []
    for number, person in enumerate(beats.names):
        earliest, *later = beats.records_of(person)
        enrolled_on = beats.days[beats.records == earliest][0]
        for record in later:
            rows = np.flatnonzero((beats.records == record) & beats.good)
            starts = range(len(rows) - stretch + 1)
            directions += [mean_direction(embeddings[rows[at : at + stretch]]) for at in starts]
            persons += [number] * len(starts)
            is_other = bool(rows.size) and beats.days[rows[0]] != enrolled_on
            other_day += [is_other] * len(starts)
    return Probes(
        np.array(directions, dtype=np.float32).reshape(-1, embeddings.shape[1]),
        np.array(persons, dtype=np.int64),
        np.array(other_day, dtype=bool),
    )


def compare(
    beats: Beats, embeddings: NDArray[np.float32], cohort: NDArray[np.float32], stretch: int
) -> Comparison:
    """Enrol everybody and compare each with every probe.

    Args:
        beats: of persons that neither the network nor the cohort knows.
        embeddings: of these beats, shape (n, d).
        cohort: templates of strangers, shape (c, d).
        stretch: beats that a probe is the mean of.
    """
    enrolled = templates(beats, embeddings)
    numbers = np.arange(len(enrolled))
    scores = score(enrolled, numbers, probes(beats, embeddings, stretch), cohort)
    other_day = np.tile(scores.other_day, len(enrolled))
    return Comparison(scores.trials, other_day, scores.nearest_is_right, len(enrolled))


def score(
    enrolled: NDArray[np.float32],
    template_of: NDArray[np.int64],
    probed: Probes,
    cohort: NDArray[np.float32],
) -> Scores:
    """Score templates, shape (t, d), of the persons whose numbers are given, with probes."""
    return Scores(
        corrected_cosine(enrolled, probed.embeddings, cohort),
        cosine(enrolled, probed.embeddings),
        template_of,
        probed.persons,
        probed.other_day,
    )


def can_enrol(beats: Beats, person: str) -> bool:
    """Tell whether the earliest record has a good beat."""
    return bool(beats.good[beats.records == beats.records_of(person)[0]].any())


def figures(comparison: Comparison) -> dict[str, Any]:
    """Return the figures that a passport states, in percent."""
    trials = comparison.trials
    across_days = trials.where(comparison.other_day)
    persons = len(np.unique(across_days.probe_of))
    return {
        "persons": len(np.unique(trials.probe_of)),
        "mated_trials": int(trials.mated.sum()),
        "non_mated_trials": int((~trials.mated).sum()),
        "eer": rate(trials, equal_error_rate),
        "fmr_at_fnmr_5": percent(fmr_at_fnmr(trials, FNMR_LIMIT)),
        "rank_1": percent(comparison.nearest_is_right.mean()),
        "rank_1_of": comparison.enrolled,
        "across_days": {"persons": persons, "eer": rate(across_days, equal_error_rate)}
        if persons > 1
        else None,
    }
