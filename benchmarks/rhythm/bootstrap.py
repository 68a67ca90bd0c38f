"""Rates of several records together, with their intervals: records are drawn, not beats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Counts: TypeAlias = dict[str, NDArray[np.float64]]
"""What was counted, by names: of one record, or of all with one record in each row."""

ROUNDS = 300
DECIMALS = 2


def with_intervals(
    of_records: Counts, figures: Callable[[Counts], Mapping[str, float]]
) -> dict[str, Any]:
    """Return figures of all records together, each with its 95 % interval over draws of records.

    Args:
        of_records: counts with a row for each record.
        figures: what follows from the sums of the rows; NaN for what does not.

    Returns:
        By name a ``value`` and an ``interval_95``, both None where they are not defined.
    """
    size = len(next(iter(of_records.values())))
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(size, np.full(size, 1 / size), ROUNDS)
    rounds = [figures(_sum(of_records, weights)) for weights in drawn] if size > 1 else []
    named = {}
    for name, value in figures(_sum(of_records, np.ones(size))).items():
        values = np.array([each[name] for each in rounds])
        known = values[np.isfinite(values)]
        interval = np.percentile(known, [2.5, 97.5]) if len(known) else None
        named[name] = {
            "value": rounded(value),
            "interval_95": None if interval is None else [*map(rounded, interval.tolist())],
        }
    return named


def _sum(of_records: Counts, weights: NDArray[Any]) -> Counts:
    return {name: np.tensordot(weights, rows, 1) for name, rows in of_records.items()}


def rounded(value: float) -> float | None:
    """Return a figure for JSON."""
    return round(float(value), DECIMALS) if np.isfinite(value) else None


def ratio(part: Any, whole: Any) -> float:
    """Return a part of a whole; NaN of nothing."""
    return float(part) / float(whole) if whole else float("nan")


def percent(part: Any, whole: Any) -> float:
    """Return a share in percent; NaN of nothing."""
    return 100 * ratio(part, whole)
