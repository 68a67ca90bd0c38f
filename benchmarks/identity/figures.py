"""The figures of ISO/IEC 19795-1 with their intervals, as one JSON object.

All folds and seeds are pooled. A person is one unit across seeds: the intervals draw persons.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.identity.angles import ANGLES_DEG
from benchmarks.identity.work import Fold
from model.enrolment import FEWEST_BEATS
from model.error_rates import (
    Trials,
    calibration_curve,
    cllr,
    det,
    equal_error_rate,
    error_rates,
    fmr_at_fnmr,
    join_trials,
    mean_rate,
    percent,
    rate,
)
from model.training.evaluate import REPORTED, Scores

HISTOGRAM_BINS = 60


def _fmr(trials: Trials) -> float:
    return error_rates(trials, 0.5)[0]


def _fnmr(trials: Trials) -> float:
    return error_rates(trials, 0.5)[1]


def _balanced_accuracy(trials: Trials) -> float:
    return 1 - sum(error_rates(trials, 0.0)) / 2


def figures(folds: Sequence[Fold], on_figure: Callable[[], None]) -> dict[str, Any]:
    """Return everything that was measured; ``on_figure`` is called len(REPORTED) + 2 times."""
    by_beats = {}
    for beats in REPORTED:
        by_beats[str(beats)] = _of_beats(folds, beats)
        on_figure()
    enrolled = [item for fold in folds for item in fold.judged.enrolled.items()]
    result = {
        "persons": len(folds[0].embedded.job.names),
        "seeds": len({fold.embedded.job.seed for fold in folds}),
        "folds": len({fold.embedded.job.number for fold in folds}),
        "runtime": folds[0].embedded.runtime,
        "unit": "percent",
        "fte": mean_rate([not able for _, able in enrolled], [person for person, _ in enrolled]),
        "fte_fewest_beats": FEWEST_BEATS,
        "by_beats": by_beats,
        "identifier": _identifier(folds),
        "beat_pairs": _pairs(folds),
    }
    on_figure()
    result["by_angle"] = _by_angle(folds) if folds[0].embedded.sides else None
    on_figure()
    return result


def _of_beats(folds: Sequence[Fold], beats: int) -> dict[str, Any]:
    scores = [fold.judged.scores[beats] for fold in folds]
    trials = join_trials([each.trials for each in scores])
    days = join_trials([each.trials_of_other_days for each in scores])
    groups = join_trials([fold.judged.groups[beats] for fold in folds])
    original = [fold.judged.original[beats] for fold in folds]
    lengths = [item for fold in folds for item in fold.judged.good_beats]
    return {
        "mated_trials": int(trials.mated.sum()),
        "non_mated_trials": int((~trials.mated).sum()),
        "fta": mean_rate([good < beats for _, good in lengths], [person for person, _ in lengths]),
        "eer": rate(trials, equal_error_rate),
        "eer_before_conversion": percent(
            equal_error_rate(join_trials([each.trials for each in original]))
        ),
        "fmr_at_fnmr_5": rate(trials, fmr_at_fnmr),
        "rank_1": _rank_1(scores),
        "rank_1_of": max(len(each.template_of) for each in scores),
        "open_set": {"fpir_at_fnir_5": rate(groups, fmr_at_fnmr)},
        "across_days": _across_days(days, scores),
        "at_thresholds_of_other_folds": _transferred(folds, beats),
        "calibration": _calibration(folds, beats),
        "det": det(trials),
        "det_across_days": det(days) if days.mated.any() else None,
        "histogram": _histogram(trials),
    }


def _rank_1(scores: Sequence[Scores]) -> dict[str, Any]:
    right = np.concatenate([each.nearest_is_right for each in scores])
    return mean_rate(right.tolist(), np.concatenate([each.probe_of for each in scores]).tolist())


def _across_days(days: Trials, scores: Sequence[Scores]) -> dict[str, Any] | None:
    persons = len(np.unique(days.probe_of))
    if persons < 2:
        return None
    right = np.concatenate([each.nearest_is_right[each.other_day] for each in scores])
    probe_of = np.concatenate([each.probe_of[each.other_day] for each in scores])
    return {
        "persons": persons,
        "eer": rate(days, equal_error_rate),
        "fmr_at_fnmr_5": rate(days, fmr_at_fnmr),
        "rank_1": mean_rate(right.tolist(), probe_of.tolist()),
    }


def _transferred(folds: Sequence[Fold], beats: int) -> dict[str, Any]:
    """Judge each fold by the threshold of the others: what is accepted has a score of 1."""
    accepted = []
    for fold in folds:
        trials = fold.judged.scores[beats].trials
        passed = (trials.scores >= fold.calibration.threshold(beats)).astype(np.float64)
        accepted.append(Trials(passed, trials.template_of, trials.probe_of, trials.weights))
    joined = join_trials(accepted)
    return {"set_for_fmr": 1.0, "fmr": rate(joined, _fmr), "fnmr": rate(joined, _fnmr)}


def _calibration(folds: Sequence[Fold], beats: int) -> dict[str, Any]:
    """Judge the probabilities that the other folds' logistic gives."""
    ratios = []
    for fold in folds:
        trials = fold.judged.scores[beats].trials
        row = fold.calibration.thresholds.index(fold.calibration.threshold(beats))
        slope, intercept = fold.calibration.slopes[row], fold.calibration.intercepts[row]
        llr = slope * trials.scores + intercept
        ratios.append(Trials(llr, trials.template_of, trials.probe_of, trials.weights))
    joined = join_trials(ratios)
    stated, observed = calibration_curve(joined)
    return {
        "cllr_bits": round(cllr(joined), 4),
        "stated": np.round(stated, 4).tolist(),
        "observed": np.round(observed, 4).tolist(),
    }


