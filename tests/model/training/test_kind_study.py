"""The study of beat kinds on made-up patients: nobody on both sides, and files that work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("tensorflow", reason="needs the [train] extra")

from dsp.front_end import FrontEnd
from model.beat_passport import BeatPassport
from model.training import kind_study
from model.training.errors import TooLittleData
from model.training.export import run_inputs
from model.training.kind_data import MarkedBeats
from model.training.kind_fit import KindRecipe, augmented
from model.training.kind_networks import SHAPES
from model.training.kind_study import KindPlan, cross_validate, set_decision, study_kinds
from tests.model.training.ectopic_patients import patients

pytestmark = pytest.mark.train

RECIPE = KindRecipe(epochs=3, batch=64)


def plan(folds: int = 2) -> KindPlan:
    provenance = {"data": ["made up"], "licence": "none", "citations": []}
    return KindPlan("tiny", RECIPE, folds, (1,), provenance, FrontEnd.description())


def no_progress(_name: str, _steps: int) -> Callable[[], None]:
    return lambda: None


def test_a_patient_is_never_on_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    beats = patients(8)
    learnt: list[set[str]] = []

    class Nothing:
        def predict(self, inputs: NDArray[np.float32], **_options: Any) -> NDArray[np.float32]:
            return np.full((len(inputs), 4), float(len(learnt)), dtype=np.float32)

    def fit(known: tuple[MarkedBeats, MarkedBeats], *_how: Any) -> Nothing:
        learnt.append({*known[0].patients.tolist(), *known[1].patients.tolist()})
        return Nothing()

    monkeypatch.setattr(kind_study, "fit_kinds", fit)
    judged_by = cross_validate(beats, "single", plan(), 1)[:, 0]
    for fold, persons in enumerate(learnt, start=1):
        judged = set(beats[0].patients[judged_by == fold].tolist())
        assert judged
        assert not judged & persons
    assert not (judged_by[~beats[0].spoilt] == 0).any()


def test_the_study_writes_a_model_that_computes_what_keras_did(tmp_path: Path) -> None:
    passport = study_kinds(patients(8), plan(), tmp_path, no_progress)
    content = (tmp_path / "tiny.tflite").read_bytes()
    assert BeatPassport.load(tmp_path / "tiny.tflite", content) == passport
    assert set(passport.metrics["by_architecture"]) == {"single", "sequence", "autoencoder", "both"}
    assert passport.training["patients"] == {"made up": 8}
    with np.load(tmp_path / "tiny.reference.npz") as reference:
        found = run_inputs(content, reference["inputs"])
        np.testing.assert_allclose(found, reference["logits"], atol=0.01)
    assert len(content) < 200_000


def test_too_few_patients_are_said_so(tmp_path: Path) -> None:
    with pytest.raises(TooLittleData, match="16 patients"):
        study_kinds(patients(8), plan(folds=4), tmp_path, no_progress)


def test_a_network_that_calls_healthy_beats_abnormal_is_held_back() -> None:
    whole, _ = patients(4)
    rng = np.random.default_rng(0)
    logits = np.zeros((len(whole.kinds), 4), dtype=np.float32)
    logits[:, 2] = 2 * (whole.kinds == 2) + rng.standard_normal(len(logits))
    everybody = set_decision(whole, logits)
    healthy = whole.where(whole.kinds == 0)
    healthy.groups[:] = "healthy"
    both = MarkedBeats.join([whole, healthy])
    guarded = set_decision(both, np.concatenate([logits, logits[whole.kinds == 0]]))
    assert (guarded.kinds(logits[whole.kinds == 0]) != 0).mean() <= 0.01
    assert guarded.biases[2] < everybody.biases[2]
    assert everybody.slope > 0


def test_augmented_beats_keep_their_figures_about_and_are_turned_half_of_the_time() -> None:
    inputs = patients(1)[0].inputs
    changed = augmented(inputs, np.random.default_rng(0))
    figures = inputs[:, SHAPES:], changed[:, SHAPES:]
    np.testing.assert_allclose(figures[0], figures[1], rtol=0.06, atol=1e-6)
    turned = np.sum(inputs[:, :SHAPES] * changed[:, :SHAPES], axis=1) < 0
    assert 0.35 < turned.mean() < 0.65
