"""The study of beat kinds: four networks judged on patients they never saw, and the best one made.

patients --> K folds, S seeds --> networks, each judged on the fold that it was not trained on
                                    `--> figures; decision: set on the other folds' patients
         `-----------------------> what ships: the best of the four, trained on all

One network errs by the seed that it was drawn with; the mean logits of S seeds err less, and are
what is judged and shipped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from model.beat_passport import BeatPassport, Decision, Logits, ln_odds_abnormal
from model.beat_usual import UsualOdds
from model.error_rates import percent
from model.training.datasets import person_folds
from model.training.errors import TooLittleData
from model.training.kind_data import MarkedBeats
from model.training.kind_export import write_files
from model.training.kind_figures import area_under_curve, confusion, rates
from model.training.kind_fit import KindRecipe, fit_kinds
from model.training.kind_networks import Architecture, together
from model.training.study import Progress

ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)
BIASES = np.arange(-5, 1.1, 0.5)  # that are tried, of S and of V
FUSION_BIAS = -2.0  # of F, to that of V: a beat is rather called ventricular
FALSE_OF_HEALTHY = 0.01  # of the beats of healthy people, called abnormal at most
COMPARED = 3000  # beats that Keras and TFLite are compared on
PROTOCOL = (
    "every patient judged by networks that were trained and whose decision was set on others; "
    "causal, on R peaks of the signal chain, the whole record from a cold start; beats missed and "
    "invented count; pairs within 150 ms; +P of S excuses Q, of V excuses F and Q; e and j are N; "
    "specificity: of the normal beats that are not Q; the networks of all seeds together, and the "
    "least and most of single ones"
)


@dataclass(frozen=True, slots=True)
class KindPlan:
    """What is to be made."""

    name: str  # of the model and its files
    recipe: KindRecipe  # how each network is trained
    folds: int  # into how many groups the patients are split
    seeds: tuple[int, ...]  # of everything that is drawn; a network of each is in what ships
    provenance: dict[str, Any]  # data, licence and citations, for the passport
    front_end: dict[str, Any]  # ``FrontEnd.description()`` of the chain that cut the beats


def study_kinds(
    beats: tuple[MarkedBeats, MarkedBeats], plan: KindPlan, folder: Path, progress: Progress
) -> BeatPassport:
    """Compare the four networks, train the best on everybody and write it with its passport.

    Args:
        beats: of whole records, and of more beginnings to learn from.
        plan: what to make.
        folder: where NAME.tflite, .json and .reference.npz go.
        progress: told of each stage.

    Raises:
        TooLittleData: there are not enough patients, or no ectopic beats.
        ConversionFailed: the TFLite model does not compute what Keras does.
    """
    learnable = beats[0].kinds[beats[0].to_learn]
    if len(np.unique(beats[0].patients)) < 4 * plan.folds or len(np.unique(learnable)) < 3:
        raise TooLittleData(
            f"{plan.folds} folds need {4 * plan.folds} patients, and beats marked N, S and V"
        )
    judged: dict[Architecture, list[Logits]] = {}
    for architecture in ARCHITECTURES:
        step = progress(f"Judging: {architecture}", len(plan.seeds))
        judged[architecture] = []
        for seed in plan.seeds:
            judged[architecture].append(cross_validate(beats, architecture, plan, seed))
            step()
    return conclude(beats, judged, plan, folder)


def cross_validate(
    beats: tuple[MarkedBeats, MarkedBeats], architecture: Architecture, plan: KindPlan, seed: int
) -> Logits:
    """Return what networks that never saw its patient say of each beat, shape (n, 4)."""
    whole, cold = beats
    logits = np.zeros((len(whole.kinds), 4), dtype=np.float32)
    for held_out in _folds(whole, plan.folds):
        known = (
            whole.where(~np.isin(whole.patients, held_out)),
            cold.where(~np.isin(cold.patients, held_out)),
        )
        network = fit_kinds(known, architecture, plan.recipe, seed)
        asked = np.isin(whole.patients, held_out) & ~whole.spoilt
        logits[asked] = network.predict(whole.inputs[asked], batch_size=8192, verbose=0)
    return logits


def against_usual(beats: MarkedBeats, logits: Logits) -> Logits:
    """Return logits as the judge holds them against each record's own, from a cold start."""
    corrected = logits.copy()
    usual: defaultdict[str, UsualOdds] = defaultdict(UsualOdds)
    for row in np.flatnonzero(~beats.spoilt):
        corrected[row] = usual[beats.records[row]].correct(logits[row], int(beats.shapes[row]))
    return corrected


