"""Training a network on marked beats: balanced, early stopping on patients that are left out."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from model.beat_history import SHAPE_SAMPLES
from model.training.architecture import KerasModel
from model.training.kind_data import TOLD, Inputs, MarkedBeats
from model.training.kind_networks import (
    BEAT,
    SHAPES,
    Architecture,
    autoencoder,
    classifier,
    of_one_beat,
)

NORMAL_EACH = 150  # normal beats of a record that are learnt from, at most, and a quarter of them
OTHERS_EACH = 250  # beats of each other kind
STOPPING = 0.12  # part of the patients that say when to stop
#: How much each kind weighs in all. Fusion beats are those of a few patients.
SHARES = (0.5, 0.22, 0.26, 0.02)
STRETCH = 0.08  # of the time about the R peak, either way
NOISE = 0.02  # of the usual QRS's span
RATE_ERROR = 0.01  # of every figure


@dataclass(frozen=True, slots=True)
class KindRecipe:
    """How a network is trained."""

    epochs: int = 8  # at most
    patience: int = 2  # epochs without a better one, after which it ends
    batch: int = 512  # beats
    rate: float = 3e-3  # of learning


def fit_kinds(
    beats: tuple[MarkedBeats, MarkedBeats],
    architecture: Architecture,
    recipe: KindRecipe,
    seed: int,
) -> KerasModel:
    """Train a network; the same seed and beats give the same one.

    Args:
        beats: of whole records, and of more beginnings of the same patients.
        architecture: which network.
        recipe: how.
        seed: of everything that is drawn.
    """
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    whole, cold = beats
    stopping = _stopping_patients(whole, rng)
    everything = MarkedBeats.join([_thinned(whole, rng), _thinned(cold, rng)])
    left_out = np.isin(everything.patients, stopping)
    learn, stop = everything.where(~left_out), everything.where(left_out)
    inner = None
    if architecture in ("autoencoder", "both"):
        inner = _fit_autoencoder(learn.inputs[learn.kinds == 0], recipe, rng)
    network = classifier(architecture, inner)
    network.compile(
        keras.optimizers.Adam(recipe.rate), keras.losses.SparseCategoricalCrossentropy(True)
    )
    weights, stop_weights = _weights(learn), _weights(stop)
    best, best_loss, worse = network.get_weights(), np.inf, 0
    for _ in range(recipe.epochs):
        network.fit(
            augmented(learn.inputs, rng), learn.kinds, recipe.batch, 1, 0, sample_weight=weights
        )
        loss = network.evaluate(stop.inputs, stop.kinds, 2048, 0, stop_weights)
        if loss < best_loss:
            best, best_loss, worse = network.get_weights(), loss, 0
        elif (worse := worse + 1) >= recipe.patience:
            break
    network.set_weights(best)
    return network


def _fit_autoencoder(normal: Inputs, recipe: KindRecipe, rng: np.random.Generator) -> KerasModel:
    """Train an autoencoder on normal beats alone."""
    of_one = np.asarray(of_one_beat(normal))
    network = autoencoder(of_one)
    network.compile(keras.optimizers.Adam(recipe.rate), "mse")
    for _ in range(recipe.epochs // 2):
        inputs = np.asarray(of_one_beat(augmented(normal, rng)))
        network.fit(inputs, np.zeros((len(inputs), BEAT)), recipe.batch, 1, 0)
    return network


def _stopping_patients(beats: MarkedBeats, rng: np.random.Generator) -> NDArray[np.str_]:
    """Draw some patients of each data set."""
    drawn = []
    for group in np.unique(beats.groups):
        patients = rng.permutation(np.unique(beats.patients[beats.groups == group]))
        drawn.append(patients[: max(1, round(STOPPING * len(patients)))])
    return np.concatenate(drawn)


def _thinned(beats: MarkedBeats, rng: np.random.Generator) -> MarkedBeats:
    """Leave out beats of a kind of which a record has many, which are alike."""
    chosen = np.zeros(len(beats.kinds), dtype=bool)
    _, record_of = np.unique(beats.records, return_inverse=True)
    learnable = np.flatnonzero(beats.to_learn)
    cell = record_of[learnable] * TOLD + beats.kinds[learnable]
    for each in np.unique(cell):
        places = rng.permutation(learnable[cell == each])
        most = OTHERS_EACH if each % TOLD else min(NORMAL_EACH, (len(places) + 3) // 4)
        chosen[places[:most]] = True
    return beats.where(chosen)


def _weights(beats: MarkedBeats) -> NDArray[np.float32]:
    """Weigh the kinds by ``SHARES``, and a record by the root of how many of a kind it has."""
    _, record_of = np.unique(beats.records, return_inverse=True)
    cell = record_of * TOLD + beats.kinds
    weights = 1 / np.sqrt(np.bincount(cell)[cell])
    totals = np.bincount(beats.kinds, weights, TOLD)
    scale = np.divide(SHARES, totals, out=np.zeros(TOLD), where=totals > 0)
    weights *= scale[beats.kinds]
    return np.asarray(weights * len(beats.kinds) / weights.sum(), dtype=np.float32)


def augmented(inputs: Inputs, rng: np.random.Generator) -> Inputs:
    """Return beats as another lead, rate and noise might show them.

    Upside down half of them, stretched about their R peak, with noise, and with figures that are a
    little off. The gain is none of the inputs' already.
    """
    changed = inputs.copy()
    shapes = changed[:, :SHAPES].reshape(len(inputs), 2, SHAPE_SAMPLES)
    at = np.arange(SHAPE_SAMPLES)
    centre = SHAPE_SAMPLES * 0.4
    batches = np.array_split(rng.permutation(len(inputs)), 9)
    for stretch, rows in zip(np.linspace(1 - STRETCH, 1 + STRETCH, 9), batches, strict=True):
        places = np.clip(centre + (at - centre) * stretch, 0, SHAPE_SAMPLES - 1.001)
        low = places.astype(int)
        part = (places - low).astype(np.float32)
        of_rows = shapes[rows]
        shapes[rows] = of_rows[..., low] * (1 - part) + of_rows[..., low + 1] * part
    shapes *= rng.choice([-1, 1], (len(inputs), 1, 1)).astype(np.float32)
    shapes[:, 0] += NOISE * rng.random((len(inputs), 1)) * rng.standard_normal(shapes[:, 0].shape)
    changed[:, :SHAPES] = shapes.reshape(len(inputs), SHAPES)
    figures = changed[:, SHAPES:]
    figures *= 1 + RATE_ERROR * rng.standard_normal(figures.shape).astype(np.float32)
    return changed
