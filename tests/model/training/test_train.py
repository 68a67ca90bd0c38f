"""The training loop: what it learns, and that the seed decides everything."""

from __future__ import annotations

import numpy as np
import pytest

from model.scores import cosine
from model.training.datasets import Hearts, Others
from tests.model.training.crowd import crowd

pytestmark = pytest.mark.train
pytest.importorskip("tensorflow", reason="needs the [train] extra")


def test_the_same_seed_makes_the_same_network_and_each_step_is_told() -> None:
    from model.training.train import Recipe, embed, train_embedder

    beats = crowd(4)
    steps = []
    networks = [
        train_embedder(beats, Recipe(steps=3), seed, lambda: steps.append(1)) for seed in (7, 7, 8)
    ]
    first, again, other = (embed(network, beats.windows_mv) for network in networks)
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    assert len(steps) == 9


def test_training_draws_persons_apart() -> None:
    from model.training.train import Recipe, embed, train_embedder

    beats = crowd(4)
    embeddings = embed(train_embedder(beats, Recipe(steps=40), 1), beats.windows_mv)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    same = beats.persons[:, None] == beats.persons
    likeness = cosine(embeddings, embeddings)
    assert likeness[same].mean() > likeness[~same].mean() + 0.5


@pytest.mark.parametrize(
    "others",
    [
        Others(devices=(crowd(7),)),
        Others(hearts=Hearts(np.random.default_rng(1).random((9, 3, 235)), np.array([*"abc"] * 3))),
    ],
)
def test_others_are_learnt_from_as_well(others: Others) -> None:
    from model.training.train import Recipe, embed, train_embedder

    beats, recipe = crowd(4), Recipe(steps=3)
    with_others = embed(train_embedder(beats, recipe, 7, others=others), beats.windows_mv)
    without = embed(train_embedder(beats, recipe, 7), beats.windows_mv)
    assert with_others.shape == without.shape
    assert not np.allclose(with_others, without)


def test_the_learning_rate_rises_to_its_peak_and_falls_to_nothing() -> None:
    from model.training.train import START, WARM_UP, OneCycle

    rate = OneCycle(peak=2.0, steps=100)
    rates = [float(rate(step)) for step in range(101)]
    assert rates[0] == pytest.approx(2 * START)
    assert np.argmax(rates) == round(100 * WARM_UP)
    assert max(rates) == pytest.approx(2.0)
    assert rates[-1] == pytest.approx(0, abs=1e-6)
    assert np.all(np.diff(rates[30:]) <= 0)


def test_a_recipe_without_steps_is_refused() -> None:
    from model.training.train import Recipe

    with pytest.raises(ValueError, match="steps: 0 is not 1 or more"):
        Recipe(steps=0)
