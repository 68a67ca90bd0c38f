"""Kinds of beats against those that experts named, by ANSI/AAMI EC57: beats and strips of 5 s.

Each annotated beat is paired with at most one found within 150 ms (``daemon.offline.scoring``). One
without a partner was missed, a found one without was invented; both count. A strip is abnormal if
it holds an S, V or F. Scores are the probabilities that a beat is abnormal, of a strip the largest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from benchmarks.rhythm.bootstrap import Counts, percent, ratio
from benchmarks.rhythm.records import Judged
from daemon.offline.scoring import TOLERANCE_S, pair
from daemon.recordings.annotations import AAMI_CLASSES
from dsp.front_end import RATE_HZ
from model.training.kind_data import KINDS, TOLD
from model.training.kind_figures import MISSED, rates

#: The class in which escape beats (e, j) are counted: that of de Chazal 2004, or AAMI's other one.
Escapes: TypeAlias = Literal["N", "S"]
ESCAPES: tuple[Escapes, ...] = ("N", "S")

STRIP_SAMPLES = round(5 * RATE_HZ)
#: Scores are counted in steps of their log-odds.
STEP, MOST_LOG_ODDS = 0.02, 14.0
LEVELS = round(2 * MOST_LOG_ODDS / STEP) + 1


def count(record: Judged, escapes: Escapes) -> Counts:
    """Count the beats and the strips of one record.

    Returns:
        ``confusion``, shape (6, 6): experts' kinds in rows and found ones in columns, by ``KINDS``;
        the last row is of invented beats, the last column of missed ones. ``strips``, shape (2, 2):
        normal and abnormal by experts in rows, and as found. ``scores`` and ``strip_scores``, shape
        (2, levels): of what is normal and abnormal by experts. ``hours`` that were scored.
    """
    places, experts, told, scores = _side_by_side(record, escapes)
    size = MISSED + 1
    scored = record.scope.covers(places)
    confusion = np.zeros((size, size))
    np.add.at(confusion, (experts[scored], told[scored]), 1)
    whole = record.covered
    whole = whole[: len(whole) // STRIP_SAMPLES * STRIP_SAMPLES].reshape(-1, STRIP_SAMPLES).all(1)
    strip_of = places // STRIP_SAMPLES
    strips = np.array([_any(strip_of, _abnormal(kinds), whole) for kinds in (experts, told)])
    highest = np.zeros(len(whole))
    known = np.isfinite(scores) & (strip_of < len(whole))
    np.maximum.at(highest, strip_of[known], scores[known])
    judged = scored & (experts < TOLD) & np.isfinite(scores)
    return {
        "confusion": confusion,
        "strips": _crossed(*strips[:, whole]),
        "scores": _histogram(scores[judged], _abnormal(experts[judged])),
        "strip_scores": _histogram(highest[whole], strips[0, whole]),
        "hours": np.array(record.hours),
    }


def _side_by_side(
    record: Judged, escapes: Escapes
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return place, experts' kind, found kind and score of every beat that either knows of."""
    kind_of = {symbol: kind for kind, symbols in AAMI_CLASSES.items() for symbol in symbols}
    kind_of |= dict.fromkeys("ej", escapes)
    marked = np.array([KINDS.index(kind_of[symbol]) for symbol in record.symbols], dtype=np.int64)
    places = np.array([beat.r_index for beat in record.beats], dtype=np.int64)
    told = np.array([KINDS.index(beat.kind) for beat in record.beats], dtype=np.int64)
    scores = np.array([beat.abnormal for beat in record.beats], dtype=np.float64)  # None is NaN
    ours, theirs = pair(record.places, places, int(TOLERANCE_S * RATE_HZ)).T
    missed, invented = np.delete(record.places, ours), np.delete(places, theirs)
    nobody = np.full(len(invented), MISSED)
    return (
        np.concatenate([record.places[ours], missed, invented]),
        np.concatenate([marked[ours], np.delete(marked, ours), nobody]),
        np.concatenate([told[theirs], np.full(len(missed), MISSED), np.delete(told, theirs)]),
        np.concatenate([scores[theirs], np.full(len(missed), np.nan), np.delete(scores, theirs)]),
    )


def _abnormal(kinds: NDArray[np.int64]) -> NDArray[np.bool_]:
    return (kinds > 0) & (kinds < TOLD)


def _any(
    strip_of: NDArray[np.int64], chosen: NDArray[np.bool_], strips: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Tell which strips hold a chosen beat."""
    return np.isin(np.arange(len(strips)), strip_of[chosen])


def _crossed(experts: NDArray[np.bool_], told: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.bincount(2 * experts + told, minlength=4).reshape(2, 2).astype(np.float64)


def _histogram(scores: NDArray[np.float64], abnormal: NDArray[np.bool_]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):  # of 0 and 1
        log_odds = np.clip(logit(scores), -MOST_LOG_ODDS, MOST_LOG_ODDS)
    levels = np.rint((log_odds + MOST_LOG_ODDS) / STEP).astype(np.int64)
    return np.stack([np.bincount(levels[abnormal == which], minlength=LEVELS) for which in (0, 1)])


def together(counts: Iterable[Counts]) -> Counts:
    """Put the counts of records into rows."""
    rows = list(counts)
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def figures(counts: Counts) -> dict[str, float]:
    """Return the rates that follow from counts, in percent; NaN for what is not defined."""
    confusion, strips = counts["confusion"], counts["strips"]
    named = {name: 100 * value for name, value in rates(confusion.astype(np.int64)).items()}
    for kind in KINDS[:TOLD]:
        one, other = named[f"{kind}_sensitivity"], named[f"{kind}_predictivity"]
        named[f"{kind}_f1"] = ratio(2 * one * other, one + other)
    named["abnormal_auc"] = area_under_curve(counts["scores"])
    named["strip_sensitivity"] = percent(strips[1, 1], strips[1].sum())
    named["strip_predictivity"] = percent(strips[1, 1], strips[:, 1].sum())
    named["strip_f1"] = percent(2 * strips[1, 1], strips[1].sum() + strips[:, 1].sum())
    named["strip_specificity"] = percent(strips[0, 0], strips[0].sum())
    named["strip_auc"] = area_under_curve(counts["strip_scores"])
    false = confusion[[0, MISSED], 1:TOLD].sum()
    named["false_abnormal_per_hour"] = ratio(false, counts["hours"])
    return named


def area_under_curve(scores: NDArray[np.float64]) -> float:
    """Return how often what is abnormal has the higher score, in percent; a tie is one half."""
    normal, abnormal = scores
    lower = np.cumsum(normal) - normal / 2
    return percent(abnormal @ lower, abnormal.sum() * normal.sum())


def dominating(names: Sequence[str], confusion: NDArray[np.float64]) -> dict[str, list[str]]:
    """Return the records that hold more than half of all beats of S, V or F, and of which kinds.

    Args:
        names: of the records.
        confusion: of each, shape (records, 6, 6).
    """
    found: dict[str, list[str]] = {}
    of_kind = confusion[:, 1:TOLD].sum(axis=2)
    for kind, beats in zip(KINDS[1:TOLD], of_kind.T, strict=True):
        if len(names) > 1 and beats.max() > beats.sum() / 2:
            found.setdefault(names[int(beats.argmax())], []).append(kind)
    return found
