"""The networks that tell the kinds of beats apart, in Keras.

Each takes the flat vector of ``BeatHistory.take`` and gives four logits, in the order of ``KINDS``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from model.beat_history import FIGURES, INPUTS, SEQUENCE, SHAPE_SAMPLES
from model.training.architecture import KerasModel
from model.training.kind_data import TOLD

Architecture: TypeAlias = Literal["single", "sequence", "autoencoder", "both"]

BOTTLENECK = 12  # numbers that the autoencoder keeps of a beat
SHAPES = 2 * SHAPE_SAMPLES  # inputs that are samples of the beat and of the usual one
BEAT = SHAPES + len(FIGURES)  # what the autoencoder sees
RECEPTIVE = 3, (1, 2, 4)  # kernel and dilations: 15 beats


def classifier(architecture: Architecture, autoencoder: KerasModel | None = None) -> KerasModel:
    """Return an untrained network; ``both`` and ``autoencoder`` look at an autoencoder's errors."""
    inputs = keras.Input((INPUTS,))
    figures = inputs[:, -len(FIGURES) :]
    if architecture == "autoencoder":
        assert autoencoder is not None
        return keras.Model(inputs, layers.Dense(TOLD)(_errors(inputs, autoencoder)))
    parts = [_shape_features(inputs), figures]
    if architecture in ("sequence", "both"):
        parts.append(_sequence_features(inputs))
    if autoencoder is not None:
        parts.append(_errors(inputs, autoencoder))
    features = layers.Dense(64, activation="relu")(layers.Concatenate()(parts))
    features = layers.Dropout(0.3)(features)
    features = layers.Dense(32, activation="relu")(features)
    return keras.Model(inputs, layers.Dense(TOLD)(features))


def together(networks: Sequence[KerasModel]) -> KerasModel:
    """Return what gives the mean logits of several networks."""
    inputs = keras.Input((INPUTS,))
    logits = keras.ops.stack([network(inputs) for network in networks])
    return keras.Model(inputs, keras.ops.mean(logits, axis=0))


def _shape_features(inputs: Any) -> Any:
    """Convolve the beat, the usual one and their difference."""
    beat, usual = inputs[:, :SHAPE_SAMPLES], inputs[:, SHAPE_SAMPLES:SHAPES]
    features = keras.ops.stack([beat, usual, beat - usual], axis=2)
    for filters, kernel in ((16, 5), (24, 5), (16, 3)):
        features = layers.Conv1D(filters, kernel, 2, padding="same", activation="relu")(features)
    return layers.Dense(32, activation="relu")(layers.Flatten()(features))


def _sequence_features(inputs: Any) -> Any:
    """Convolve the figures of the last beats, with gaps that grow."""
    features = keras.ops.reshape(inputs[:, SHAPES:], (-1, SEQUENCE, len(FIGURES)))
    kernel, dilations = RECEPTIVE
    for dilation in dilations:
        features = layers.Conv1D(32, kernel, dilation_rate=dilation, activation="relu")(features)
    return layers.Flatten()(features[:, -1:])


def autoencoder(normal: NDArray[np.float32]) -> KerasModel:
    """Return an untrained autoencoder of beats, (n, BEAT), scaled by what normal ones are like."""
    beat = keras.Input((BEAT,))
    scale = layers.Normalization(mean=normal.mean(axis=0), variance=normal.var(axis=0) + 0.01)
    scaled = scale(beat)
    features = layers.Dense(48, activation="relu")(scaled)
    features = layers.Dense(BOTTLENECK)(features)
    features = layers.Dense(48, activation="relu")(features)
    error = layers.Dense(BEAT)(features) - scaled
    return keras.Model(beat, error)


def of_one_beat(inputs: Any) -> Any:
    """Return the part of the inputs that an autoencoder sees."""
    return keras.ops.concatenate([inputs[:, :SHAPES], inputs[:, -len(FIGURES) :]], axis=1)


def _errors(inputs: Any, trained: KerasModel) -> Any:
    """Return how badly a beat, its shape and its figures are reconstructed, as logarithms."""
    trained.trainable = False
    squares = keras.ops.square(trained(of_one_beat(inputs)))
    parts = (squares, squares[:, :SHAPES], squares[:, SHAPES:])
    means = [keras.ops.mean(part, axis=1, keepdims=True) for part in parts]
    return keras.ops.log(keras.ops.concatenate(means, axis=1) + 1e-4)
