"""Rates of beat kinds against a worked example, and the AUC against its definition."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from model.training.kind_data import KINDS, NOBODY_MARKED, MarkedBeats
from model.training.kind_figures import area_under_curve, confusion, rates


def marked(experts: str, spoilt: NDArray[np.bool_] | None = None, missed: str = "") -> MarkedBeats:
    """Beats of one record: what experts call each, ``-`` where they saw none."""
    count = len(experts)
    names = np.full(count, "100")
    return MarkedBeats(
        np.zeros((count, 1), np.float32),
        np.zeros(count, np.int64),
        np.zeros(count, bool) if spoilt is None else spoilt,
        np.array([NOBODY_MARKED if kind == "-" else KINDS.index(kind) for kind in experts]),
        names,
        names,
        names,
        {"100": np.bincount([KINDS.index(kind) for kind in missed], minlength=5)},
    )


def test_the_rates_are_those_of_ec57_on_a_worked_example() -> None:
    experts = "NNNNNNNNNN" + "VVVV" + "SSS" + "FF" + "Q" + "--"
    told = "NNNNNNNNVS" + "VVVS" + "SNV" + "VN" + "V" + "VS"
    beats = marked(experts, missed="VN")
    found = rates(confusion(beats, np.array([KINDS.index(kind) for kind in told])))
    assert found["V_sensitivity"] == pytest.approx(3 / 5)  # one was not detected
    assert found["V_predictivity"] == pytest.approx(3 / 6)  # 8 told, of which F and Q are excused
    assert found["S_sensitivity"] == pytest.approx(1 / 3)
    assert found["S_predictivity"] == pytest.approx(1 / 4)
    assert found["specificity"] == pytest.approx(8 / 10)
    assert found["accuracy"] == pytest.approx(12 / 22)
    # Abnormal: 4 of V, 2 of S and 1 of F are told as such; 4 normal or no beats are; 3 are not.
    assert found["abnormal_f1"] == pytest.approx(2 * 7 / (11 + 10))


def test_a_spoilt_beat_is_q_whatever_the_network_says() -> None:
    beats = marked("NV", np.array([True, True]))
    counts = confusion(beats, np.array([0, 2]))
    assert counts[0, 4] == counts[2, 4] == 1
    assert counts.sum() == 2


def test_the_area_under_the_curve_is_how_often_an_abnormal_beat_scores_higher() -> None:
    rng = np.random.default_rng(0)
    beats = marked("NVSNNVNF-Q")
    scores = rng.integers(0, 5, 10).astype(float)
    normal, abnormal = scores[[0, 3, 4, 6]], scores[[1, 2, 5, 7]]
    pairs = np.sign(abnormal[:, None] - normal) / 2 + 0.5
    assert area_under_curve(beats, scores) == pytest.approx(pairs.mean())
