"""Searches among people whose hearts are drawn at random: what matters is their number."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from model.scores import unit
from model.training.datasets import Beats
from model.training.searches import (
    FPIR,
    GALLERIES,
    Halves,
    best_scores,
    calibrate_searches,
    halve,
    upright,
)


def people(seed: int, number: int) -> Halves:
    """Draw people whose later beats scatter about their template."""
    rng = np.random.default_rng(seed)
    templates = unit(rng.normal(size=(number, 12)).astype(np.float32))
    beats = unit(templates[:, None] + 0.35 * rng.normal(size=(number, 10, 12)).astype(np.float32))
    return Halves(templates, list(beats))


@pytest.fixture(scope="module")
def cohort() -> NDArray[np.float32]:
    return people(1, 80).templates


def beat(upside_down: bool) -> NDArray[np.float64]:
    wave = np.zeros(175)
    wave[70], wave[74] = 1.0, -0.3
    return -wave if upside_down else wave


def test_a_qrs_that_points_down_is_upside_down() -> None:
    assert upright(np.tile(beat(upside_down=False), (5, 1)))
    assert not upright(np.tile(beat(upside_down=True), (5, 1)))


def test_whoever_is_upside_down_or_has_few_beats_is_left_out() -> None:
    counts = {"Ada": 24, "Bob": 24, "Cy": 19}
    persons = np.repeat(list(counts), list(counts.values()))
    windows = np.array([beat(upside_down=person == "Bob") for person in persons])
    n = len(persons)
    beats = Beats(windows, persons, persons, np.full(n, ""), np.ones(n, dtype=bool))
    embeddings = unit(np.random.default_rng(1).normal(size=(n, 12)).astype(np.float32))
    halves = halve(beats, embeddings, any_side_up=False)
    np.testing.assert_array_equal(halves.probes, [embeddings[12:24]])
    assert len(halve(beats, embeddings).templates) == 2


def test_strangers_are_those_who_are_not_enrolled(cohort: NDArray[np.float32]) -> None:
    strangers, mated, stranger_of, mated_of = best_scores(people(2, 30), cohort, 20, 10, seed=1)
    assert len(strangers) == len(stranger_of) == len(mated_of) / 2  # ten draws or so of 20 of 30
    assert len(mated) == len(mated_of)
    assert np.median(mated) > np.quantile(strangers, 0.99)


@pytest.mark.parametrize("enrolled", [1, 2, 6, 12])
def test_other_strangers_pass_about_as_often_as_the_rate_says(
    cohort: NDArray[np.float32], enrolled: int
) -> None:
    calibration = calibrate_searches(people(3, 150), cohort, seed=1)
    assert [search.enrolled for search in calibration.searches] == list(GALLERIES)
    strangers, *_ = best_scores(people(4, 300), cohort, enrolled, 10, seed=2)
    threshold = calibration.search_threshold(10, enrolled, FPIR)
    assert FPIR / 2.5 < (strangers >= threshold).mean() < FPIR * 2.5
