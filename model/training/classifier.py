"""A fixed group: the reference 1D-CNN with a softmax over its members.

    |-------- train --------|-- calibrate --|-- test --|     each person's beats, in time order
                           60 %            80 %      100 %

Time decides the split, since a random one would test on the neighbours of the beats learnt from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from dsp.segmenter import WINDOW_SAMPLES
from model.identifier import SMALLEST_PROBABILITY
from model.passport import Calibration, Passport, TensorSpec, file_sha256
from model.tensor import NORMALISATION, normalise
from model.training.architecture import KerasModel, classifier
from model.training.augment import augment
from model.training.calibrate import fit_logistic
from model.training.datasets import BatchSampler, Beats
from model.training.errors import TooLittleData
from model.training.evaluate import STRETCHES, percent
from model.training.export import check_agreement, run_tflite, to_tflite, write_model
from model.training.group_figures import accuracy, macro_average, person_figures
from model.training.metrics import Trials, error_rates
from model.training.reference import write_reference
from model.training.study import Plan, Progress
from model.training.train import OneCycle

LEARNT, CALIBRATED = 0.6, 0.8  # where in time the training and the calibration end
LEAST_BEATS = 60  # good beats of a person, so that 12 each remain to calibrate and to test with
MISSED = 0.05  # part of its own persons' decisions that the threshold for `unknown` may refuse
BATCH_BEATS = 64
MEAN = "mean of all"  # what the row of macro averages is called

PROTOCOL = (
    "each person's good beats split by time: the first 60 % to train, the next 20 % to calibrate, "
    "the last 20 % to test; single beats; persons outside the group are not part of this figure"
)


def train_classifier(beats: Beats, plan: Plan, folder: Path, progress: Progress) -> Passport:
    """Train, test, calibrate and write a classifier with its passport.

    Args:
        beats: of the group, each person's in time order.
        plan: what to make; its folds do not matter.
        folder: where NAME.tflite, .json and .reference.npz go.
        progress: told of the training.

    Raises:
        TooLittleData: somebody has too few good beats, or there are not two persons.
        ConversionFailed: the TFLite model does not compute what Keras does.
    """
    beats = _usable(beats, plan)
    learn, held_out, test = split_by_time(beats)
    network = _fit(learn, plan, progress("Group", plan.recipe.steps))
    converted = to_tflite(network, learn.windows_mv)
    outputs = run_tflite(converted, test.windows_mv)
    agreement = check_agreement(outputs, _predict(network, test))
    calibration = _calibrate(run_tflite(converted, held_out.windows_mv), held_out)
    model_path = write_model(converted, folder, plan.name)
    write_reference(network, beats, folder, plan.name)
    confusion = confusion_matrix(outputs, test)
    passport = Passport(
        name=plan.name,
        kind="classifier",
        sha256=file_sha256(model_path),
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        front_end=plan.front_end,
        tensors=TensorSpec(WINDOW_SAMPLES, NORMALISATION, len(beats.names), beats.names),
        calibration=calibration,
        cohort=None,
        training=_training(beats, plan),
        metrics={
            "protocol": PROTOCOL,
            "unit": "percent",
            "accuracy": percent(accuracy(confusion)),
            "persons": _each_person(confusion, beats.names),
            "confusion": confusion.tolist(),
            "tflite_cosine_with_keras": agreement,
        },
    )
    passport.save(model_path)
    return passport


def _usable(beats: Beats, plan: Plan) -> Beats:
    """Return the group's good beats.

    Raises:
        TooLittleData: there are too few of them.
    """
    beats = beats.of(set(beats.names) - set(plan.leave_out))
    good = beats.where(beats.good)
    if len(beats.names) < 2:
        raise TooLittleData("a classifier needs a group of 2 persons or more")
    amounts = {name: int((good.persons == name).sum()) for name in beats.names}
    if too_few := {name: beats for name, beats in amounts.items() if beats < LEAST_BEATS}:
        listed = ", ".join(f"{name} has {beats}" for name, beats in too_few.items())
        raise TooLittleData(
            f"{listed} good beats, and {LEAST_BEATS} are needed of each person: "
            "record a minute and a half of each, or leave the person out"
        )
    return good


def split_by_time(beats: Beats) -> tuple[Beats, Beats, Beats]:
    """Return the beats to learn from, to calibrate with and to test with."""
    part = np.empty(len(beats))
    for name in beats.names:
        mine = beats.persons == name
        part[mine] = np.arange(mine.sum()) / mine.sum()
    learn, test = part < LEARNT, part >= CALIBRATED
    return beats.where(learn), beats.where(~learn & ~test), beats.where(test)


def confusion_matrix(outputs: NDArray[np.float32], beats: Beats) -> NDArray[np.int64]:
    """Count beats by person (rows) and by the label with the highest output (columns)."""
    confusion = np.zeros((len(beats.names), len(beats.names)), dtype=np.int64)
    np.add.at(confusion, (_labels(beats), outputs.argmax(axis=1)), 1)
    return confusion


def _fit(beats: Beats, plan: Plan, on_step: Callable[[], None]) -> KerasModel:
    """Train on balanced batches of augmented beats."""
    keras.utils.set_random_seed(plan.seed)
    rng = np.random.default_rng(plan.seed)
    sampler = BatchSampler(beats, len(beats.names), max(2, BATCH_BEATS // len(beats.names)), rng)

    def batches() -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
        for _ in range(plan.recipe.steps):
            groups_mv, labels = sampler.draw()
            yield augment(groups_mv, rng)[..., None], labels

    network = classifier(len(beats.names))
    rate = OneCycle(plan.recipe.peak_rate, plan.recipe.steps)
    network.compile(
        keras.optimizers.AdamW(rate, weight_decay=plan.recipe.weight_decay),
        "sparse_categorical_crossentropy",
    )
    each_step = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: on_step())
    network.fit(
        batches(),
        steps_per_epoch=plan.recipe.steps,
        shuffle=False,
        verbose=0,
        callbacks=[each_step],
    )
    return network


def _predict(network: KerasModel, beats: Beats) -> NDArray[np.float32]:
    windows = normalise(beats.windows_mv)[..., None]
    outputs: NDArray[np.float32] = network.predict(windows, verbose=0)
    return outputs


def _calibrate(outputs: NDArray[np.float32], beats: Beats) -> Calibration:
    """Set the threshold of each number of beats so that it refuses few of the group's own.

    The wrong labels' scores stand for false matches, in the logistic and in the rate that the
    passport states: how strangers score cannot be known from the group alone.
    """
    trials = [_trials(outputs, beats, stretch) for stretch in STRETCHES]
    thresholds = [float(np.quantile(each.scores[each.mated], MISSED)) for each in trials]
    logistics = [fit_logistic(each.scores, each.mated) for each in trials]
    return Calibration(
        fmr=max(error_rates(*pair)[0] for pair in zip(trials, thresholds, strict=True)),
        thresholds=tuple(thresholds),
        slopes=tuple(slope for slope, _ in logistics),
        intercepts=tuple(intercept for _, intercept in logistics),
    )


def _trials(outputs: NDArray[np.float32], beats: Beats, stretch: int) -> Trials:
    """Score every stretch of consecutive beats of a person for every label."""
    evidence = np.log(np.maximum(outputs, SMALLEST_PROBABILITY))
    scores, persons = [], []
    for label, name in enumerate(beats.names):
        mine = evidence[beats.persons == name]
        stretches = sliding_window_view(mine, stretch, axis=0).mean(axis=-1)
        scores.append(stretches)
        persons += [label] * len(stretches)
    matrix = np.concatenate(scores).astype(np.float64)
    probe_at, label_of = np.indices(matrix.shape).reshape(2, -1)
    return Trials(matrix.ravel(), label_of, np.array(persons)[probe_at], np.ones(matrix.size))


def _each_person(confusion: NDArray[np.int64], names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return everybody's precision, recall, F1 and specificity in percent, and their means."""
    persons = person_figures(confusion)
    rows = zip((*names, MEAN), (*persons, macro_average(persons)), strict=True)
    return {
        name: {figure: percent(part) for figure, part in asdict(row).items()} for name, row in rows
    }


def _labels(beats: Beats) -> NDArray[np.int64]:
    return np.searchsorted(np.array(beats.names), beats.persons)


def _training(beats: Beats, plan: Plan) -> dict[str, Any]:
    return plan.provenance | {
        "persons": list(beats.names),
        "good_beats": len(beats),
        "seed": plan.seed,
        "recipe": asdict(plan.recipe),
    }
