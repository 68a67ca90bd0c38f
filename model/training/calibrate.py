"""From scores to decisions: thresholds and probabilities, by the number of beats behind a score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from model.calibration import Calibration
from model.error_rates import Trials, error_rates, pool_trials, threshold_at_fmr

FMR = 0.01
RIDGE = 1e-5  # on the slope: scores that leave no overlap would drive it to infinity


def calibrate(trials_by_beats: Sequence[Trials], fmr: float = FMR) -> Calibration:
    """Set the thresholds for a false match rate, and the logistic of the probability.

    Args:
        trials_by_beats: entry k holds trials on k + 1 beats, of persons outside the training.
        fmr: false match rate to allow, 0 to 1.
    """
    logistics = [fit_logistic(trials.scores, trials.mated) for trials in trials_by_beats]
    return Calibration(
        fmr=fmr,
        thresholds=tuple(threshold_at_fmr(trials, fmr) for trials in trials_by_beats),
        slopes=tuple(slope for slope, _ in logistics),
        intercepts=tuple(intercept for _, intercept in logistics),
    )


def fit_logistic(scores: NDArray[np.float64], mated: NDArray[np.bool_]) -> tuple[float, float]:
    """Fit the probability that a score is the same person's, as if both cases were as likely.

    Returns:
        Slope and intercept of its log-odds; the slope is 0 or more.
    """
    centre, spread = scores.mean(), scores.std() or 1.0
    x = (scores - centre) / spread
    weights = np.where(mated, 0.5 / mated.sum(), 0.5 / (~mated).sum())

    def cost(line: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = line[0] * x + line[1]
        cross_entropy = weights @ (np.logaddexp(0, logits) - mated * logits)
        residual = weights * (expit(logits) - mated)
        slope_gradient = residual @ x + 2 * RIDGE * line[0]
        gradient = np.array([slope_gradient, residual.sum()])
        return float(cross_entropy + RIDGE * line[0] ** 2), gradient

    bounds = [(0, None), (None, None)]
    slope, intercept = minimize(cost, [1.0, 0.0], jac=True, bounds=bounds).x
    return float(slope / spread), float(intercept - slope * centre / spread)


def transferred_rates(folds: Sequence[Trials], fmr: float = FMR) -> tuple[float, float]:
    """Return the error rates of thresholds on persons that these were not set with.

    Each fold is judged by the threshold that the other folds' persons give.

    Returns:
        False match rate and false non-match rate, mean over the folds.
    """
    rates = []
    for number, fold in enumerate(folds):
        others = [*folds[:number], *folds[number + 1 :]]
        rates.append(error_rates(fold, threshold_at_fmr(pool_trials(others), fmr)))
    mean_fmr, mean_fnmr = np.mean(rates, axis=0)
    return float(mean_fmr), float(mean_fnmr)
