"""How an error against a mark is had: of the nearest place, if it is near at all."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.intervals import error_ms

MARKS_S = np.array([1.0, 2.0, 3.0])


def test_the_nearest_place_of_each_mark_counts() -> None:
    found_s = np.array([0.98, 1.05, 2.01, np.nan, 4.0])
    assert error_ms(found_s, MARKS_S) == pytest.approx((-20 + 10) / 2)


@pytest.mark.parametrize("found_s", [None, np.array([]), np.array([np.nan]), np.array([7.0])])
def test_what_is_not_found_has_no_error(found_s: np.ndarray | None) -> None:
    assert error_ms(found_s, MARKS_S) is None
