"""Error rates of verification, in the terms of ISO/IEC 19795-1, with intervals over persons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

CURVE_POINTS = 300


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """Comparisons of a template with a probe, each array of shape (n,)."""

    scores: NDArray[np.float64]  # the higher, the more alike
    template_of: NDArray[np.int64]  # person number of the template
    probe_of: NDArray[np.int64]  # person number of the probe
    weights: NDArray[np.float64]  # how often each trial counts

    @classmethod
    def of_all(
        cls,
        scores: NDArray[np.float64],
        template_of: NDArray[np.int64],
        probe_of: NDArray[np.int64],
    ) -> Self:
        """Take every template with every probe, one template after the other.

        Args:
            scores: shape (t, p).
            template_of: person number of each template, shape (t,).
            probe_of: person number of each probe, shape (p,).
        """
        template_at, probe_at = np.indices(scores.shape).reshape(2, -1)
        return cls(
            scores.ravel(), template_of[template_at], probe_of[probe_at], np.ones(scores.size)
        )

    @property
    def mated(self) -> NDArray[np.bool_]:
        """Whether template and probe are the same person's."""
        mated: NDArray[np.bool_] = self.template_of == self.probe_of
        return mated

    def reweighted(self, weights: NDArray[np.float64]) -> Self:
        """Return the same trials with other weights."""
        return type(self)(self.scores, self.template_of, self.probe_of, weights)

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        """Return the chosen trials, given as a mask of shape (n,) or by their places."""
        return type(self)(
            self.scores[chosen],
            self.template_of[chosen],
            self.probe_of[chosen],
            self.weights[chosen],
        )


def pool_trials(folds: Sequence[Trials]) -> Trials:
    """Put trials together whose persons are all different ones, and number these anew."""
    numbered, first = [], 0
    for fold in folds:
        template_of, probe_of = fold.template_of + first, fold.probe_of + first
        numbered.append(Trials(fold.scores, template_of, probe_of, fold.weights))
        first = max(template_of.max(), probe_of.max(initial=0)) + 1
    return join_trials(numbered)


