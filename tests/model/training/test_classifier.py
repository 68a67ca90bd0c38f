"""The closed group, and what is outside it: counted by person, scored as the identifier does."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.train
pytest.importorskip("tensorflow", reason="needs the [train] extra")


def test_a_confusion_matrix_counts_hearts_by_row_and_labels_by_column() -> None:
    from model.training.classifier import Scores, confusion_matrix

    labels = np.log([[9, 1], [8, 2], [3, 7], [1, 10], [4, 6], [1, 9]])
    scores = Scores(labels, np.array([0, 0, 0, 1, 1, 1]))
    assert confusion_matrix(scores).tolist() == [[2, 1], [0, 3]]


def test_what_must_not_be_accepted_are_strangers_best_scores_where_there_are_strangers() -> None:
    from model.training.classifier import Scores

    labels = np.array([[-1.0, -2.0], [-3.0, -4.0], [-5.0, -6.0]])
    assert Scores(labels, np.array([0, 1, -1])).own.tolist() == [-1, -4]
    assert Scores(labels, np.array([0, 1, -1])).false.tolist() == [-5]
    assert Scores(labels[:2], np.array([0, 1])).false.tolist() == [-2, -3]
