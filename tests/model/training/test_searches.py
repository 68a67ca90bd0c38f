"""Searches among people whose hearts are drawn at random: what matters is their number."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dsp.qrs_shape import upright
from model.calibration import Calibration
from model.error_rates import Trials
from model.scores import familiarity, unit
from model.training import searches
from model.training.datasets import Beats
from model.training.searches import (
    FPIR,
    GALLERIES,
    Halves,
    calibrate_for_galleries,
    calibrate_searches,
    halve,
    search,
)


def people(seed: int, number: int) -> Halves:
    """Draw people whose later beats scatter about their template."""
    rng = np.random.default_rng(seed)
    templates = unit(rng.normal(size=(number, 12)).astype(np.float32))
    beats = unit(templates[:, None] + 0.35 * rng.normal(size=(number, 10, 12)).astype(np.float32))
    return Halves(tuple(map(str, range(number))), templates, list(beats))


@pytest.fixture(scope="module")
def cohort() -> NDArray[np.float32]:
    return people(1, 80).templates


@pytest.fixture(scope="module")
def calibration(cohort: NDArray[np.float32]) -> Calibration:
    return calibrate_searches([[(people(3, 150), cohort)]], seed=1)


@pytest.fixture
def few_galleries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw a fifth of the galleries: what is asked is only how calibrations compare."""
    monkeypatch.setattr(searches, "TEMPLATES", 20)
    monkeypatch.setattr(searches, "FEWEST_DRAWS", 4)


def beat(upside_down: bool) -> NDArray[np.float64]:
    wave = np.zeros(175)
    wave[70], wave[74] = 1.0, -0.3
    return -wave if upside_down else wave


def test_a_qrs_that_points_down_is_upside_down() -> None:
    assert upright(np.tile(beat(upside_down=False), (5, 1)))
    assert not upright(np.tile(beat(upside_down=True), (5, 1)))


def test_whoever_has_few_beats_is_left_out() -> None:
    persons = np.repeat(["Ada", "Cy"], [24, 19])
    n = len(persons)
    beats = Beats(np.zeros((n, 175)), persons, persons, np.full(n, ""), np.ones(n, dtype=bool))
    embeddings = unit(np.random.default_rng(1).normal(size=(n, 12)).astype(np.float32))
    halves = halve(beats, embeddings)
    assert halves.names == ("Ada",)
    np.testing.assert_array_equal(halves.probes, [embeddings[12:24]])


def test_whoever_has_several_records_is_enrolled_with_the_first() -> None:
    persons = np.repeat("Ada", 36)
    records = np.repeat(["1", "2", "3"], 12)
    beats = Beats(np.zeros((36, 175)), persons, records, np.full(36, ""), np.ones(36, dtype=bool))
    embeddings = unit(np.random.default_rng(1).normal(size=(36, 12)).astype(np.float32))
    np.testing.assert_array_equal(halve(beats, embeddings).probes, [embeddings[12:]])


def test_the_people_chosen_keep_their_beats() -> None:
    some = people(2, 5)
    chosen = some.where(lambda name: name in ("1", "3"))
    np.testing.assert_array_equal(chosen.templates, some.templates[[1, 3]])
    np.testing.assert_array_equal(chosen.probes, [some.probes[1], some.probes[3]])


def test_strangers_are_those_who_are_not_enrolled(cohort: NDArray[np.float32]) -> None:
    found = search(people(2, 30), cohort, 20, 10, seed=1)
    assert found.is_enrolled.mean() == pytest.approx(20 / 30)
    assert not found.is_right[~found.is_enrolled].any()
    assert np.median(found.scores[found.is_right]) > np.quantile(found.strangers, 0.99)


@pytest.mark.parametrize("enrolled", [1, 2, 6, 12, 100])
def test_other_strangers_pass_about_as_often_as_the_rate_says(
    calibration: Calibration, cohort: NDArray[np.float32], enrolled: int
) -> None:
    assert [search.enrolled for search in calibration.searches] == list(GALLERIES)
    found = search(people(4, 300), cohort, enrolled, 10, seed=2)
    threshold = calibration.search_threshold(10, enrolled, FPIR)
    assert FPIR / 2.5 < (found.strangers >= threshold).mean() < FPIR * 2.5


@pytest.mark.usefixtures("few_galleries")
def test_larger_galleries_than_half_of_the_people_are_not_measured(
    cohort: NDArray[np.float32],
) -> None:
    device = [(people(3, 9), cohort), (people(5, 30), cohort)]
    calibration = calibrate_searches([device], seed=1)
    assert [search.enrolled for search in calibration.searches] == [1, 2, 4]


@pytest.mark.usefixtures("few_galleries")
def test_the_strictest_device_sets_the_threshold(cohort: NDArray[np.float32]) -> None:
    small, large = [(people(3, 20), cohort)], [(people(5, 60), cohort)]
    alone = [calibrate_searches([device], seed=1) for device in (small, large)]
    both = calibrate_searches([small, large], seed=1)
    assert [search.enrolled for search in both.searches] == [1, 2, 4, 8, 16]
    for enrolled in (1, 8):
        needed = [each.search_threshold(10, enrolled, FPIR) for each in alone]
        assert both.search_threshold(10, enrolled, FPIR) == pytest.approx(max(needed))
    thresholds = np.array([search.thresholds for search in both.searches])
    assert (np.diff(thresholds, axis=0) >= 0).all(), "no less is asked for among more people"
    np.testing.assert_array_less(alone[1].searches[-1].thresholds, thresholds[-1] + 1e-9)


def test_too_few_people_for_searches_are_calibrated_by_pairs(cohort: NDArray[np.float32]) -> None:
    mated = np.arange(40) % 2
    trials = Trials(mated + 0.1 * np.arange(40) / 40, np.zeros(40, int), 1 - mated, np.ones(40))
    calibration = calibrate_for_galleries([trials], [[(people(3, 3), cohort)]], seed=1)
    assert not calibration.searches
    assert calibration.threshold(1) == trials.scores[trials.mated].min()


def test_hardly_anybody_is_unfamiliar(
    calibration: Calibration, cohort: NDArray[np.float32]
) -> None:
    new = people(4, 300)
    unfamiliar = familiarity(new.probe(10), cohort) < calibration.familiar
    assert unfamiliar.mean() < 0.03
