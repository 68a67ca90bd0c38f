"""The whole study: fold models judged on persons they never saw, then the one for everybody.

persons --> K folds --> K networks, each judged on the fold it was not trained on
                           `--> figures and calibration, pooled over the folds
        `------------> the network that ships, trained on all, with its cohort
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import keras
import numpy as np
from numpy.typing import NDArray

from dsp.segmenter import WINDOW_SAMPLES
from model.error_rates import equal_error_rate, percent
from model.passport import Cohort, Passport, TensorSpec, file_sha256
from model.scores import unit
from model.tensor import NORMALISATION
from model.training.architecture import EMBEDDING, KerasModel
from model.training.calibrate import transferred_rates
from model.training.datasets import NOBODY_ELSE, Beats, Others, person_folds
from model.training.errors import TooLittleData, UnknownPerson
from model.training.evaluate import (
    PROTOCOL,
    REPORTED,
    STRETCHES,
    Comparison,
    can_enrol,
    cohort_templates,
    compare,
    figures,
)
from model.training.export import check_agreement, run_tflite, to_tflite, write_model
from model.training.reference import write_reference
from model.training.searches import Setting, calibrate_for_galleries, halve
from model.training.train import Recipe, embed, train_embedder

LEAST_PERSONS = 2  # in each fold: one to know again and one to take for another

#: Told of a stage of the work and its number of steps; returns what to call after each step.
Progress: TypeAlias = Callable[[str, int], Callable[[], None]]


@dataclass(frozen=True, slots=True, eq=False)
class FoldResult:
    """One fold's network on the persons that it never saw, by number of beats."""

    converted: list[Comparison]  # comparisons by the TFLite model, one for each of STRETCHES
    original: list[Comparison]  # the same by Keras, one for each of REPORTED
    setting: Setting  # the persons and the cohort, to calibrate with