def join_trials(parts: Sequence[Trials]) -> Trials:
    """Put trials together whose persons are numbered alike: a number is one person throughout."""
    names = [field.name for field in fields(Trials)]
    return Trials(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


Statistic: TypeAlias = Callable[[Trials], float]


def error_curve(
    trials: Trials,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return every threshold there is, with the two error rates of accepting scores from it on.

    Returns:
        Thresholds in falling order, false match rates (rising) and false non-match rates
        (falling), each 0 to 1. The first threshold, infinity, accepts nothing.
    """
    order = np.argsort(-trials.scores, kind="stable")
    scores, mated = trials.scores[order], trials.mated[order]
    weights = trials.weights[order]
    matches = np.cumsum(np.where(mated, weights, 0))
    false_matches = np.cumsum(np.where(mated, 0, weights))
    ends = np.append(scores[1:] != scores[:-1], True)  # a threshold takes all of a tie
    thresholds = np.append(np.inf, scores[ends])
    fmr = np.append(0.0, false_matches[ends] / false_matches[-1])
    fnmr = np.append(1.0, 1 - matches[ends] / matches[-1])
    return thresholds, fmr, fnmr


def equal_error_rate(trials: Trials) -> float:
    """Return the rate at which false matches and false non-matches are equally frequent, 0 to 1.

    Between two thresholds both rates are taken as straight lines.
    """
    _, fmr, fnmr = error_curve(trials)
    after = int(np.argmax(fmr >= fnmr))
    before = after - 1
    gap_before = fnmr[before] - fmr[before]
    gap_after = fmr[after] - fnmr[after]
    part = gap_before / (gap_before + gap_after)
    return float(fmr[before] + part * (fmr[after] - fmr[before]))


def fmr_at_fnmr(trials: Trials, fnmr_limit: float = 0.05) -> float:
    """Return the false match rate where no more than this part of the mated trials is missed."""
    _, fmr, fnmr = error_curve(trials)
    return float(fmr[np.argmax(fnmr <= fnmr_limit + 1e-12)])


def threshold_at_fmr(trials: Trials, fmr_limit: float) -> float:
    """Return the lowest threshold that keeps the false match rate at or under the limit."""
    thresholds, fmr, _ = error_curve(trials)
    allowed = thresholds[fmr <= fmr_limit + 1e-12]
    return float(allowed[-1]) if len(allowed) > 1 else float(np.nextafter(trials.scores.max(), 99))


def error_rates(trials: Trials, threshold: float) -> tuple[float, float]:
    """Return false match rate and false non-match rate of accepting scores from a threshold on."""
    accepted = trials.scores >= threshold
    mated = trials.mated
    fmr = np.average(accepted[~mated], weights=trials.weights[~mated])
    fnmr = np.average(~accepted[mated], weights=trials.weights[mated])
    return float(fmr), float(fnmr)


def subject_bootstrap(
    trials: Trials, statistic: Statistic, rounds: int = 300, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % interval of a statistic over draws of persons, with replacement.

    Trials of one person are alike, so it is persons that are drawn: a trial counts as often as its
    template's person was drawn, times as often as its probe's, if that is another one.
    """
    rng = np.random.default_rng(seed)
    trials = trials.where(np.argsort(-trials.scores, kind="stable"))  # sorts faster from now on
    persons = np.unique(np.concatenate([trials.template_of, trials.probe_of]))
    template_at = np.searchsorted(persons, trials.template_of)
    probe_at = np.searchsorted(persons, trials.probe_of)
    values = []
    for _ in range(rounds):
        drawn = np.bincount(rng.integers(len(persons), size=len(persons)), minlength=len(persons))
        weights = np.where(trials.mated, 1, drawn[template_at]) * drawn[probe_at]
        sample = trials.reweighted(trials.weights * weights)
        if _has_both_kinds(sample):
            values.append(statistic(sample))
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def _has_both_kinds(trials: Trials) -> bool:
    counted = trials.weights > 0
    return bool(np.any(counted & trials.mated) and np.any(counted & ~trials.mated))


def mean_bootstrap(
    values: NDArray[np.float64], persons: NDArray[np.int64], rounds: int = 300, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % interval of a mean over draws of the persons that its values are of."""
    _, person_at = np.unique(persons, return_inverse=True)
    sums, counts = np.bincount(person_at, values), np.bincount(person_at)
    drawn = np.random.default_rng(seed).integers(len(counts), size=(rounds, len(counts)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def percent(rate: float) -> float:
    """Return a rate in percent, with the two decimals that a study of this size can carry."""
    return round(100 * float(rate), 2)


def rate(trials: Trials, statistic: Statistic) -> dict[str, Any]:
    """Return a rate with its 95 % interval, in percent."""
    interval_95 = subject_bootstrap(trials, statistic)
    return {"percent": percent(statistic(trials)), "interval_95": [*map(percent, interval_95)]}


def mean_rate(values: Sequence[float], persons: Sequence[int]) -> dict[str, Any]:
    """Return a mean with its 95 % interval over persons, in percent."""
    array = np.array(values, dtype=np.float64)
    interval_95 = mean_bootstrap(array, np.array(persons))
    return {"percent": percent(array.mean()), "interval_95": [*map(percent, interval_95)]}


def det(trials: Trials) -> dict[str, list[float]]:
    """Return points of the detection error trade-off: both error rates, in percent."""
    _, fmr, fnmr = error_curve(trials)
    at = np.unique(np.geomspace(1, len(fmr), CURVE_POINTS).astype(int)) - 1
    return {"fmr": [percent(x) for x in fmr[at]], "fnmr": [percent(x) for x in fnmr[at]]}


def cllr(trials: Trials) -> float:
    """Return what log-likelihood ratios (natural) cost in bits: 0 at best, 1 if they say nothing.

    Source: N. Bruemmer & J. du Preez, "Application-independent evaluation of speaker detection",
    Computer Speech & Language 20:230, 2006.
    """
    signs = np.where(trials.mated, -1, 1)
    bits = np.logaddexp(0, signs * trials.scores) / np.log(2)
    mated, weights = trials.mated, trials.weights
    of_mated = np.average(bits[mated], weights=weights[mated])
    return float(of_mated + np.average(bits[~mated], weights=weights[~mated])) / 2


def calibration_curve(
    trials: Trials, bins: int = 10
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the probability that was stated and the part that was mated, for each bin in use.

    Args:
        trials: scored by natural log-likelihood ratios.
        bins: of equal width, from 0 to 1.

    Both are for as many mated trials as others.
    """
    stated = expit(trials.scores)
    mated = trials.mated
    weights = trials.weights / np.where(
        mated, trials.weights[mated].sum(), trials.weights[~mated].sum()
    )
    bin_of = np.minimum((stated * bins).astype(int), bins - 1)
    totals = np.bincount(bin_of, weights, bins)
    used = totals > 0
    means = np.bincount(bin_of, weights * stated, bins)[used] / totals[used]
    return means, np.bincount(bin_of, weights * mated, bins)[used] / totals[used]
