"""Training an embedder: balanced batches, two losses, one cycle of the learning rate.

Beside the branch that learns so comes one that a formula gives, the linear discriminant. Another
formula makes one embedding of both, in which the days and fittings of the electrodes count less.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from model.scores import unit
from model.tensor import normalise
from model.training.architecture import (
    EMBEDDING,
    LEARNT,
    LINEAR,
    KerasModel,
    embedder,
    learnt_branch,
    moved,
)
from model.training.augment import augment
from model.training.datasets import NOBODY_ELSE, BatchSampler, Beats, Others
from model.training.discriminant import discriminant, session_compensation
from model.training.losses import arcface, supervised_contrastive
from model.training.views import ViewSampler

CONTRASTIVE_WEIGHT = 0.5
LINEAR_WEIGHT = 0.4  # length of what the linear branch gives, as a part of the learnt one's
WARM_UP = 0.3  # part of the steps in which the learning rate rises
START = 0.04  # the rate at the start, as a part of its peak


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained."""

    steps: int = 1600  # batches to learn from
    persons: int = 48  # in a batch, as many of each device
    beats_each: int = 4  # beats of each person in a batch
    views: int = 12  # made-up persons in a batch, if there are hearts to look at (see ``views``)
    peak_rate: float = 2e-3  # highest learning rate of the cycle
    weight_decay: float = 5e-2  # of AdamW

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"steps: {self.steps} is not 1 or more")


class OneCycle(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """Learning rate that rises to its peak in the first third, then falls to nothing, by cosines.

    Source: L. N. Smith & N. Topin, "Super-Convergence", 2018.
    """

    def __init__(self, peak: float, steps: int) -> None:
        self._peak = peak
        self._steps = steps

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """Return the rate of a step."""
        part = tf.cast(step, tf.float32) / self._steps
        up = START + (1 - START) * (1 - tf.cos(np.pi * part / WARM_UP)) / 2
        down = (1 + tf.cos(np.pi * (part - WARM_UP) / (1 - WARM_UP))) / 2
        return self._peak * tf.where(part < WARM_UP, up, down)

    def get_config(self) -> dict[str, Any]:
        """Return what Keras wants to know of every schedule."""
        return {"peak": self._peak, "steps": self._steps}


def train_embedder(
    beats: Beats,
    recipe: Recipe,
    seed: int,
    on_step: Callable[[], None] = lambda: None,
    others: Others = NOBODY_ELSE,
) -> KerasModel:
    """Train a network to tell the persons of these beats apart.

    Args:
        beats: of two persons or more.
        recipe: how.
        seed: the same seed and beats give the same network.
        on_step: called after each batch.
        others: told apart along with these persons in every batch.
    """
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    devices = (beats, *others.devices)
    samplers: list[BatchSampler | ViewSampler] = [
        BatchSampler(device, recipe.persons // len(devices), recipe.beats_each, rng)
        for device in devices
    ]
    if others.hearts is not None:
        samplers.append(ViewSampler(others.hearts, recipe.views, recipe.beats_each, rng))
    network = learnt_branch()
    everybody = sum(sampler.persons for sampler in samplers)
    centres = tf.Variable(tf.random.normal((everybody, LEARNT)))
    step = _training_step(network, centres, recipe)
    for _ in range(recipe.steps):
        groups_mv, labels = _draw(samplers)
        step(tf.constant(augment(groups_mv, rng)[..., None]), tf.constant(labels))
        on_step()
    return _with_linear_branch(network, beats)


def _with_linear_branch(learnt: KerasModel, beats: Beats) -> KerasModel:
    """Set the linear discriminant beside the learnt branch, and join both."""
    good = beats.where(beats.good)
    windows = normalise(good.windows_mv)
    matrix, offset = discriminant(windows, good.persons, LINEAR)
    # An R peak that is a sample off is one more way in which a person's recordings differ.
    both_ways = np.asarray(moved(windows[..., None]))
    learnt_part = learnt.predict(both_ways, batch_size=512, verbose=0)
    linear_part = both_ways[..., 0] @ matrix + offset
    scale = LINEAR_WEIGHT * _mean_length(learnt_part) / _mean_length(linear_part)
    joined = unit(np.concatenate([learnt_part, scale * linear_part], axis=1))
    persons, records = np.repeat(good.persons, 2), np.repeat(good.records, 2)
    compensation = session_compensation(joined, persons, records, EMBEDDING)
    return embedder(learnt, scale * matrix, scale * offset, compensation)


def _mean_length(vectors: NDArray[Any]) -> float:
    return float(np.linalg.norm(vectors, axis=1).mean())


def _draw(
    samplers: Sequence[BatchSampler | ViewSampler],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw a batch from each sampler and put them together, with labels that none share."""
    batches = [sampler.draw() for sampler in samplers]
    firsts = np.cumsum([0, *(sampler.persons for sampler in samplers)])
    labels = [own + first for (_, own), first in zip(batches, firsts, strict=False)]
    return np.concatenate([groups_mv for groups_mv, _ in batches]), np.concatenate(labels)


def _training_step(
    network: KerasModel, centres: tf.Variable, recipe: Recipe
) -> Callable[[tf.Tensor, tf.Tensor], None]:
    optimizer = keras.optimizers.AdamW(
        OneCycle(recipe.peak_rate, recipe.steps), weight_decay=recipe.weight_decay
    )
    variables = [*network.trainable_variables, centres]
    optimizer.build(variables)

    @tf.function  # type: ignore[untyped-decorator]
    def step(windows: tf.Tensor, labels: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            embeddings = tf.math.l2_normalize(network(windows, training=True), axis=1)
            loss = arcface(embeddings, centres, labels)
            loss += CONTRASTIVE_WEIGHT * supervised_contrastive(embeddings, labels)
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    return step  # type: ignore[no-any-return]


def embed(network: KerasModel, windows_mv: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the unit embedding of each beat, as Keras computes it: (n, 175) to (n, 48)."""
    return unit(network.predict(normalise(windows_mv)[..., None], batch_size=512, verbose=0))
