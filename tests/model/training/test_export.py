"""The conversion, and the check that nothing was lost in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.scores import unit
from model.training.errors import ConversionFailed
from tests.model.training.crowd import crowd

pytestmark = pytest.mark.train
pytest.importorskip("tensorflow", reason="needs the [train] extra")


def test_a_converted_network_computes_what_keras_does() -> None:
    from model.training.architecture import EMBEDDING
    from model.training.export import check_agreement, run_tflite, to_tflite
    from model.training.reference import made_up_beats
    from model.training.train import embed
    from tests.model.training.untrained import untrained_embedder

    network, beats_mv = untrained_embedder(), made_up_beats(60, seed=2)
    converted = to_tflite(network, beats_mv)
    assert len(converted) < 250_000
    outputs = run_tflite(converted, beats_mv)
    assert check_agreement(outputs, embed(network, beats_mv))["mean"] >= 0.999
    assert unit(outputs).shape == (60, EMBEDDING)


def test_a_pop_larger_than_any_beat_is_not_cut_off() -> None:
    from model.training.export import check_agreement, run_tflite, to_tflite
    from model.training.reference import made_up_beats
    from model.training.train import embed
    from tests.model.training.untrained import untrained_embedder

    network, beats_mv = untrained_embedder(), made_up_beats(60, seed=2)
    converted = to_tflite(network, beats_mv)
    popped_mv = beats_mv[:20].copy()
    popped_mv[:, 30] += 30
    outputs = run_tflite(converted, popped_mv)
    assert check_agreement(outputs, embed(network, popped_mv))["least"] >= 0.999


def test_outputs_that_disagree_are_refused() -> None:
    from model.training.export import check_agreement

    original = np.eye(4, dtype=np.float32)
    turned = original + 0.1
    assert check_agreement(3 * original, original) == {"mean": 1.0, "least": 1.0}
    with pytest.raises(ConversionFailed, match="have a mean cosine of"):
        check_agreement(turned, original)


def test_a_reference_holds_beats_of_nobody_and_their_outputs(tmp_path: Path) -> None:
    from model.training.reference import write_reference
    from model.training.train import embed
    from tests.model.training.untrained import untrained_embedder

    network = untrained_embedder()
    write_reference(network, crowd(2), tmp_path, "tiny")
    with np.load(tmp_path / "tiny.reference.npz") as reference:
        assert reference["windows"].shape == (50, 175)
        np.testing.assert_allclose(
            unit(reference["outputs"]), embed(network, reference["windows"]), atol=1e-5
        )


def test_of_real_beats_it_holds_the_outputs_and_where_they_are_found_only(tmp_path: Path) -> None:
    from model.training.reference import write_reference
    from model.training.train import embed
    from tests.model.training.untrained import untrained_embedder

    network, beats = untrained_embedder(), crowd(3, beats=400)
    beats.good[::7] = False
    write_reference(network, beats, tmp_path, "tiny")
    with np.load(tmp_path / "tiny.reference.npz") as reference:
        assert sorted(reference.files) == [
            "outputs",
            "real_outputs",
            "real_places",
            "real_records",
            "windows",
        ]
        names, parts = np.unique(reference["real_records"], return_counts=True)
        assert names.tolist() == ["P0/r1", "P1/r1", "P2/r1"]
        assert parts.sum() == 500
        assert np.ptp(parts) <= 2
        found = [
            beats.windows_mv[beats.records == record][place]
            for record, place in zip(
                reference["real_records"], reference["real_places"], strict=True
            )
        ]
        rebuilt = embed(network, np.array(found))
        agreement = np.sum(unit(reference["real_outputs"].astype(np.float32)) * rebuilt, axis=1)
    assert agreement.min() > 0.99999


def test_of_fewer_real_beats_all_are_kept(tmp_path: Path) -> None:
    from model.training.reference import some_of_everybody

    beats, places = some_of_everybody(crowd(2, beats=12))
    assert len(beats) == 24
    assert places.tolist() == [*range(12)] * 2
