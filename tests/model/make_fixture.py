"""Makes the two networks of tests/model/fixtures, whose outputs have a closed form.

    pip install -e .[train] && python tests/model/make_fixture.py

cosines.tflite     input (1, 175, 1); output k = 0..3 is sum_i x[i] cos(2 pi (k + 1) i / 175)
softmax.tflite     input (1, 175); softmax of (x[0], x[1], x[2])

Float32 and without options, so that both TFLite runtimes load them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

SAMPLES = 175
FIXTURES = Path(__file__).parent / "fixtures"


def dense(weights: np.ndarray, activation: str | None, shape: tuple[int, ...]) -> bytes:
    """Convert a network of one dense layer, without bias, to TFLite."""
    layer = tf.keras.layers.Dense(weights.shape[1], activation=activation, use_bias=False)
    beat = tf.keras.Input(shape, batch_size=1)
    model = tf.keras.Model(beat, layer(tf.keras.layers.Flatten()(beat)))
    layer.set_weights([weights.astype(np.float32)])
    converted: bytes = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    return converted


if __name__ == "__main__":
    turn = 2 * np.pi * np.arange(SAMPLES)[:, None] / SAMPLES
    cosines = np.cos(turn * np.arange(1, 5))
    FIXTURES.mkdir(exist_ok=True)
    (FIXTURES / "cosines.tflite").write_bytes(dense(cosines, None, (SAMPLES, 1)))
    (FIXTURES / "softmax.tflite").write_bytes(dense(np.eye(SAMPLES, 3), "softmax", (SAMPLES,)))