#: Does the work on each fold, given by its persons, elsewhere.
Share: TypeAlias = Callable[
    [Callable[[Sequence[str]], FoldResult], Sequence[Sequence[str]]], Iterable[FoldResult]
]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be made."""

    name: str  # of the model and its files
    recipe: Recipe  # how each network is trained
    folds: int  # into how many groups the persons are split for the evaluation
    seed: int  # of everything that is drawn
    leave_out: tuple[str, ...]  # persons who are neither trained on nor evaluated with
    provenance: dict[str, Any]  # data, licence and citations, for the passport
    front_end: dict[str, Any]  # ``FrontEnd.description()`` of the chain that cut the beats
    others: Others = NOBODY_ELSE  # to train every network with as well; nobody of them is judged

    def __post_init__(self) -> None:
        if self.folds < 2:
            raise ValueError(f"folds: {self.folds} is not 2 or more")


def study(
    beats: Beats, plan: Plan, folder: Path, progress: Progress, share: Share | None = None
) -> Passport:
    """Train, evaluate, calibrate and write a model with its passport and cohort.

    Args:
        beats: of all persons.
        plan: what to make.
        folder: where NAME.tflite, .json, .cohort.npy and .reference.npz go.
        progress: told of each stage.
        share: who trains and judges the folds; None to do it here, one after the other.

    Raises:
        TooLittleData: there are not enough persons who can be enrolled and probed.
        UnknownPerson: somebody is to be left out who is not there.
        ConversionFailed: the TFLite model does not compute what Keras does.
    """
    beats = _usable(beats, plan)
    folds = person_folds(beats.names, plan.folds, plan.seed)
    results = []
    if share is None:
        for number, held_out in enumerate(folds, start=1):
            stage = progress(f"Fold {number} of {plan.folds}", plan.recipe.steps)
            results.append(_fold(held_out, beats, plan, stage))
    else:
        stage = progress("Folds", plan.folds)
        for result in share(partial(_fold, beats=beats, plan=plan), folds):
            results.append(result)
            stage()
    keras.utils.clear_session()  # names of its tensors do not count the networks made before it
    stage = progress("All persons", plan.recipe.steps)
    network = train_embedder(beats, plan.recipe, plan.seed, stage, plan.others)
    return _make_model(beats, network, results, plan, folder)


def _usable(beats: Beats, plan: Plan) -> Beats:
    """Leave out whom the plan leaves out, and whoever has no good beat in the earliest record.

    Raises:
        UnknownPerson: somebody is to be left out who is not there.
        TooLittleData: a fold would have nobody to enrol and probe.
    """
    if strangers := set(plan.leave_out) - set(beats.names):
        raise UnknownPerson(
            f"{', '.join(sorted(strangers))} cannot be left out: the data are of "
            f"{', '.join(beats.names)}"
        )
    beats = beats.of(set(beats.names) - set(plan.leave_out))
    beats = beats.of([name for name in beats.names if can_enrol(beats, name)])
    if len(beats.names) < plan.folds * LEAST_PERSONS:
        raise TooLittleData(
            f"the data hold {len(beats.names)} persons with good beats; {plan.folds} folds need "
            f"{plan.folds * LEAST_PERSONS} or more"
        )
    for held_out in person_folds(beats.names, plan.folds, plan.seed):
        if not any(_can_probe(beats, person) for person in held_out):
            raise TooLittleData(
                f"none of {', '.join(held_out)}, who are one fold of {plan.folds}, has "
                f"{STRETCHES[-1]} good beats in a second record; record more, or use fewer folds"
            )
    return beats


def _can_probe(beats: Beats, person: str) -> bool:
    return any(
        beats.good[beats.records == record].sum() >= STRETCHES[-1]
        for record in beats.records_of(person)[1:]
    )


def _fold(
    held_out: Sequence[str], beats: Beats, plan: Plan, on_step: Callable[[], None] = lambda: None
) -> FoldResult:
    """Judge some persons by a network that was trained on the others."""
    known = beats.of(set(beats.names) - set(held_out))
    network = train_embedder(known, plan.recipe, plan.seed, on_step, plan.others)
    return _judge_fold(known, beats.of(held_out), network, plan.others)


def _judge_fold(known: Beats, unseen: Beats, network: KerasModel, others: Others) -> FoldResult:
    """Compare persons that the network was not trained on, before conversion and after."""
    converted = to_tflite(network, known.where(known.good).windows_mv)
    run, run_original = partial(_run, converted), partial(embed, network)
    embeddings, original = run(unseen.windows_mv), run_original(unseen.windows_mv)
    cohort, original_cohort = (
        cohort_templates(known, others, each) for each in (run, run_original)
    )
    return FoldResult(
        [compare(unseen, embeddings, cohort, stretch) for stretch in STRETCHES],
        [compare(unseen, original, original_cohort, stretch) for stretch in REPORTED],
        (halve(unseen, embeddings), cohort),
    )


def _run(model: bytes, windows_mv: NDArray[np.float64]) -> NDArray[np.float32]:
    return unit(run_tflite(model, windows_mv))


def _make_model(
    beats: Beats,
    network: KerasModel,
    results: Sequence[FoldResult],
    plan: Plan,
    folder: Path,
) -> Passport:
    """Write the network that was trained on everybody as model, with cohort and passport."""
    converted = to_tflite(network, beats.where(beats.good).windows_mv)
    run = partial(_run, converted)
    agreement = check_agreement(run(beats.windows_mv), embed(network, beats.windows_mv))
    model_path = write_model(converted, folder, plan.name)
    write_reference(network, beats, folder, plan.name)
    cohort = cohort_templates(beats, plan.others, run)
    devices = [[(halve(each, run(each.windows_mv)), cohort)] for each in plan.others.setters]
    devices.append([result.setting for result in results])
    pairs = [pooled.trials for pooled in _pooled(results)]
    passport = Passport(
        name=plan.name,
        kind="embedder",
        sha256=file_sha256(model_path),
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        front_end=plan.front_end,
        tensors=TensorSpec(WINDOW_SAMPLES, NORMALISATION, EMBEDDING),
        calibration=calibrate_for_galleries(pairs, devices, plan.seed),
        cohort=Cohort.write(folder / f"{plan.name}.cohort.npy", cohort),
        training=_training(beats, plan),
        metrics=_metrics(results) | {"tflite_cosine_with_keras": agreement},
    )
    passport.save(model_path)
    return passport


def _training(beats: Beats, plan: Plan) -> dict[str, Any]:
    return (
        plan.provenance
        | plan.others.description()
        | {
            "persons": list(beats.names),
            "never_seen": list(plan.leave_out),
            "records": len(np.unique(beats.records)),
            "good_beats": int(beats.good.sum()),
            "seed": plan.seed,
            "folds": plan.folds,
            "recipe": asdict(plan.recipe),
        }
    )


def _pooled(results: Sequence[FoldResult]) -> list[Comparison]:
    return [
        Comparison.pool([fold.converted[at] for fold in results]) for at in range(len(STRETCHES))
    ]


def _metrics(results: Sequence[FoldResult]) -> dict[str, Any]:
    """Return the figures by number of beats, with what conversion and new persons cost."""
    pooled = _pooled(results)
    by_beats = {}
    for reported, stretch in enumerate(REPORTED):
        at = STRETCHES.index(stretch)
        folds = [fold.converted[at].trials for fold in results]
        fmr, fnmr = transferred_rates(folds)
        original = Comparison.pool([fold.original[reported] for fold in results])
        by_beats[str(stretch)] = figures(pooled[at]) | {
            "eer_before_conversion": percent(equal_error_rate(original.trials)),
            "at_thresholds_of_other_folds": {"fmr": percent(fmr), "fnmr": percent(fnmr)},
        }
    return {"protocol": PROTOCOL, "unit": "percent", "by_beats": by_beats}
