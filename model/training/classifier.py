"""A fixed group: a softmax over its members and, if trained with strangers, one more label.

members --> split by time -----> network --> figures of the members' last beats
strangers -> split by person --/        `--> calibration, on beats between
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from dsp.segmenter import WINDOW_SAMPLES
from model.calibration import Calibration
from model.error_rates import percent
from model.identifier import SMALLEST_PROBABILITY
from model.passport import Passport, TensorSpec, file_sha256
from model.tensor import NORMALISATION, normalise
from model.training.architecture import KerasModel
from model.training.calibrate import fit_logistic
from model.training.datasets import Beats
from model.training.evaluate import REPORTED, STRETCHES
from model.training.export import check_agreement, run_tflite, to_tflite, write_model
from model.training.group_data import (
    Parts,
    split_at_random,
    split_by_person,
    split_by_time,
    usable_members,
    usable_strangers,
)
from model.training.group_figures import accuracy, macro_average, person_figures
from model.training.group_fit import Lesson, fit
from model.training.reference import write_reference
from model.training.study import Plan, Progress

MISSED = 0.05  # part of its own persons' decisions that the threshold for `unknown` may refuse
MEAN = "mean of all"  # what the row of macro averages is called

BY_TIME = (
    "each person's good beats split by time: the first 60 % to learn from, the next 20 % to "
    "calibrate with, the last 20 % to test with; single beats, told apart within the group"
)
AT_RANDOM = (
    "RANDOM SPLIT of beats, only to compare with others' figures: neighbours of the beats of the "
    "test were learnt from, so it says nothing of another day; 60 / 20 / 20 %, single beats"
)
OPEN_SET = (
    "threshold for 5 % of the group's own decisions in the calibration; FNIR: part of the test's "
    "decisions on members that are not them; FPIR: part of those on strangers, of whom nothing "
    "was learnt, that are somebody of the group"
)


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """What the network for a fixed group is made of."""

    beats: Beats  # of the members, each person's in time order
    #: beats of others, to tell from the members; None if there are none
    strangers: Beats | None = None
    network: Literal["ours", "reference"] = "ours"  # ``ours``, or the ``reference`` 1D-CNN
    random_split: bool = False  # split the members' beats at random instead of by time


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Mean log-probabilities of stretches of beats."""

    labels: NDArray[np.float64]  # of each member's label, shape (stretches, members)
    whose: NDArray[np.int64]  # the label that would be right, shape (stretches,); -1 for a stranger

    @property
    def own(self) -> NDArray[np.float64]:
        """The right labels' scores, of the members' stretches."""
        members = self.whose >= 0
        own: NDArray[np.float64] = self.labels[members, self.whose[members]]
        return own

    @property
    def false(self) -> NDArray[np.float64]:
        """Scores that must not be accepted: strangers' best, or the members' wrong labels."""
        strangers = self.whose < 0
        if strangers.any():
            best: NDArray[np.float64] = self.labels[strangers].max(axis=1)
            return best
        wrong: NDArray[np.float64] = self.labels[
            np.arange(self.labels.shape[1]) != self.whose[:, None]
        ]
        return wrong


def train_classifier(group: Group, plan: Plan, folder: Path, progress: Progress) -> Passport:
    """Train, test, calibrate and write a classifier with its passport.

    Args:
        group: whom to tell apart.
        plan: what to make; its folds do not matter.
        folder: where NAME.tflite, .json and .reference.npz go, and what is yet unfinished.
        progress: told of the training.

    Raises:
        TooLittleData: somebody has too few good beats, or there are too few persons.
        ConversionFailed: the TFLite model does not compute what Keras does.
    """
    beats = usable_members(group.beats, plan.leave_out)
    members = split_at_random(beats, plan.seed) if group.random_split else split_by_time(beats)
    strangers = split_by_person(_strangers(group, beats), plan.seed)
    lesson = Lesson(members.learn, strangers.learn, group.network, plan.recipe, plan.seed)
    network = fit(lesson, folder / f"{plan.name}.unfinished", progress)
    converted = to_tflite(network, members.learn.windows_mv)
    agreement = check_agreement(
        run_tflite(converted, members.test.windows_mv), _predict(network, members.test)
    )
    model_path = write_model(converted, folder, plan.name)
    write_reference(network, beats, folder, plan.name)
    calibration = _calibrate(
        [score(converted, members.calibrate, strangers.calibrate, beats) for beats in STRETCHES]
    )
    passport = Passport(
        name=plan.name,
        kind="classifier",
        sha256=file_sha256(model_path),
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        front_end=plan.front_end,
        tensors=TensorSpec(WINDOW_SAMPLES, NORMALISATION, lesson.outputs, beats.names),
        calibration=calibration,
        cohort=None,
        training=_training(beats, strangers, group, plan),
        metrics=_closed_set(converted, members.test, group.random_split)
        | {"open_set": _open_set(converted, members.test, strangers.test, calibration)}
        | {"tflite_cosine_with_keras": agreement},
    )
    passport.save(model_path)
    return passport


