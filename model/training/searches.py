"""Searches among several enrolled people: how strangers score in them, and thresholds from that.

Whoever is searched among more people finds somebody more alike, so that a threshold holds for one
number of enrolled people only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.enrolment import keep_nearest
from model.passport import Calibration, Search
from model.scores import common_direction, cosine, mean_direction, s_norm
from model.training.calibrate import FMR, fit_logistic
from model.training.datasets import Beats
from model.training.evaluate import STRETCHES

#: Larger ones follow from the tail. In sets without person numbers, such as cinc2017, some records
#: may be one person's: among ten people that is often enough to set the threshold by itself.
GALLERIES = (1, 2, 4, 6)
FPIR = 0.03
TAIL = 0.1  # part of the strangers' scores, the highest, that the tail is fitted to
TEMPLATES = 200  # drawn for each size of gallery, in all
FEWEST_BEATS = 2 * STRETCHES[-1]  # half to enrol with, half to probe
WINDOW_BEFORE_R = 70
QRS = slice(WINDOW_BEFORE_R - 20, WINDOW_BEFORE_R + 20)


@dataclass(frozen=True, slots=True, eq=False)
class Halves:
    """People who are enrolled with one half of what is known of them, and probed with the other.

    Attributes:
        templates: shape (persons, d).
        probes: good beats in the order in which they came, an array (n, d) for each person.
    """

    templates: NDArray[np.float32]
    probes: list[NDArray[np.float32]]

    def part(self, chosen: Sequence[int]) -> Halves:
        """Return some of the people."""
        return Halves(self.templates[chosen], [self.probes[person] for person in chosen])


def upright(windows_mv: NDArray[np.float64]) -> bool:
    """Tell whether the QRS of the median beat does not reach twice as far down as up."""
    beat = np.median(windows_mv, axis=0)
    qrs = (beat - np.median(beat))[QRS]
    return bool(-qrs.min() < 2 * qrs.max())


def halve(
    beats: Beats, embeddings: NDArray[np.float32], by_record: bool = False, any_side_up: bool = True
) -> Halves:
    """Enrol people with their earlier beats and keep the later ones as probes.

    Whoever has too few good beats is left out.

    Args:
        beats: of the people.
        embeddings: of these beats, shape (n, d).
        by_record: enrol the first record and probe the others, rather than halves of one record.
        any_side_up: keep records that are upside down.
    """
    templates, probes = [], []
    for person in beats.names:
        rows = np.flatnonzero((beats.persons == person) & beats.good)
        if len(rows) < FEWEST_BEATS or not (any_side_up or upright(beats.windows_mv[rows])):
            continue
        is_first = (
            beats.records[rows] == beats.records[rows[0]]
            if by_record
            else np.arange(len(rows)) < len(rows) // 2
        )
        if min(is_first.sum(), (~is_first).sum()) >= STRETCHES[-1]:
            templates.append(mean_direction(keep_nearest(embeddings[rows[is_first]])))
            probes.append(embeddings[rows[~is_first]])
    return Halves(np.array(templates), probes)


def best_scores(
    people: Halves, cohort: NDArray[np.float32], enrolled: int, stretch: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Enrol so many at random, again and again, and search everybody among them.

    Returns:
        The best score of each stranger's probe and of each enrolled person's (minus infinity if
        somebody else is nearer), and whose probes these are, as numbers into ``people``.
    """
    rng = np.random.default_rng(seed)
    probes = np.stack([mean_direction(beats[:stretch]) for beats in people.probes])
    strangers, mated, stranger_of, mated_of = [], [], [], []
    for _ in range(max(8, TEMPLATES // enrolled)):
        group = rng.permutation(len(people.templates))[:enrolled]
        templates = people.templates[group]
        common = common_direction(templates, cohort)
        nearest = cosine(templates, probes).argmax(axis=0)
        scores = s_norm(templates, probes, cohort, common)[nearest, np.arange(len(probes))]
        is_enrolled = np.isin(np.arange(len(probes)), group)
        is_right = group[nearest] == np.arange(len(probes))
        strangers.append(scores[~is_enrolled])
        mated.append(np.where(is_right, scores, -np.inf)[is_enrolled])
        stranger_of.append(np.flatnonzero(~is_enrolled))
        mated_of.append(np.flatnonzero(is_enrolled))
    return (
        np.concatenate(strangers),
        np.concatenate(mated),
        np.concatenate(stranger_of),
        np.concatenate(mated_of),
    )


def calibrate_searches(people: Halves, cohort: NDArray[np.float32], seed: int) -> Calibration:
    """Calibrate on people whom neither the network nor the cohort knows, for a fixed FPIR.

    Args:
        people: more than the largest of GALLERIES.
        cohort: shape (c, d).
        seed: of the galleries that are drawn.
    """
    searches = tuple(_search(people, cohort, enrolled, seed) for enrolled in GALLERIES)
    pair = searches[0]
    stricter = np.log(FPIR / FMR)
    return Calibration(
        fmr=FMR,
        thresholds=tuple(
            float(level + scale * stricter)
            for level, scale in zip(pair.thresholds, pair.scales, strict=True)
        ),
        slopes=pair.slopes,
        intercepts=pair.intercepts,
        fpir=FPIR,
        searches=searches,
    )


def _search(people: Halves, cohort: NDArray[np.float32], enrolled: int, seed: int) -> Search:
    rows = []
    for stretch in STRETCHES:
        strangers, mated, _, _ = best_scores(people, cohort, enrolled, stretch, seed)
        threshold = float(np.quantile(strangers, 1 - FPIR))
        tail_begins = np.quantile(strangers, 1 - TAIL)
        scale = (threshold - tail_begins) / np.log(TAIL / FPIR)
        found = mated[np.isfinite(mated)]
        scores = np.concatenate([found, strangers])
        rows.append(
            (threshold, float(scale), *fit_logistic(scores, np.arange(len(scores)) < len(found)))
        )
    return Search(enrolled, *(tuple(column) for column in zip(*rows, strict=True)))