def conclude(
    beats: tuple[MarkedBeats, MarkedBeats],
    judged: Mapping[Architecture, Sequence[Logits]],
    plan: KindPlan,
    folder: Path,
) -> BeatPassport:
    """Choose the best network by what was judged, train it on everybody and write it."""
    whole = beats[0]
    marks = replace(whole, inputs=whole.inputs[:, :0])  # without the weight of what is not asked
    means: dict[Architecture, Logits] = {
        architecture: against_usual(marks, np.mean(of_seeds, axis=0))
        for architecture, of_seeds in judged.items()
    }
    compared = {
        architecture: _spread(
            _figures(marks, means[architecture], plan.folds),
            [_figures(marks, against_usual(marks, each), plan.folds) for each in of_seeds],
        )
        for architecture, of_seeds in judged.items()
    }
    best = max(judged, key=lambda each: _merit(compared[each]))
    network = together([fit_kinds(beats, best, plan.recipe, seed) for seed in plan.seeds])
    own = means[best]
    passport = BeatPassport(
        name=plan.name,
        sha256="",
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        front_end=plan.front_end,
        decision=set_decision(marks, own),
        training=_training(marks, best, plan),
        metrics={"protocol": PROTOCOL, "unit": "percent", "by_architecture": compared}
        | {"confusion": _confusions(marks, own, plan.folds)},
    )
    rows = np.random.default_rng(0).permutation(np.flatnonzero(~whole.spoilt))[:COMPARED]
    return write_files(network, whole.inputs[rows], passport, folder)


def set_decision(beats: MarkedBeats, logits: Logits) -> Decision:
    """Set the biases by the sum of F1 of S and V, and the probability by maximum likelihood.

    Biases that call too many beats of healthy people abnormal do not count. Data sets count alike.
    """
    slope, offset = _logistic(beats, logits)
    groups = [(beats.where(rows), logits[rows]) for rows in _group_rows(beats).values()]

    def merit(decision: Decision) -> float:
        found = [rates(confusion(group, decision.kinds(said))) for group, said in groups]
        healthy = [each["specificity"] for each in found if not np.isfinite(each["V_sensitivity"])]
        too_many = 1 - FALSE_OF_HEALTHY - np.mean(healthy) if healthy else 0.0
        f1 = sum(_f1(each, kind) for each in found for kind in ("S", "V"))
        return float(f1 - 1000 * max(too_many, 0.0))

    tried = [
        Decision((0.0, float(s), float(v), float(v) + FUSION_BIAS), slope, offset)
        for s, v in product(BIASES, BIASES)
    ]
    return max(tried, key=merit)


def _logistic(beats: MarkedBeats, logits: Logits) -> tuple[float, float]:
    """Fit the line to the true odds of being abnormal; each record counts alike.

    Only on data sets of patients who have such beats: the many records of healthy people would make
    every abnormal beat improbable.
    """
    rows = beats.to_learn & np.isin(beats.groups, np.unique(beats.groups[beats.kinds > 0]))
    odds, abnormal = ln_odds_abnormal(logits[rows]), beats.kinds[rows] > 0
    _, record_of = np.unique(beats.records[rows], return_inverse=True)
    weights = 1 / np.bincount(record_of)[record_of]
    signs = np.where(abnormal, -1, 1)

    def cost(line: NDArray[np.float64]) -> float:
        return float(weights @ np.logaddexp(0, signs * (line[0] * odds + line[1])))

    slope, offset = minimize(cost, [1.0, -1.0], method="Nelder-Mead").x
    return float(slope), float(offset)


