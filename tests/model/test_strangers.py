"""How alike strangers are on a device, by people of known scores, and on a made-up one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest

from model.calibration import Calibration, Search
from model.identifier import Enrolled
from model.local_calibration import shifted
from model.passport import Cohort, Passport
from model.scores import unit
from model.strangers import RATE, Strangers, _clopper_pearson, fewest_people
from model.template import GROWN, Template
from tests.model.models import embedder

FPIR = 0.01
SCALE = 0.05
SIZE = 32
PEOPLE = 20


def draw(people: int, seed: int, common: float = 0.0) -> NDArray[np.float32]:
    """Return unit vectors that have a direction in common to some extent."""
    vectors = np.random.default_rng(seed).normal(size=(people, SIZE))
    vectors[:, 0] += common
    return unit(vectors.astype(np.float32))


COHORT = draw(100, 1)


def templates(embeddings: NDArray[np.float32], source: str = "ads1292r") -> list[Template]:
    return [
        Template(f"person {at}", each, 16, "2026-01-01T00:00:00Z", "a" * 64, source)
        for at, each in enumerate(embeddings)
    ]


@pytest.fixture
def passport(tmp_path: Path) -> Passport:
    """A passport with a cohort, and thresholds that nobody reaches yet."""
    return replace(
        Passport.load(embedder(tmp_path)), cohort=Cohort("c.npy", "", COHORT), calibration=at(9.0)
    )


def at(tenth: float) -> Calibration:
    """Return a calibration by which a tenth of strangers reach a score, whoever is enrolled."""
    threshold = tenth + SCALE * np.log(RATE / FPIR)
    searches = tuple(Search(n, (threshold,), (SCALE,), (20.0,), (-9.0,)) for n in (1, 32))
    return Calibration(FPIR, (0.5,), (1.0,), (0.0,), FPIR, searches)


def best_of_others(people: list[Template]) -> NDArray[np.float64]:
    """Return each person's score among the others, as the identifier has it."""
    cohort = Cohort("c.npy", "", COHORT)
    scores = []
    for each in people:
        others = [other for other in people if other.person != each.person]
        match = Enrolled(cohort, others).best(each.embedding[None])
        assert match is not None
        scores.append(match.score)
    return np.array(scores)


@pytest.mark.parametrize(("found", "of"), [(0, 10), (1, 10), (5, 10), (10, 10), (3, 40)])
def test_the_intervals_are_clopper_and_pearsons(found: int, of: int) -> None:
    rate, exact = _clopper_pearson(found, of), binomtest(found, of).proportion_ci(method="exact")
    assert (rate.low, rate.high) == pytest.approx((exact.low, exact.high))


def test_where_everybody_reaches_the_score_the_thresholds_rise(passport: Passport) -> None:
    people = templates(draw(PEOPLE, 2))
    scores = best_of_others(people)
    strangers = Strangers(people, replace(passport, calibration=at(scores.min() - 0.01)), FPIR)
    # Of so many, half of whom are independent, a tenth is within the interval for this one still.
    sure = max(
        score
        for score in scores
        if binomtest(int((scores >= score).sum() / 2), PEOPLE // 2).proportion_ci().low > RATE
    )
    assert strangers.shift == pytest.approx(sure - scores.min() + 0.01)
    assert strangers.accepted(strangers.shift).estimate < strangers.accepted(0.0).estimate


def test_where_a_tenth_does_nothing_moves(passport: Passport) -> None:
    people = templates(draw(PEOPLE, 2))
    tenth = float(np.quantile(best_of_others(people), 0.9))
    strangers = Strangers(people, replace(passport, calibration=at(tenth)), FPIR)
    assert strangers.shift == 0
    assert strangers.accepted(0.0).estimate == pytest.approx(FPIR)


def test_few_people_lower_nothing_though_nobody_comes_near(passport: Passport) -> None:
    strangers = Strangers(templates(draw(PEOPLE, 2)), passport, FPIR)
    assert strangers.shift == 0
    assert strangers.interval[1] == np.inf


def test_many_lower_it_no_further_than_is_sure(passport: Passport) -> None:
    people = templates(draw(100, 2))
    scores = best_of_others(people)
    strangers = Strangers(people, passport, FPIR)
    lowered = 9.0 + strangers.shift
    assert np.quantile(scores, 0.9) < lowered <= scores.max() + 1e-9
    assert strangers.accepted(strangers.shift).high <= FPIR


def test_how_many_people_it_takes(passport: Passport) -> None:
    up, down = fewest_people()
    for n, moves in ((up - 1, False), (up, True)):
        reached = Strangers(templates(draw(n, 3)), replace(passport, calibration=at(-1.0)), FPIR)
        assert (reached.shift > 0) is moves
    for n, moves in ((down - 1, False), (down, True)):
        assert (Strangers(templates(draw(n, 3)), passport, FPIR).shift < 0) is moves


def test_who_has_two_sittings_says_what_it_costs(passport: Passport) -> None:
    first = draw(4, 4)
    people = templates(first)
    second = unit(first + np.float32(0.1) * draw(4, 5))
    strangers = Strangers([*people, *templates(second)[:2]], passport, FPIR)
    assert strangers.recognised(0.0) == _clopper_pearson(0, 2)  # nobody reaches 9
    assert strangers.recognised(-9.0) == _clopper_pearson(2, 2)
    assert Strangers(people, passport, FPIR).recognised(0.0) is None


def test_grown_templates_are_no_sittings(passport: Passport) -> None:
    people = templates(draw(4, 4))
    assert Strangers([*people, *templates(draw(2, 6), GROWN)], passport, FPIR).recognised(0) is None


def test_on_a_device_where_hearts_are_more_alike_fewer_strangers_pass(passport: Passport) -> None:
    usual, alike = (templates(draw(PEOPLE, 7, common)) for common in (0.0, 9.0))
    cohort = passport.cohort
    assert cohort is not None

    def best(people: list[Template], probes: NDArray[np.float32]) -> NDArray[np.float64]:
        enrolled = Enrolled(cohort, people)
        matches = (enrolled.best(each[None]) for each in probes)
        return np.array([match.score for match in matches if match is not None])

    calibration = at(float(np.quantile(best(usual, draw(500, 8)), 1 - RATE)))
    moved = shifted(
        calibration, Strangers(alike, replace(passport, calibration=calibration), FPIR).shift
    )
    scores = best(alike, draw(500, 9, 9.0))
    before, after = (
        float(np.mean(scores >= each.search_threshold(10, PEOPLE, FPIR)))
        for each in (calibration, moved)
    )
    assert before > 0.3
    assert after < before / 2
