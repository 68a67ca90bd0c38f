from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

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
        Search(1, (2.0,), (0.5,), (4.0,), (-9.0,)),
        Search(9, (3.0,), (0.7,), (2.0,), (-6.0,)),
    ),
)


def test_the_threshold_of_a_search_follows_the_number_enrolled() -> None:
    by_size = [SEARCHES.search_threshold(7, enrolled, 0.04) for enrolled in (1, 3, 9)]
    assert by_size == pytest.approx([2.0, 2.5, 3.0])  # 3 is halfway from 1 to 9


def test_a_gallery_beyond_the_largest_goes_by_the_tail_as_a_stricter_rate_does() -> None:
    """Nine times as many chances and a ninth of the rate are the same."""
    larger = SEARCHES.search_threshold(7, 81, 0.04)
    assert larger == pytest.approx(3 + 0.7 * np.log(9))
    assert larger == pytest.approx(SEARCHES.search_threshold(7, 9, 0.04 / 9))
    probability = SEARCHES.search_probability(3.5, 7, 81)
    assert probability == pytest.approx(expit(2 * 3.5 - 6 - np.log(9)))


def test_the_same_score_says_less_among_more_people() -> None:
    said = [SEARCHES.search_probability(3.5, 7, enrolled) for enrolled in (1, 9, 100, 10_000)]
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
