"""The networks' sizes."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.train
pytest.importorskip("keras", reason="needs the [train] extra")


def test_the_embedder_is_small_enough_for_a_pi() -> None:
    from model.training.architecture import EMBEDDING
    from tests.model.training.untrained import untrained_embedder

    network = untrained_embedder()
    assert network.input_shape == (None, 175, 1)
    assert network.output_shape == (None, EMBEDDING)
    assert network.count_params() < 200_000


def test_a_beat_is_moved_both_ways_and_its_ends_stay_level() -> None:
    from model.training.architecture import moved

    rising = np.arange(175, dtype=np.float32)
    earlier, later = np.asarray(moved(rising[None, :, None]))[..., 0]
    np.testing.assert_array_equal(earlier, [*range(1, 175), 174])
    np.testing.assert_array_equal(later, [0, *range(174)])


def test_the_embedder_computes_both_branches_and_compensates_for_sessions() -> None:
    from model.training.architecture import (
        EMBEDDING,
        LEARNT,
        LINEAR,
        embedder,
        learnt_branch,
    )

    rng = np.random.default_rng(1)
    beats = rng.standard_normal((5, 175)).astype(np.float32)
    matrix, offset = rng.standard_normal((175, LINEAR)), rng.standard_normal(LINEAR)
    compensation = rng.standard_normal((LEARNT + LINEAR, EMBEDDING))
    learnt = learnt_branch()
    longer = np.pad(beats, ((0, 0), (1, 1)), "edge")[..., None]
    seen_twice = [learnt(longer[:, 2:]), learnt(longer[:, :-2])]
    branches = [np.mean(seen_twice, axis=0), beats @ matrix + offset]
    np.testing.assert_allclose(
        embedder(learnt, matrix, offset, compensation)(beats[..., None]),
        np.concatenate(branches, axis=1) @ compensation,
        rtol=1e-3,
        atol=1e-3,
    )


def test_the_classifier_is_the_reference_network() -> None:
    from model.training.architecture import classifier, reference_branch

    network = classifier(reference_branch(), 6)
    assert network.output_shape == (None, 6)
    assert network.count_params() == pytest.approx(44_000, rel=0.05)
