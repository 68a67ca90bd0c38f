"""Error rates against closed forms: scores that are drawn from two normal distributions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from model.error_rates import (
    Trials,
    calibration_curve,
    cllr,
    equal_error_rate,
    error_curve,
    error_rates,
    fmr_at_fnmr,
    join_trials,
    mean_bootstrap,
    pool_trials,
    subject_bootstrap,
    threshold_at_fmr,
)

DISTANCE = 3.0  # between mated and non-mated scores, in standard deviations


def trials(mated: list[float], non_mated: list[float]) -> Trials:
    scores = np.array([*mated, *non_mated], dtype=np.float64)
    template_of = np.zeros(len(scores), dtype=np.int64)
    probe_of = np.array([0] * len(mated) + [1] * len(non_mated))
    return Trials(scores, template_of, probe_of, np.ones(len(scores)))


@pytest.fixture(scope="module")
def normal() -> Trials:
    """Exact quantiles of N(3, 1) and N(0, 1), so that nothing is left to chance."""
    quantiles = (np.arange(20_000) + 0.5) / 20_000
    scores = stats.norm.ppf(quantiles)
    return trials((scores + DISTANCE).tolist(), scores.tolist())


def test_equal_error_rate_of_two_normal_distributions(normal: Trials) -> None:
    assert equal_error_rate(normal) == pytest.approx(stats.norm.cdf(-DISTANCE / 2), abs=1e-4)


def test_fmr_where_five_percent_are_missed(normal: Trials) -> None:
    threshold = DISTANCE + stats.norm.ppf(0.05)
    assert fmr_at_fnmr(normal, 0.05) == pytest.approx(stats.norm.sf(threshold), abs=1e-4)


def test_a_threshold_for_one_percent_false_matches(normal: Trials) -> None:
    threshold = threshold_at_fmr(normal, 0.01)
    assert threshold == pytest.approx(stats.norm.isf(0.01), abs=1e-2)
    fmr, fnmr = error_rates(normal, threshold)
    assert fmr == pytest.approx(0.01, abs=1e-4)
    assert fnmr == pytest.approx(stats.norm.cdf(threshold - DISTANCE), abs=1e-4)


def test_scores_that_do_not_overlap_have_no_errors() -> None:
    assert equal_error_rate(trials([3, 4], [1, 2])) == 0
    assert fmr_at_fnmr(trials([3, 4], [1, 2]), 0.05) == 0


def test_scores_the_wrong_way_round_are_all_errors() -> None:
    assert equal_error_rate(trials([1, 2], [3, 4])) == 1


def test_a_tie_is_accepted_or_refused_as_a_whole() -> None:
    thresholds, fmr, fnmr = error_curve(trials([2, 2, 3], [2, 1]))
    assert thresholds.tolist() == [np.inf, 3, 2, 1]
    assert fmr.tolist() == [0, 0, 0.5, 1]
    assert fnmr.tolist() == pytest.approx([1, 2 / 3, 0, 0])


def test_a_threshold_that_lets_nothing_pass_lies_above_every_score() -> None:
    crowded = trials([1, 1], [1, 1])
    assert threshold_at_fmr(crowded, 0.01) > 1


def test_a_weight_of_two_is_the_trial_twice(normal: Trials) -> None:
    rng = np.random.default_rng(0)
    some = normal.where(rng.random(len(normal.scores)) < 0.01)
    twice = rng.integers(1, 3, len(some.scores))
    repeated = Trials(
        *(np.repeat(values, twice) for values in (some.scores, some.template_of, some.probe_of)),
        np.ones(twice.sum()),
    )
    weighted = some.reweighted(twice.astype(np.float64))
    assert equal_error_rate(weighted) == pytest.approx(equal_error_rate(repeated), abs=1e-12)
    assert fmr_at_fnmr(weighted) == pytest.approx(fmr_at_fnmr(repeated), abs=1e-12)


def test_pooling_keeps_the_persons_of_different_folds_apart() -> None:
    fold = trials([3], [1, 2])
    pooled = pool_trials([fold, fold])
    assert pooled.template_of.tolist() == [0, 0, 0, 2, 2, 2]
    assert pooled.probe_of.tolist() == [0, 1, 1, 2, 3, 3]
    assert pooled.mated.sum() == 2


def test_the_bootstrap_draws_persons_as_scipy_draws_values() -> None:
    """With one mated trial a person, drawing persons is drawing trials."""
    persons = np.arange(40)
    scores = np.random.default_rng(0).standard_normal(40)
    template_of = np.append(persons, 0)  # one non-mated trial: a curve needs both kinds
    probe_of = np.append(persons, 1)
    sample = Trials(np.append(scores, 0), template_of, probe_of, np.append(np.ones(40), 1e-9))

    def mean_mated(drawn: Trials) -> float:
        return float(np.average(drawn.scores[drawn.mated], weights=drawn.weights[drawn.mated]))

    ours = subject_bootstrap(sample, mean_mated, rounds=4000)
    theirs = stats.bootstrap(
        (scores,), np.mean, n_resamples=4000, method="percentile", random_state=1
    ).confidence_interval
    assert ours == pytest.approx(theirs, abs=0.04)


def test_many_alike_trials_of_few_persons_do_not_narrow_the_interval() -> None:
    rng = np.random.default_rng(2)
    persons = 12
    template_of, probe_of = np.indices((persons, persons)).reshape(2, -1)
    scores = rng.standard_normal(template_of.size) + DISTANCE / 2 * (template_of == probe_of)
    few = Trials(scores, template_of, probe_of, np.ones(scores.size))
    many = Trials(
        np.repeat(scores, 20),
        np.repeat(template_of, 20),
        np.repeat(probe_of, 20),
        np.ones(20 * scores.size),
    )
    assert subject_bootstrap(few, equal_error_rate) == pytest.approx(
        subject_bootstrap(many, equal_error_rate), abs=1e-9
    )


def test_ratios_that_say_nothing_cost_one_bit() -> None:
    assert cllr(trials([0, 0], [0])) == pytest.approx(1)
    assert cllr(trials([30, 40], [-30])) == pytest.approx(0, abs=1e-9)


def test_the_log_likelihood_ratio_of_two_normal_distributions_is_calibrated(
    normal: Trials,
) -> None:
    ratios = replace(normal, scores=DISTANCE * (normal.scores - DISTANCE / 2))
    stated, observed = calibration_curve(ratios)
    assert len(stated) == 10
    assert observed == pytest.approx(stated, abs=0.01)


def test_joined_trials_keep_their_persons() -> None:
    part = trials([3], [1, 2])
    joined = join_trials([part, part])
    assert joined.probe_of.tolist() == [0, 1, 1, 0, 1, 1]


def test_the_interval_of_a_mean_covers_the_truth_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(3)
    persons = np.repeat(np.arange(40), 5)
    covered = 0
    for _ in range(200):
        low, high = mean_bootstrap(np.repeat(rng.standard_normal(40), 5), persons)
        covered += low <= 0 <= high
    assert 0.88 <= covered / 200 <= 0.99