def _histogram(trials: Trials) -> dict[str, list[float]]:
    edges = np.linspace(trials.scores.min(), trials.scores.max(), HISTOGRAM_BINS + 1)
    mated = trials.mated
    return {
        "edges": np.round(edges, 4).tolist(),
        "mated": _density(trials.scores[mated], edges),
        "non_mated": _density(trials.scores[~mated], edges),
    }


def _density(scores: NDArray[np.float64], edges: NDArray[np.float64]) -> list[float]:
    density: list[float] = np.round(np.histogram(scores, edges, density=True)[0], 5).tolist()
    return density


def _identifier(folds: Sequence[Fold]) -> dict[str, Any]:
    claims, searches = ([getattr(f.judged, n) for f in folds] for n in ("claims", "searches"))
    moments = {}
    for moment in ("at_end", "on_the_way"):
        one = join_trials([getattr(each, moment) for each in claims])
        group = join_trials([getattr(each, moment) for each in searches])
        moments[moment] = {
            "fmr": rate(one, _fmr),
            "fnmr": rate(one, _fnmr),
            "fpir": rate(group, _fmr),
            "fnir": rate(group, _fnmr),
        }
    decided_s = np.concatenate([each.decided_s for each in claims])
    median_s, p95_s = np.nanpercentile(decided_s, [50, 95])
    return moments | {
        "undecided": percent(np.isnan(decided_s).mean()),
        "seconds_to_decision": {"median": round(median_s, 2), "p95": round(p95_s, 2)},
    }


def _pairs(folds: Sequence[Fold]) -> dict[str, Any]:
    """Judge pairs of single beats by the other folds' log-likelihood ratio, accepted from 0 on."""
    ratios = []
    for fold in folds:
        slope, intercept = fold.pair_line
        pairs = fold.embedded.pairs
        llr = slope * pairs.scores + intercept
        ratios.append(Trials(llr, pairs.template_of, pairs.probe_of, pairs.weights))
    joined = join_trials(ratios)
    return {
        "accuracy": rate(joined, _balanced_accuracy),
        "cllr_bits": round(cllr(joined), 4),
    }


def _by_angle(folds: Sequence[Fold]) -> dict[str, Any]:
    """Return the figures by fittings and angle; each fold has hearts of its own in each seed."""
    result: dict[str, Any] = {}
    for fittings in (1, 2):
        result[str(fittings)] = {}
        for angle in ANGLES_DEG:
            scores = [fold.embedded.sides[fittings, angle] for fold in folds]
            result[str(fittings)][str(angle)] = {
                "eer": rate(join_trials([each.trials for each in scores]), equal_error_rate),
                "rank_1": _rank_1(scores),
                "rank_1_of": max(len(each.template_of) for each in scores),
            }
    return result
