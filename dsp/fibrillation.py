"""How likely a row of RR intervals is atrial fibrillation: irregular from beat to beat.

A line through five figures of the intervals, fitted as a logistic regression by
``python -m benchmarks.fibrillation``, which prints how well it does on hearts that it was not
fitted to. What breathing does to a young heart is as wide, but each interval can be foretold
from those before. Flutter with a steady block is regular, and not found.

Sources: D. E. Lake & J. R. Moorman, "Accurate estimation of entropy in very short physiological
time series", Am. J. Physiol. 300:H319, 2011 (the coefficient of sample entropy, CosEn); J. Lian, L.
Wang & D. Muessig, "A simple method to detect atrial fibrillation using RR intervals", Am. J.
Cardiol. 107:1494, 2011 (the map of RR against its change).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[np.float64]

FEWEST, MOST = 10, 48  # intervals that are judged: the newest
#: An interval outside of these is no heartbeat's; a larger departure tells no more.
SHORTEST_S, LONGEST_S, FURTHEST_S = 0.2, 3.0, 0.3
CLEAR_CHANGE = 0.1  # of the mean interval
CELL_S = 0.025  # of the map
FOREBEARS, RIDGE_S2 = 4, 1e-3  # intervals that one is foretold from
MATCHES, TOLERANCE_S, STEP_S, MOST_TOLERANCE_S = 5, 0.03, 0.01, 0.3  # of CosEn

NAMES = ("clear_changes", "ln_mean", "cosen", "cells", "foretold")
"""What ``figures`` returns, in its order."""

#: Of the line from the figures to the log-odds at even prior odds, and its intercept.
SLOPES = np.array([7.944, -1.482, 1.306, -2.648, -3.042])
INTERCEPT = 1.448


def fibrillation(rr_s: Sequence[float]) -> float | None:
    """Return the probability of atrial fibrillation, were it as likely as not before.

    Args:
        rr_s: intervals between beats that are not ventricular, in the order in which they came.

    Returns:
        0 to 1; None for fewer than ``FEWEST`` intervals.
    """
    judged_s = judged(rr_s)
    if len(judged_s) < FEWEST:
        return None
    return float(1 / (1 + np.exp(-(figures(judged_s) @ SLOPES + INTERCEPT))))


def judged(rr_s: Sequence[float] | Array) -> Array:
    """Return the newest intervals that may be a heart's."""
    every_s = np.asarray(rr_s, dtype=np.float64)
    return every_s[(every_s > SHORTEST_S) & (every_s < LONGEST_S)][-MOST:]


def figures(rr_s: Array) -> Array:
    """Return the figures of more intervals than ``FOREBEARS``, by ``NAMES``."""
    mean_s = rr_s.mean()
    changes_s = np.diff(rr_s)
    cells = np.floor(np.column_stack([rr_s[1:], changes_s]) / CELL_S).tolist()
    return np.array(
        [
            (np.abs(changes_s) > CLEAR_CHANGE * mean_s).mean(),
            np.log(mean_s),
            cosen(rr_s),
            len(set(map(tuple, cells))) / len(cells),
            foretold(rr_s),
        ]
    )


def cosen(rr_s: Array) -> float:
    """Return the coefficient of sample entropy of single intervals and pairs.

    The tolerance grows until a few pairs match, so that short rows have an entropy too.
    """
    apart_s = np.abs(rr_s[:, None] - rr_s)
    one, two = _pairs(len(rr_s) - 1)
    first, second = apart_s[one, two], apart_s[one + 1, two + 1]
    tolerance_s = TOLERANCE_S
    while tolerance_s < MOST_TOLERANCE_S:
        if ((first < tolerance_s) & (second < tolerance_s)).sum() >= MATCHES:
            break
        tolerance_s += STEP_S
    singles = max(1, (first < tolerance_s).sum())
    pairs = max(1, ((first < tolerance_s) & (second < tolerance_s)).sum())
    return float(-np.log(pairs / singles) + np.log(2 * tolerance_s) - np.log(rr_s.mean()))


@lru_cache
def _pairs(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the numbers of each two of so many, the lower first."""
    return np.triu_indices(count, 1)


def foretold(rr_s: Array) -> float:
    """Return which share of the variance the best sum of the last intervals foretells, 0 to 1."""
    about_median_s = np.clip(rr_s - np.median(rr_s), -FURTHEST_S, FURTHEST_S)
    rows = sliding_window_view(about_median_s, FOREBEARS + 1)
    earlier, newest = rows[:, :-1], rows[:, -1]
    weights = np.linalg.solve(
        earlier.T @ earlier + RIDGE_S2 * np.eye(FOREBEARS), earlier.T @ newest
    )
    left_s2 = ((newest - earlier @ weights) ** 2).sum()
    return float(1 - left_s2 / ((newest**2).sum() + RIDGE_S2))