def _folds(beats: MarkedBeats, folds: int) -> list[list[str]]:
    """Split the patients of each data set evenly into folds."""
    split: list[list[str]] = [[] for _ in range(folds)]
    for rows in _group_rows(beats).values():
        for fold, patients in zip(
            split, person_folds(np.unique(beats.patients[rows]).tolist(), folds, 1), strict=True
        ):
            fold.extend(patients)
    return split


def _group_rows(beats: MarkedBeats) -> dict[str, NDArray[np.bool_]]:
    return {str(group): beats.groups == group for group in np.unique(beats.groups)}


def _transferred(beats: MarkedBeats, logits: Logits, folds: int) -> tuple[Any, Any]:
    """Return kinds and probabilities of all beats, each decided by the other folds' patients."""
    kinds, abnormal = np.zeros(len(logits), np.int64), np.zeros(len(logits))
    for held_out in _folds(beats, folds):
        rows = np.isin(beats.patients, held_out)
        decision = set_decision(beats.where(~rows), logits[~rows])
        kinds[rows], abnormal[rows] = decision.kinds(logits[rows]), decision.abnormal(logits[rows])
    return kinds, abnormal


def _figures(beats: MarkedBeats, logits: Logits, folds: int) -> dict[str, dict[str, float]]:
    """Return the figures of each data set."""
    kinds, abnormal = _transferred(beats, logits, folds)
    found = {}
    for group, rows in _group_rows(beats).items():
        part = beats.where(rows)
        found[group] = rates(confusion(part, kinds[rows]))
        found[group]["abnormal_auc"] = area_under_curve(part, abnormal[rows])
    return found


def _confusions(beats: MarkedBeats, logits: Logits, folds: int) -> dict[str, list[list[int]]]:
    kinds, _ = _transferred(beats, logits, folds)
    return {
        group: confusion(beats.where(rows), kinds[rows]).tolist()
        for group, rows in _group_rows(beats).items()
    }


def _spread(
    of_all: dict[str, dict[str, float]], of_seeds: Sequence[dict[str, dict[str, float]]]
) -> dict[str, Any]:
    """Return each figure of all seeds together in percent, and the least and most of them."""
    summary: dict[str, Any] = {}
    for group, named in of_all.items():
        summary[group] = {}
        for name, value in named.items():
            values = [seed[group][name] for seed in of_seeds]
            if np.isfinite([value, *values]).all():
                spread = value, min(values), max(values)
                summary[group][name] = [percent(each) for each in spread]
    return summary


def _merit(compared: dict[str, Any]) -> float:
    """Return the sum of F1 of S and V over the data sets that have them."""
    figures = [
        {name: spread[0] for name, spread in group.items()}
        for group in compared.values()
        if "V_sensitivity" in group
    ]
    return sum(_f1(group, kind) for group in figures for kind in ("S", "V"))


def _f1(named: Mapping[str, float], kind: str) -> float:
    sensitivity = named.get(f"{kind}_sensitivity", 0.0)
    predictivity = named.get(f"{kind}_predictivity", 0.0)
    if not sensitivity + predictivity > 0:  # or one is not a number: nothing was called so
        return 0.0
    return 2 * sensitivity * predictivity / (sensitivity + predictivity)


def _training(beats: MarkedBeats, best: Architecture, plan: KindPlan) -> dict[str, Any]:
    return plan.provenance | {
        "architecture": best,
        "patients": {
            group: len(np.unique(beats.patients[rows]))
            for group, rows in _group_rows(beats).items()
        },
        "beats": len(beats.kinds),
        "seeds": list(plan.seeds),
        "folds": plan.folds,
        "recipe": asdict(plan.recipe),
    }
