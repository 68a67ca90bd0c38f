"""Searches among several enrolled people: how strangers score in them, and thresholds from that.

Whoever is searched among more people finds somebody more alike, so that a threshold holds for one
number of enrolled people only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import accumulate
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from model.calibration import Calibration, Search
from model.enrolment import keep_nearest
from model.error_rates import Trials
from model.identifier import UNFAMILIAR_FPIR
from model.options import IdentifierOptions
from model.scores import common_direction, corrected_cosine, cosine, familiarity, mean_direction
from model.training.calibrate import FMR, calibrate, fit_logistic
from model.training.datasets import Beats
from model.training.evaluate import STRETCHES

GALLERIES = (1, 2, 4, 8, 16, 32, 64)  # larger ones follow from the tail
FPIR = 0.01
TAIL = 0.1  # part of the strangers' scores, the highest, that the tail is fitted to: tenfold FPIR
TEMPLATES = 100  # drawn for each size of gallery, in all
FEWEST_DRAWS = 20
FEWEST_PEOPLE = 4  # of a device, to search among half of them
FEWEST_BEATS = 2 * STRETCHES[-1]  # half to enrol with, half to probe


@dataclass(frozen=True, slots=True, eq=False)
class Halves:
    """People who are enrolled with one half of what is known of them, and probed with the other."""

    names: tuple[str, ...]  # of the persons
    templates: NDArray[np.float32]  # shape (persons, d)
    #: good beats in the order in which they came, an array (n, d) for each person
    probes: list[NDArray[np.float32]]

    def probe(self, stretch: int) -> NDArray[np.float32]:
        """Return the mean direction of everybody's first beats, shape (persons, d)."""
        return np.stack([mean_direction(beats[:stretch]) for beats in self.probes])

    def where(self, is_chosen: Callable[[str], bool]) -> Halves:
        """Return the people whose names are chosen."""
        chosen = [at for at, name in enumerate(self.names) if is_chosen(name)]
        return Halves(
            tuple(self.names[at] for at in chosen),
            self.templates[chosen],
            [self.probes[at] for at in chosen],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Searches:
    """Probes that were searched among enrolled people, each array of shape (n,)."""

    scores: NDArray[np.float64]  # of the nearest template
    is_enrolled: NDArray[np.bool_]  # whether the probe is of somebody enrolled
    is_right: NDArray[np.bool_]  # whether the nearest template is that person's
    familiarity: NDArray[np.float64]  # of the probe
    probe_of: NDArray[np.int64]  # whose it is, as a number into the names

    @property
    def strangers(self) -> NDArray[np.float64]:
        """The scores of those who are not enrolled."""
        return self.scores[~self.is_enrolled]

    @classmethod
    def pool(cls, parts: Sequence[Searches]) -> Searches:
        """Put searches together; persons keep their numbers."""
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


#: People whom a network and its cohort, shape (c, d), do not know.
Setting: TypeAlias = tuple[Halves, NDArray[np.float32]]

#: All who were recorded by one device; several networks may each not know some of them.
Device: TypeAlias = Sequence[Setting]


def halve(beats: Beats, embeddings: NDArray[np.float32]) -> Halves:
    """Enrol people with the first record and keep the later ones as probes.

    Of whoever has one record only, its halves are taken. Who has too few good beats is left out.

    Args:
        beats: of the people.
        embeddings: of these beats, shape (n, d).
    """
    names, templates, probes = [], [], []
    for person in beats.names:
        rows = np.flatnonzero((beats.persons == person) & beats.good)
        if len(rows) < FEWEST_BEATS:
            continue
        is_first = beats.records[rows] == beats.records[rows[0]]
        if is_first.all():
            is_first = np.arange(len(rows)) < len(rows) // 2
        if min(is_first.sum(), (~is_first).sum()) >= STRETCHES[-1]:
            names.append(person)
            templates.append(mean_direction(keep_nearest(embeddings[rows[is_first]])))
            probes.append(embeddings[rows[~is_first]])
    return Halves(tuple(names), np.array(templates), probes)


def search(
    people: Halves, cohort: NDArray[np.float32], enrolled: int, stretch: int, seed: int
) -> Searches:
    """Enrol so many at random, again and again, and search everybody among them."""
    probes, groups = people.probe(stretch), draw_groups(people, enrolled, seed)
    return Searches.pool([search_group(people, probes, cohort, group) for group in groups])


def draw_groups(people: Halves, enrolled: int, seed: int) -> Iterator[NDArray[np.intp]]:
    """Yield who is enrolled together, as places in the names, so many at random each time."""
    rng = np.random.default_rng(seed)
    for _ in range(max(FEWEST_DRAWS, TEMPLATES // enrolled)):
        yield rng.permutation(len(people.templates))[:enrolled]


def search_group(
    people: Halves,
    probes: NDArray[np.float32],
    cohort: NDArray[np.float32],
    group: NDArray[np.intp],
) -> Searches:
    """Enrol a group, and search everybody's probe, shape (persons, d), among them."""
    templates = people.templates[group]
    familiar = familiarity(probes, cohort).astype(np.float64)
    everybody = np.arange(len(probes))
    common = common_direction(templates, cohort)
    nearest = cosine(templates, probes).argmax(axis=0)
    scores = corrected_cosine(templates, probes, cohort, common)[nearest, everybody]
    is_enrolled, is_right = np.isin(everybody, group), group[nearest] == everybody
    return Searches(scores, is_enrolled, is_right, familiar, everybody)


def accepted(
    calibration: Calibration, found: Searches, enrolled: int, stretch: int
) -> NDArray[np.bool_]:
    """Tell which probes the identifier accepts by its default settings."""
    fpir = IdentifierOptions().fpir
    usual, stricter = (
        calibration.search_threshold(stretch, enrolled, rate)
        for rate in (fpir, fpir / UNFAMILIAR_FPIR)
    )
    needed = np.where(found.familiarity < calibration.familiar, stricter, usual)
    passed: NDArray[np.bool_] = found.scores >= needed
    return passed


def calibrate_for_galleries(
    trials_by_beats: Sequence[Trials], devices: Sequence[Device], seed: int
) -> Calibration:
    """Calibrate for searches among the enrolled; by pairs alone if no device has enough people.

    Args:
        trials_by_beats: entry k holds trials on k + 1 beats, of persons outside the training.
        devices: as of ``calibrate_searches``.
        seed: of the galleries that are drawn.
    """
    large = [device for device in devices if _fewest(device) >= FEWEST_PEOPLE]
    return calibrate_searches(large, seed) if large else calibrate(trials_by_beats)


def calibrate_searches(devices: Sequence[Device], seed: int) -> Calibration:
    """Calibrate on people whom neither the network nor the cohort knows, for a fixed FPIR.

    What the strictest device asks for is asked for on all, since nobody knows on which device a
    model will be used.

    Args:
        devices: people by the device that recorded them.
        seed: of the galleries that are drawn.
    """
    most = max(map(_fewest, devices)) // 2
    measured = (_search(devices, size, seed) for size in GALLERIES if size <= most)
    searches = tuple(accumulate(measured, _at_least))
    pair = searches[0]
    familiar = [
        familiarity(people.probe(STRETCHES[-1]), cohort)
        for device in devices
        for people, cohort in device
    ]
    return Calibration(
        fmr=FMR,
        thresholds=pair.thresholds,
        slopes=pair.slopes,
        intercepts=pair.intercepts,
        fpir=FPIR,
        searches=searches,
        familiar=float(np.concatenate(familiar).min()),
    )


def _fewest(device: Device) -> int:
    return min(len(people.names) for people, _ in device)


def _search(devices: Sequence[Device], enrolled: int, seed: int) -> Search:
    """Measure on the devices with at least twice as many people."""
    large = [device for device in devices if _fewest(device) >= 2 * enrolled]
    rows = [max(_row(device, enrolled, stretch, seed) for device in large) for stretch in STRETCHES]
    return Search(enrolled, *(tuple(column) for column in zip(*rows, strict=True)))


def _row(
    device: Device, enrolled: int, stretch: int, seed: int
) -> tuple[float, float, float, float]:
    """Return threshold, scale of the tail, slope and intercept."""
    found = Searches.pool([search(*setting, enrolled, stretch, seed) for setting in device])
    tail_begins, threshold = np.quantile(found.strangers, [1 - TAIL, 1 - FPIR])
    scale = (threshold - tail_begins) / np.log(TAIL / FPIR)
    return (float(threshold), float(scale), *fit_logistic(found.scores, found.is_right))


def _at_least(smaller: Search, larger: Search) -> Search:
    """Ask among more people for no less: the strictest device may have too few to measure that."""
    return replace(larger, thresholds=tuple(map(max, smaller.thresholds, larger.thresholds)))
