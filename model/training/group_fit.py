"""Training a classifier, in a way that goes on where it was interrupted."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import keras
import numpy as np
from numpy.typing import NDArray

from model.training.architecture import (
    KerasModel,
    classifier,
    convolutional_branch,
    reference_branch,
)
from model.training.augment import augment
from model.training.datasets import BatchSampler, Beats
from model.training.train import OneCycle, Recipe

BRANCHES = {"ours": convolutional_branch, "reference": reference_branch}
MEMBER_BEATS, STRANGER_BEATS = 64, 32  # in a batch
SAVED_EVERY = 50  # steps


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What is to be learnt, and how."""

    members: Beats  # beats with a label for each person, in the order of ``members.names``
    #: beats that share one more label, the last; without any there is no such label
    strangers: Beats
    network: Literal["ours", "reference"]  # which one
    recipe: Recipe  # how it is trained
    seed: int  # of everything that is drawn

    @property
    def outputs(self) -> int:
        """How many labels there are."""
        return len(self.members.names) + (len(self.strangers) > 0)

    @property
    def fingerprint(self) -> str:
        """What tells this lesson from any other."""
        digest = hashlib.sha256(f"{self.network} {self.recipe} {self.seed}".encode())
        for beats in (self.members, self.strangers):
            digest.update(beats.windows_mv.tobytes())
            digest.update("\n".join(beats.persons).encode())
        return digest.hexdigest()[:16]


def fit(
    lesson: Lesson, unfinished: Path, progress: Callable[[str, int], Callable[[], None]]
) -> KerasModel:
    """Train on balanced batches of augmented beats.

    Every few steps the network is saved with its optimiser, until it is finished. The same lesson
    then goes on from there, with other batches than it would have drawn unbroken.

    Args:
        lesson: what to learn.
        unfinished: a folder of its own for what is saved.
        progress: told of the stage and its steps.
    """
    keras.utils.set_random_seed(lesson.seed)
    network = classifier(BRANCHES[lesson.network](), lesson.outputs)
    recipe = lesson.recipe
    rate = OneCycle(recipe.peak_rate, recipe.steps)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay)
    network.compile(optimizer, "sparse_categorical_crossentropy")
    optimizer.build(network.trainable_variables)
    saved = unfinished / f"{lesson.fingerprint}.weights.h5"
    if saved.is_file():
        network.load_weights(saved)
    done = int(optimizer.iterations)
    stage = f"Group, going on from step {done}" if done else "Group"
    on_step = progress(stage, recipe.steps - done)
    draw = _batches(lesson, np.random.default_rng([lesson.seed, done]))
    for step in range(done + 1, recipe.steps + 1):
        network.train_on_batch(*draw())
        on_step()
        if step % SAVED_EVERY == 0:
            _save(network, saved)
    shutil.rmtree(unfinished, ignore_errors=True)
    return network


def _save(network: KerasModel, place: Path) -> None:
    """Write the network in one go, so that an interruption leaves the last one whole."""
    place.parent.mkdir(exist_ok=True)
    half_written = place.with_name("half-written.weights.h5")
    network.save_weights(half_written)
    half_written.replace(place)


def _batches(
    lesson: Lesson, rng: np.random.Generator
) -> Callable[[], tuple[NDArray[np.float32], NDArray[np.int64]]]:
    """Return what draws one batch: everybody of the group, and as many strangers as fit in."""
    persons = len(lesson.members.names)
    members = BatchSampler(lesson.members, persons, max(2, MEMBER_BEATS // persons), rng)
    strangers = BatchSampler(lesson.strangers, STRANGER_BEATS, 1, rng)

    def draw() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        groups_mv, labels = members.draw()
        if strangers.persons:
            others_mv, whose = strangers.draw()
            groups_mv = np.concatenate([groups_mv, others_mv])
            labels = np.concatenate([labels, np.full_like(whose, persons)])
        return augment(groups_mv, rng)[..., None], labels

    return draw
