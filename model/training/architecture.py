"""The networks, in Keras."""

from __future__ import annotations

from typing import Any, TypeAlias

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from dsp.segmenter import WINDOW_SAMPLES

#: mypy knows nothing of keras.
KerasModel: TypeAlias = keras.Model

LEARNT = 64  # numbers that the learnt branch finds in a beat
LINEAR = 32  # those of the linear discriminant
EMBEDDING = 48  # those that are left of both, compensated for sessions
DROPOUT = 0.3  # of the numbers that a softmax decides on
MOMENTUM = 0.9  # batch statistics settle within some 20 steps, so that short trainings work too


def learnt_branch() -> KerasModel:
    """Return the network that turns a beat into the learnt part of its embedding; 175 K parameters.

    Convolutions find a shape wherever it is, dense layers what is at one place; the two err on
    different people. Scaling to length 1 is left to the caller, outside the graph.
    """
    beat = keras.Input((WINDOW_SAMPLES, 1))
    places = layers.Flatten()(beat)
    for units in (256, 256):
        places = _activated(layers.Dense(units, use_bias=False)(places))
    features = layers.Concatenate()([_shapes(beat), places])
    return keras.Model(beat, layers.Dense(LEARNT)(features))


def convolutional_branch() -> KerasModel:
    """Return the convolutions alone, which are enough for a fixed group; 47 K parameters."""
    beat = keras.Input((WINDOW_SAMPLES, 1))
    return keras.Model(beat, layers.Dense(LEARNT)(_shapes(beat)))


def _shapes(beat: Any) -> Any:
    """Convolve a beat.

    The last feature map is flattened and not averaged, since averaging throws away when in the
    beat something happened.
    """
    features = beat
    for filters, kernel, stride in ((32, 9, 2), (64, 5, 2), (64, 3, 2), (16, 1, 1)):
        features = layers.Conv1D(filters, kernel, stride, padding="same", use_bias=False)(features)
        features = _activated(features)
    return layers.Flatten()(features)


def _activated(features: Any) -> Any:
    return layers.ReLU()(layers.BatchNormalization(momentum=MOMENTUM)(features))


def moved(beats: Any) -> Any:
    """Return each beat a sample earlier and then one later, (n, 175, 1) to (2 n, 175, 1).

    What comes in from beyond an end is as high as that end.
    """
    earlier = keras.ops.concatenate([beats[:, 1:], beats[:, -1:]], axis=1)
    later = keras.ops.concatenate([beats[:, :1], beats[:, :-1]], axis=1)
    return keras.ops.reshape(keras.ops.stack([earlier, later], axis=1), (-1, *beats.shape[1:]))


def embedder(
    learnt: KerasModel,
    matrix: NDArray[Any],
    offset: NDArray[Any],
    compensation: NDArray[Any],
) -> KerasModel:
    """Return the network that turns a beat into a 48-number embedding.

    What the convolutions find depends on where their strides begin, and on an R peak a
    sample off: so it looks at the beat twice, a sample earlier and later, and the mean counts.
    Both branches end in a matrix and the compensation for sessions is one more: they are
    multiplied here, so that the network only adds what its branches give.

    Args:
        learnt: the learnt branch.
        matrix: of the linear branch, shape (175, 32).
        offset: of the linear branch, shape (32,).
        compensation: of both branches side by side, shape (64 + 32, 48).
    """
    *_, features, last = learnt.layers
    beat = keras.Input((WINDOW_SAMPLES, 1))
    found = keras.Model(learnt.input, features.output)(moved(beat))
    averaged = keras.ops.mean(keras.ops.reshape(found, (-1, 2, found.shape[-1])), axis=1)
    learnt_matrix, learnt_offset = last.get_weights()
    of_learnt, of_linear = np.split(compensation, [LEARNT])
    curved, straight = layers.Dense(EMBEDDING), layers.Dense(EMBEDDING, use_bias=False)
    both = layers.Add()([curved(averaged), straight(layers.Flatten()(beat))])
    curved.set_weights([learnt_matrix @ of_learnt, learnt_offset @ of_learnt + offset @ of_linear])
    straight.set_weights([matrix @ of_linear])
    return keras.Model(beat, both)


def reference_branch() -> KerasModel:
    """Return the reference 1D-CNN up to the 64 numbers that it decides on."""
    beat = keras.Input((WINDOW_SAMPLES, 1))
    features = beat
    for filters, kernel in ((32, 7), (64, 5), (128, 3)):
        features = layers.Conv1D(filters, kernel, padding="same", activation="relu")(features)
        features = layers.MaxPooling1D(2)(layers.BatchNormalization(momentum=MOMENTUM)(features))
    features = layers.GlobalAveragePooling1D()(features)
    return keras.Model(beat, layers.Dense(64, activation="relu")(features))


def classifier(branch: KerasModel, outputs: int) -> KerasModel:
    """Return the network that turns a branch's numbers into a softmax."""
    features = layers.Dropout(DROPOUT)(branch.output)
    return keras.Model(branch.input, layers.Dense(outputs, activation="softmax")(features))