def _strangers(group: Group, members: Beats) -> Beats:
    """Return whom to tell the members from; no beats if nobody is given."""
    if group.strangers is None:
        return members.of(())
    return usable_strangers(group.strangers, members.names)


def _predict(network: KerasModel, beats: Beats) -> NDArray[np.float32]:
    windows = normalise(beats.windows_mv)[..., None]
    outputs: NDArray[np.float32] = network.predict(windows, verbose=0)
    return outputs


def score(model: bytes, members: Beats, strangers: Beats, stretch: int) -> Scores:
    """Score all stretches of so many consecutive beats of one person, as the identifier does."""
    labels, whose = [], []
    for beats, known in ((members, True), (strangers, False)):
        for label, name in enumerate(beats.names):
            outputs = run_tflite(model, beats.of([name]).windows_mv)[:, : len(members.names)]
            evidence = np.log(np.maximum(outputs, SMALLEST_PROBABILITY))
            labels.append(sliding_window_view(evidence, stretch, axis=0).mean(axis=-1))
            whose += [label if known else -1] * len(labels[-1])
    return Scores(np.concatenate(labels).astype(np.float64), np.array(whose))


def _calibrate(by_stretch: Sequence[Scores]) -> Calibration:
    """Set the threshold of each number of beats so that it refuses few of the group's own.

    Without strangers the wrong labels stand for them, in the logistic and in the rate that the
    passport states: how strangers score cannot be known from the group alone.
    """
    thresholds = [float(np.quantile(scores.own, MISSED)) for scores in by_stretch]
    logistics = [
        fit_logistic(
            np.concatenate([scores.own, scores.false]),
            np.arange(len(scores.own) + len(scores.false)) < len(scores.own),
        )
        for scores in by_stretch
    ]
    return Calibration(
        fmr=max(
            float((scores.false >= threshold).mean())
            for scores, threshold in zip(by_stretch, thresholds, strict=True)
        ),
        thresholds=tuple(thresholds),
        slopes=tuple(slope for slope, _ in logistics),
        intercepts=tuple(intercept for _, intercept in logistics),
    )


def _closed_set(model: bytes, test: Beats, random_split: bool) -> dict[str, Any]:
    """Return how well single beats are told apart within the group."""
    confusion = confusion_matrix(score(model, test, test.of(()), 1))
    return {
        "protocol": AT_RANDOM if random_split else BY_TIME,
        "unit": "percent",
        "accuracy": percent(accuracy(confusion)),
        "persons": _each_person(confusion, test.names),
        "confusion": confusion.tolist(),
    }


def confusion_matrix(scores: Scores) -> NDArray[np.int64]:
    """Count beats by person (rows) and by the label with the highest score (columns)."""
    confusion = np.zeros((scores.labels.shape[1],) * 2, dtype=np.int64)
    np.add.at(confusion, (scores.whose, scores.labels.argmax(axis=1)), 1)
    return confusion


def _each_person(confusion: NDArray[np.int64], names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return everybody's precision, recall, F1 and specificity in percent, and their means."""
    persons = person_figures(confusion)
    rows = zip((*names, MEAN), (*persons, macro_average(persons)), strict=True)
    return {
        name: {figure: percent(part) for figure, part in asdict(row).items()} for name, row in rows
    }


def _open_set(
    model: bytes, members: Beats, strangers: Beats, calibration: Calibration
) -> dict[str, Any]:
    """Return how often a member is missed and a stranger taken for one, by number of beats."""
    by_beats = {}
    for beats in REPORTED:
        scores = score(model, members, strangers, beats)
        accepted = scores.labels.max(axis=1) >= calibration.threshold(beats)
        known = scores.whose >= 0
        right = accepted & (scores.labels.argmax(axis=1) == scores.whose)
        by_beats[str(beats)] = {
            "fnir": percent(1 - right[known].mean()),
            "fpir": None if known.all() else percent(accepted[~known].mean()),
        }
    return {"protocol": OPEN_SET, "strangers": len(strangers.names), "by_beats": by_beats}


def _training(beats: Beats, strangers: Parts, group: Group, plan: Plan) -> dict[str, Any]:
    return plan.provenance | {
        "persons": list(beats.names),
        "strangers": len(strangers.learn.names),
        "good_beats": len(beats),
        "network": group.network,
        "random_split": group.random_split,
        "seed": plan.seed,
        "recipe": asdict(plan.recipe),
    }
