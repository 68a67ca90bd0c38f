"""The closed group: split by time, counted by person."""

from __future__ import annotations

import numpy as np
import pytest

from tests.model.training.crowd import crowd

pytestmark = pytest.mark.train
pytest.importorskip("tensorflow", reason="needs the [train] extra")


def test_each_persons_first_beats_are_learnt_and_the_last_fifth_tests() -> None:
    from model.training.classifier import split_by_time

    beats = crowd(3, records=5, beats=12)  # 60 beats each, a record is a fifth
    learn, held_out, test = split_by_time(beats)
    assert len(learn) + len(held_out) + len(test) == len(beats)
    for name in beats.names:
        assert learn.records_of(name) == [f"{name}/r1", f"{name}/r2", f"{name}/r3"]
        assert held_out.records_of(name) == [f"{name}/r4"]
        assert test.records_of(name) == [f"{name}/r5"]


def test_a_confusion_matrix_counts_hearts_by_row_and_labels_by_column() -> None:
    from model.training.classifier import confusion_matrix

    beats = crowd(2, records=1, beats=3)
    outputs = np.array([[9, 1], [8, 2], [3, 7], [0, 10], [4, 6], [1, 9]], dtype=np.float32) / 10
    assert confusion_matrix(outputs, beats).tolist() == [[2, 1], [0, 3]]
