"""The benchmark of scale, on people whose hearts are drawn at random."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import scale
from model.opening import DEFAULT_MODEL
from model.passport import Passport
from model.scores import unit
from model.training.searches import Halves


def people(seed: int, number: int, scatter: float) -> Halves:
    rng = np.random.default_rng(seed)
    templates = unit(rng.normal(size=(number, 48)).astype(np.float32))
    beats = unit(templates[:, None] + scatter * rng.normal(size=(number, 10, 48)).astype("f4"))
    return Halves(tuple(f"{seed} {at}" for at in range(number)), templates, list(beats))


@pytest.mark.parametrize(("scatter", "known"), [(0.01, "100.0"), (2.0, "0.0")])
def test_sizes_that_people_suffice_for_are_searched(scatter: float, known: str) -> None:
    passport = Passport.load(DEFAULT_MODEL)
    rows = list(scale.rates(people(1, 20, scatter), people(2, 60, scatter), passport))
    assert [row[0] for row in rows] == ["1", "8", "32", "64"]
    assert rows[-1][1].startswith("0.0 "), "no stranger is as alike as one's own template"
    assert rows[-1][2].startswith(f"{known} ")


def test_a_crowd_is_enrolled_and_decided_among(tmp_path: Path) -> None:
    people, start_s, decision_ms, threshold = scale.cost(40, tmp_path / "crowd.sqlite")
    assert people == "40"
    assert float(start_s) >= 0 < float(decision_ms)
    assert 0.5 < float(threshold) < 0.8
