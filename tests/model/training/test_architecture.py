"""The networks' sizes."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.train
pytest.importorskip("keras", reason="needs the [train] extra")


def test_the_embedder_is_small_enough_for_a_pi() -> None:
    from model.training.architecture import EMBEDDING
    from tests.model.training.untrained import untrained_embedder

    network = untrained_embedder()
    assert network.input_shape == (None, 175, 1)
    assert network.output_shape == (None, EMBEDDING)
    assert network.count_params() < 100_000


def test_the_classifier_is_the_reference_network() -> None:
    from model.training.architecture import classifier

    network = classifier(6)
    assert network.output_shape == (None, 6)
    assert network.count_params() == pytest.approx(44_000, rel=0.05)
