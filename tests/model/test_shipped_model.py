"""The models that come with the project: whole, small, and the same in every TFLite runtime."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from daemon.offline.analysis import analyse
from dsp.front_end import FrontEnd
from model.network import Network
from model.scores import unit
from model.tensor import normalise

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "model" / "ecg_id.tflite"
HELD_OUT = ROOT / "tests" / "model" / "held_out.tflite"

models = pytest.mark.parametrize("path", [SHIPPED, HELD_OUT], ids=lambda path: path.stem)


@models
def test_it_computes_what_keras_computed(path: Path) -> None:
    with np.load(path.with_suffix(".reference.npz")) as reference:
        windows, outputs = reference["windows"], reference["outputs"]
    agreement = np.sum(Network(path).run(windows) * unit(outputs), axis=1)
    assert len(windows) == 50
    assert agreement.mean() >= 0.999
    assert agreement.min() >= 0.995


@models
def test_it_computes_what_keras_computed_of_500_real_beats(
    path: Path, shared_data: Callable[[str], Path]
) -> None:
    folder = shared_data("ecg-id")
    with np.load(path.with_suffix(".reference.npz")) as reference:
        assert "real_outputs" in reference, "made before real beats were kept: train it again"
        records, places = reference["real_records"].tolist(), reference["real_places"]
        outputs = reference["real_outputs"].astype(np.float32)
    windows_mv = [
        beats(folder / record)[place] for record, place in zip(records, places, strict=True)
    ]
    network = Network(path)
    agreement = np.sum(network.run(normalise(windows_mv)) * unit(outputs), axis=1)
    print(f"{network.runtime}: cosine {agreement.mean():.6f}, least {agreement.min():.6f}")
    assert len(agreement) == 500
    assert agreement.mean() >= 0.999
    assert agreement.min() >= 0.99


@cache
def beats(record: Path) -> NDArray[np.float64]:
    """What the signal chain cuts out of a recording, shape (beats, 175)."""
    return analyse(str(record)).windows_mv


@models
def test_it_was_trained_behind_the_signal_chain_of_this_version(path: Path) -> None:
    Network(path).passport.check_front_end(FrontEnd.description())


@models
def test_it_is_small(path: Path) -> None:
    assert path.stat().st_size < 250_000


@models
def test_its_passport_says_what_it_was_made_of_and_how_good_it_is(path: Path) -> None:
    passport = Network(path).passport
    assert passport.training["data"] == ["ecg-id", "cinc2017", "svdb", "ludb"]
    assert passport.training["licence"] == "ODC-By 1.0"
    assert any("Lugovaya" in source for source in passport.training["citations"])
    assert len(passport.calibration.thresholds) == 10
    assert passport.metrics["by_beats"]["10"]["eer"]["percent"] < 5


@models
def test_its_cohort_is_unit_vectors_of_the_training_and_of_two_other_devices(path: Path) -> None:
    passport = Network(path).passport
    assert passport.cohort is not None
    persons = len(passport.training["persons"])
    assert len(passport.cohort.embeddings) == persons + 200 + 52
    lengths = np.linalg.norm(passport.cohort.embeddings, axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-5)


def test_the_shipped_thresholds_rise_with_the_number_enrolled() -> None:
    calibration = Network(SHIPPED).passport.calibration
    thresholds = [calibration.search_threshold(10, n, 0.01) for n in (1, 2, 4, 6, 10, 100, 10_000)]
    assert thresholds == sorted(thresholds)
    assert calibration.search_threshold(10, 6, 0.001) > thresholds[3]


def test_the_shipped_model_learnt_from_everybody_and_the_other_left_six_out() -> None:
    everybody = set(Network(SHIPPED).passport.training["persons"])
    training = Network(HELD_OUT).passport.training
    never_seen = set(training["never_seen"])
    assert len(everybody) == 60
    assert len(never_seen) == 6
    assert not never_seen & set(training["persons"])
    assert never_seen | set(training["persons"]) == everybody
