"""The figures of a fixed group, against those counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from model.training.group_figures import PersonFigures, accuracy, macro_average, person_figures

# 10 beats of each; 8 + 9 + 6 of 30 right; taken for the first: 8 + 1 + 3 = 12
CONFUSION = np.array([[8, 2, 0], [1, 9, 0], [3, 1, 6]])


def test_figures_are_those_counted_by_hand() -> None:
    first, _, last = person_figures(CONFUSION)
    assert accuracy(CONFUSION) == pytest.approx(23 / 30)
    assert (first.precision, first.recall) == pytest.approx((8 / 12, 8 / 10))
    assert (first.f1, first.specificity) == pytest.approx((16 / 22, 16 / 20))
    assert (last.precision, last.recall) == pytest.approx((1, 0.6))
    assert (last.f1, last.specificity) == pytest.approx((0.75, 1))


def test_the_average_counts_each_person_the_same() -> None:
    mean = macro_average(person_figures(CONFUSION))
    assert mean.precision == pytest.approx((8 / 12 + 9 / 12 + 1) / 3)
    assert mean.recall == pytest.approx(23 / 30)
    assert mean.specificity == pytest.approx((16 + 17 + 20) / 60)


def test_a_person_for_whom_nobody_is_taken_has_no_precision() -> None:
    assert person_figures(np.array([[0, 4], [0, 4]]))[0] == PersonFigures(0.0, 0.0, 0.0, 1.0)
