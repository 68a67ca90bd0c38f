"""How well kinds of beats are told, by the counts and rates of ANSI/AAMI EC57."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from model.error_rates import percent
from model.training.kind_data import KINDS, NOBODY_MARKED, TOLD, MarkedBeats, Q

#: Kinds of beats that may be called by another's name without a false positive (EC57, 4.3.3).
EXCUSED = {"N": (), "S": ("Q",), "V": ("F", "Q"), "F": ("Q",)}
MISSED = len(KINDS)  # column of beats that were not detected, and row of what is no beat

Counts = NDArray[np.int64]


def confusion(beats: MarkedBeats, kinds: NDArray[np.int64]) -> Counts:
    """Count what experts call beats (rows) against what they are told to be, shape (6, 6).

    The last row is of beats that are none, the last column of those not detected.
    """
    told = np.where(beats.spoilt, Q, kinds)
    experts = np.where(beats.kinds == NOBODY_MARKED, MISSED, beats.kinds)
    size = len(KINDS) + 1
    counts = np.bincount(experts * size + told, minlength=size * size).reshape(size, size)
    counts[: len(KINDS), MISSED] += sum(beats.missed.values(), np.zeros(len(KINDS), np.int64))
    return counts


def rates(counts: Counts) -> dict[str, float]:
    """Return sensitivities, positive predictivities, specificity and accuracy, 0 to 1."""
    figures = {}
    for place, kind in enumerate(KINDS[:TOLD]):
        excused = [KINDS.index(other) for other in EXCUSED[kind]]
        right = counts[place, place]
        told = counts[:, place].sum() - counts[excused, place].sum()
        figures[f"{kind}_sensitivity"] = _part(right, counts[place].sum())
        figures[f"{kind}_predictivity"] = _part(right, told)
    normal = counts[0, :TOLD]
    experts = counts[: len(KINDS)]
    abnormal_right = counts[1:TOLD, 1:TOLD].sum()
    told = counts[:, 1:TOLD].sum() - counts[Q, 1:TOLD].sum()
    figures["specificity"] = _part(normal[0], normal.sum())
    figures["accuracy"] = _part(np.trace(experts), experts.sum())
    figures["abnormal_f1"] = _part(2 * abnormal_right, told + counts[1:TOLD].sum())
    return figures


def _part(part: Any, whole: Any) -> float:
    return float(part / whole) if whole else float("nan")


def area_under_curve(beats: MarkedBeats, scores: NDArray[np.float64]) -> float:
    """Return how often an abnormal beat has a higher score than a normal one (AUC)."""
    marked = beats.to_learn
    abnormal = beats.kinds[marked] > 0
    ranks = rankdata(scores[marked])
    n_abnormal, n_normal = abnormal.sum(), (~abnormal).sum()
    above = ranks[abnormal].sum() - n_abnormal * (n_abnormal + 1) / 2
    return _part(above, n_abnormal * n_normal)


def figures(
    beats: MarkedBeats, kinds: NDArray[np.int64], scores: NDArray[np.float64]
) -> dict[str, Any]:
    """Return the rates in percent and the counts behind them."""
    counts = confusion(beats, kinds)
    named = rates(counts) | {"abnormal_auc": area_under_curve(beats, scores)}
    return {name: percent(value) for name, value in named.items() if np.isfinite(value)} | {
        "confusion": counts.tolist()
    }
