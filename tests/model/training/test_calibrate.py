"""Thresholds and probabilities against the closed forms of two normal distributions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from model.error_rates import Trials
from model.training import calibrate
from tests.model.test_error_rates import DISTANCE, trials


@pytest.fixture(scope="module")
def normal() -> Trials:
    scores = stats.norm.ppf((np.arange(5000) + 0.5) / 5000)
    return trials((scores[5::10] + DISTANCE).tolist(), scores.tolist())


def test_the_logistic_is_that_of_the_likelihood_ratio(normal: Trials) -> None:
    """Its log is ``d x - d^2 / 2``, however many trials of either kind there are."""
    slope, intercept = calibrate.fit_logistic(normal.scores, normal.mated)
    assert slope == pytest.approx(DISTANCE, rel=0.02)
    assert intercept == pytest.approx(-(DISTANCE**2) / 2, rel=0.02)


def test_scores_without_overlap_get_a_finite_logistic() -> None:
    apart = trials([5, 6], [0, 1])
    slope, intercept = calibrate.fit_logistic(apart.scores, apart.mated)
    assert 0 < slope < 100
    assert -intercept / slope == pytest.approx(3, abs=0.5)  # undecided between the two


def test_a_calibration_has_a_row_for_each_number_of_beats(normal: Trials) -> None:
    better = Trials(
        normal.scores + 2 * normal.mated, normal.template_of, normal.probe_of, normal.weights
    )
    made = calibrate.calibrate([normal, better])
    assert made.fmr == 0.01
    assert made.threshold(1) == pytest.approx(stats.norm.isf(0.01), abs=0.02)
    assert made.probability(2.0, 1) > made.probability(2.0, 2)
    assert made.probability(DISTANCE / 2, 1) == pytest.approx(0.5, abs=0.02)


def test_a_fold_is_judged_by_the_thresholds_of_the_others(normal: Trials) -> None:
    shifted = Trials(normal.scores + 1, normal.template_of, normal.probe_of, normal.weights)
    fmr, _ = calibrate.transferred_rates([normal, normal, normal])
    assert fmr == pytest.approx(0.01, abs=1e-3)
    threshold = stats.norm.isf(0.01)
    fmr, fnmr = calibrate.transferred_rates([normal, shifted])
    expected = (stats.norm.sf(threshold - 1) + stats.norm.sf(threshold + 1)) / 2
    assert fmr == pytest.approx(expected, rel=0.05)
    missed = stats.norm.cdf([threshold - 1 - DISTANCE, threshold + 1 - DISTANCE]).mean()
    assert fnmr == pytest.approx(missed, rel=0.05)
