from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import beta

from model.calibration import Calibration, Search
from model.training.calibrate import fit_logistic
from tests.model.models import CALIBRATION


def test_thresholds_go_by_beats_and_the_last_one_serves_for_more() -> None:
    assert [CALIBRATION.threshold(beats) for beats in (1, 2, 5, 6, 50)] == [0.8, 0.7, 0.3, 0.3, 0.3]


SEARCHES = Calibration(
    0.01,
    (0.0,),
    (2.0,),
    (-1.0,),
    fpir=0.04,
    searches=(
        Search(1, (0.2,), (0.05,), (40.0,), (-9.0,)),
        Search(9, (0.3,), (0.07,), (20.0,), (-6.0,)),
    ),
    familiar=0.4,
)
HIGHEST = 0.8


def test_the_threshold_of_a_search_follows_the_number_enrolled() -> None:
    by_size = [SEARCHES.search_threshold(7, enrolled, 0.04) for enrolled in (1, 3, 9)]
    assert by_size == pytest.approx([0.2, 0.25, 0.3])  # 3 is halfway from 1 to 9


def test_a_gallery_beyond_the_largest_goes_by_the_tail_as_a_stricter_rate_does() -> None:
    """Nine times as many chances and a ninth of the rate are the same."""
    larger = SEARCHES.search_threshold(7, 81, 0.04)
    assert larger == pytest.approx(SEARCHES.search_threshold(7, 9, 0.04 / 9))
    probability = SEARCHES.search_probability(0.35, 7, 81)
    assert probability == pytest.approx(expit(20 * 0.35 - 6 - np.log(9)))


def test_ten_times_the_strangers_pass_where_that_was_measured() -> None:
    assert SEARCHES.search_threshold(7, 9, 0.4) == pytest.approx(0.3 - 0.07 * np.log(10))


def test_each_tenth_of_the_rate_takes_the_same_part_of_what_is_left_to_the_highest_score() -> None:
    left = [HIGHEST - SEARCHES.search_threshold(7, 9, 0.4 / 10**n) for n in range(9)]
    assert np.divide(left[1:], left[:-1]) == pytest.approx([left[1] / left[0]] * 8)
    assert left[-1] > 0, "whoever is alike enough is accepted among any number"


def test_a_threshold_above_the_highest_score_is_reached_by_nobody() -> None:
    beyond = replace(SEARCHES, searches=(Search(1, (0.9,), (0.05,), (40.0,), (-9.0,)),))
    assert beyond.search_threshold(7, 100, 0.04) >= 0.9


@pytest.mark.parametrize("dimensions", [8, 12, 24])
def test_the_tail_of_random_directions_is_met_far_beyond_what_was_measured(dimensions: int) -> None:
    """How alike two random directions are is a beta distribution, whose tail is known exactly."""
    likest = beta((dimensions - 1) / 2, (dimensions - 1) / 2, loc=-1, scale=2)

    def reached(enrolled: int, rate: float) -> float:
        return float(likest.isf(-np.expm1(np.log1p(-rate) / enrolled)))

    level, tenth = reached(32, 0.01), reached(32, 0.1)
    search = Search(32, (level,), ((level - tenth) / np.log(10),), (1.0,), (0.0,))
    random = Calibration(0.01, (0.0,), (1.0,), (0.0,), searches=(search,), familiar=0.0)
    for enrolled in (100, 1_000, 10_000, 100_000):
        asked = random.search_threshold(10, enrolled, 0.01)
        passing = -np.expm1(enrolled * np.log1p(-likest.sf(asked)))
        assert 0.0025 < passing < 0.01, "never more than asked for"


def test_the_same_score_says_less_among_more_people() -> None:
    said = [SEARCHES.search_probability(0.35, 7, enrolled) for enrolled in (1, 9, 100, 10_000)]
    assert said == sorted(said, reverse=True)
    assert said[1] == pytest.approx(expit(1))


def test_without_tables_for_searches_those_for_pairs_serve() -> None:
    assert STEEP.search_threshold(3, 50, 0.01) == STEEP.threshold(3)
    assert STEEP.search_probability(0.7, 3, 50) == STEEP.probability(0.7, 3)


STEEP = Calibration(0.01, (0.0,), (2.0,), (-1.0,))


@given(st.floats(-2.9, 3.9))
def test_the_probability_is_that_of_even_prior_odds(score: float) -> None:
    assert STEEP.ln_likelihood_ratio(score, 3) == pytest.approx(2 * score - 1)
    assert STEEP.probability(score, 3) == pytest.approx(expit(2 * score - 1), abs=1e-12)


def test_a_score_that_is_no_number_is_no_evidence_of_one_person() -> None:
    assert STEEP.probability(float("nan"), 1) < 0.01
    assert SEARCHES.search_probability(float("nan"), 1, 5) < 0.01


@pytest.mark.parametrize(("score", "ratio"), [(1e6, 1000), (-1e6, 1 / 1000)])
def test_no_score_speaks_louder_than_a_thousand_to_one(score: float, ratio: float) -> None:
    assert np.exp(STEEP.ln_likelihood_ratio(score, 1)) == pytest.approx(ratio)
    assert STEEP.probability(score, 1) == pytest.approx(ratio / (1 + ratio))


def test_the_fitted_line_is_the_likelihood_ratio_however_many_trials_are_mated() -> None:
    """Of two normal distributions a distance of 2 apart the ratio is e to the 2 times the score."""
    random = np.random.default_rng(1)
    scores = np.concatenate([random.normal(1, 1, 2_000), random.normal(-1, 1, 40_000)])
    slope, intercept = fit_logistic(scores, np.arange(42_000) < 2_000)
    assert slope == pytest.approx(2, abs=0.1)
    assert intercept == pytest.approx(0, abs=0.1)
