"""The networks, in Keras."""

from __future__ import annotations

from typing import TypeAlias

import keras
from keras import layers

from dsp.segmenter import WINDOW_SAMPLES

#: mypy knows nothing of keras.
KerasModel: TypeAlias = keras.Model

EMBEDDING = 64
MOMENTUM = 0.9  # batch statistics settle within some 20 steps, so that short trainings work too


def embedder() -> KerasModel:
    """Return the network that turns a beat into a 64-number embedding; 47 K parameters.

    The last feature map is flattened and not averaged, since averaging throws away when in the
    beat something happened. Scaling to length 1 is left to the caller, outside the graph.
    """
    beat = keras.Input((WINDOW_SAMPLES, 1))
    features = beat
    for filters, kernel, stride in ((32, 9, 2), (64, 5, 2), (64, 3, 2), (16, 1, 1)):
        features = layers.Conv1D(filters, kernel, stride, padding="same", use_bias=False)(features)
        features = layers.ReLU()(layers.BatchNormalization(momentum=MOMENTUM)(features))
    return keras.Model(beat, layers.Dense(EMBEDDING)(layers.Flatten()(features)))


def classifier(persons: int) -> KerasModel:
    """Return the reference 1D-CNN for a fixed group: softmax over the persons; 44 K parameters."""
    beat = keras.Input((WINDOW_SAMPLES, 1))
    features = beat
    for filters, kernel in ((32, 7), (64, 5), (128, 3)):
        features = layers.Conv1D(filters, kernel, padding="same", activation="relu")(features)
        features = layers.MaxPooling1D(2)(layers.BatchNormalization(momentum=MOMENTUM)(features))
    features = layers.GlobalAveragePooling1D()(features)
    features = layers.Dropout(0.3)(layers.Dense(64, activation="relu")(features))
    return keras.Model(beat, layers.Dense(persons, activation="softmax")(features))
