"""From Keras to TFLite, and the proof that both compute the same."""

from __future__ import annotations

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from model.tensor import normalise
from model.training.architecture import KerasModel
from model.training.errors import ConversionFailed

INT16_ACTIVATIONS = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
LEAST_COSINE = 0.999
REPRESENTATIVE = 1000  # beats that tell the converter how large each layer's numbers become
HEADROOM = 2.5  # for those of flawed beats, which else are cut off; 16 bits have room enough


def to_tflite(network: KerasModel, windows_mv: NDArray[np.float64]) -> bytes:
    """Convert a network for one beat at a time, with weights of 8 bits and activations of 16.

    Input and output stay floats. Activations of 8 bits would be faster, but would turn the
    embedding by 2.6 degrees, where these turn it by 1.
    """
    chosen = np.random.default_rng(0).permutation(len(windows_mv))[:REPRESENTATIVE]
    beats = HEADROOM * normalise(windows_mv[chosen])
    one_beat = keras.InputSpec(shape=(1, windows_mv.shape[1], 1), dtype="float32")
    with TemporaryDirectory() as folder:
        network.export(folder, verbose=False, input_signature=[one_beat])
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.target_spec.supported_ops = [INT16_ACTIVATIONS]
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([beat[None, :, None]] for beat in beats)
        converted: bytes = converter.convert()
    return converted


def write_model(model: bytes, folder: Path, name: str) -> Path:
    """Write NAME.tflite and return its path."""
    path = folder / f"{name}.tflite"
    path.write_bytes(model)
    return path


def run_tflite(model: bytes, windows_mv: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the outputs of a TFLite model for beats in mV, (n, 175) to (n, outputs)."""
    return run_inputs(model, normalise(windows_mv)[..., None])


def run_inputs(model: bytes, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the outputs of a TFLite model, shape (n, outputs), for its inputs one by one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it may move to another package one day
        interpreter: Any = tf.lite.Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    into = interpreter.get_input_details()[0]["index"]
    out_of = interpreter.get_output_details()[0]["index"]
    outputs = []
    for beat in inputs:
        interpreter.set_tensor(into, beat[None])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(out_of)[0].copy())
    return np.array(outputs)


def check_agreement(
    converted: NDArray[np.float32], original: NDArray[np.float32]
) -> dict[str, float]:
    """Compare two models' outputs for the same beats, each of shape (n, outputs).

    Returns:
        The mean and the least cosine.

    Raises:
        ConversionFailed: the mean is below 0.999.
    """
    lengths = np.linalg.norm(converted, axis=1) * np.linalg.norm(original, axis=1)
    cosines = np.sum(converted * original, axis=1) / lengths
    if cosines.mean() < LEAST_COSINE:
        raise ConversionFailed(
            f"the TFLite model's outputs have a mean cosine of {cosines.mean():.4f} with those of "
            f"Keras, expected {LEAST_COSINE} or more; try another version of tensorflow"
        )
    return {"mean": round(float(cosines.mean()), 6), "least": round(float(cosines.min()), 6)}
