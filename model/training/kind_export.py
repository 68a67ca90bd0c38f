"""The model of beat kinds as files: TFLite, passport, and what Keras makes of made-up beats."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Literal, TypeAlias, get_args

import keras
import numpy as np
import tensorflow as tf

from dsp.signals import BeatQuality, BeatWindow
from model.beat_history import INPUTS, BeatHistory
from model.beat_passport import BeatPassport, Decision
from model.passport import file_sha256
from model.training.architecture import KerasModel
from model.training.errors import ConversionFailed
from model.training.export import run_inputs, write_model
from model.training.kind_data import Inputs
from model.training.reference import made_up_beats

Measured: TypeAlias = dict[str, float]
Weights: TypeAlias = Literal["float32", "float16", "int8"]

REFERENCE_BEATS = 64
SHIPPED: Weights = "float16"
MOST_APART = 0.01  # logits of the TFLite model from those of Keras


def to_tflite(network: KerasModel, weights: Weights) -> bytes:
    """Convert a network for one beat at a time; inputs, outputs and activations stay floats."""
    one_beat = keras.InputSpec(shape=(1, INPUTS), dtype="float32")
    with TemporaryDirectory() as folder:
        network.export(folder, verbose=False, input_signature=[one_beat])
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if weights != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if weights == "float16":
            converter.target_spec.supported_types = [tf.float16]
        converted: bytes = converter.convert()
    return converted


def made_up_inputs() -> Inputs:
    """Return what is known of made-up beats, some of which come early, shape (64, INPUTS)."""
    rng = np.random.default_rng(0)
    history = BeatHistory()
    rr_s = 0.8 + 0.05 * rng.standard_normal(REFERENCE_BEATS + 1)
    rr_s[::7] *= 0.6
    quality = BeatQuality(1.0, ())
    beats = [
        BeatWindow(at, rr_s[at], tuple(window.tolist()), quality)
        for at, window in enumerate(made_up_beats(REFERENCE_BEATS))
    ]
    return np.stack([history.take(beat, rr_s[beat.r_index + 1]).inputs for beat in beats])


def compare(network: KerasModel, inputs: Inputs, content: bytes, decision: Decision) -> Measured:
    """Say how a TFLite model differs from Keras, and what it costs on this computer."""
    begin_s = perf_counter()
    logits = run_inputs(content, inputs)
    took_s = perf_counter() - begin_s
    original = network.predict(inputs, batch_size=2048, verbose=0)
    same = decision.kinds(logits) == decision.kinds(original)
    return {
        "bytes": len(content),
        "us_a_beat": round(1e6 * took_s / len(inputs), 1),
        "most_apart": round(float(np.abs(logits - original).max()), 6),
        "same_kind_percent": round(100 * float(same.mean()), 3),
    }


def write_files(
    network: KerasModel, inputs: Inputs, passport: BeatPassport, folder: Path
) -> BeatPassport:
    """Write NAME.tflite, .json and .reference.npz; return the passport with what was measured.

    Weights of 16 bits are written, which are floats again in the runtime; the others are only
    measured beside them: tflite-runtime 2.14 does not run those of 8 bits.

    Args:
        network: in Keras.
        inputs: of real beats, to compare both models on.
        passport: what is known of the network already.
        folder: where to write.

    Raises:
        ConversionFailed: the TFLite model does not compute what Keras does.
    """
    contents = {weights: to_tflite(network, weights) for weights in get_args(Weights)}
    measured = {
        name: compare(network, inputs, content, passport.decision)
        for name, content in contents.items()
    }
    if measured[SHIPPED]["most_apart"] > MOST_APART:
        raise ConversionFailed(
            f"the TFLite model's outputs are {measured[SHIPPED]['most_apart']} from those of "
            f"Keras, expected {MOST_APART} or less; try another version of tensorflow"
        )
    model_path = write_model(contents[SHIPPED], folder, passport.name)
    made_up = made_up_inputs()
    np.savez_compressed(
        folder / f"{passport.name}.reference.npz",
        inputs=made_up,
        logits=network.predict(made_up, verbose=0),
    )
    passport = replace(
        passport,
        sha256=file_sha256(model_path),
        metrics=passport.metrics | {"conversion": measured},
    )
    passport.save(model_path)
    return passport
