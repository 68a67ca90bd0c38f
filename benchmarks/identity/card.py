"""The model card: what the model is, for whom it is not, and the figures as they were measured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from benchmarks.identity.report import (
    ANGLE_HEADINGS,
    DEVICE_HEADINGS,
    MOMENTS,
    curve_headings,
    rows_by_angle,
    rows_by_beats,
    rows_by_device,
    rows_identifier,
    rows_of_curve,
)
from benchmarks.report import markdown
from daemon.tables import interval
from model.passport import Passport

INTENDED = """\
A network that turns one heartbeat of one lead (250 Hz, 0.28 s before the R peak to 0.42 s after
it) into numbers that are alike for beats of one person. People are enrolled with a few dozen
beats and need no training. It is meant to tell apart the few people who share a device, in a
household or a laboratory.

It is **not** meant as the only key to anything of value, for forensic use, for people who were not
asked, or for any medical purpose. It says nothing of anybody's health."""

METHOD = """\
Every figure comes from the service's own chain: recordings turned into the converter's 24-bit
codes, the online signal chain and its own R peaks, the converted model in the service's runtime,
enrolment, gallery and identifier. Terms are those of ISO/IEC 19795-1. Nobody who is judged was
trained on: persons are split into folds, and each fold is judged by a network trained on the
others. Enrolled is the earliest record with all its good beats; probed are the later ones.
Thresholds and probabilities come from the other folds of the same seed. In brackets: 95 %
intervals from drawing persons with replacement, each with all folds and seeds.

FTE: part of the persons whose enrolment is refused, or who have too few good beats. FTA: part of
the probe records with fewer good beats than the decision needs. FPIR: part of strangers' probes
accepted as one of six enrolled persons; FNIR: part of enrolled persons' probes not accepted as
themselves; both over many draws of six."""

DEVICES = """\
Ten beats, at the thresholds of the identifier's default settings. Of one-record sets the first
half is enrolled and the second probed; people who are named here are in no training and set no
threshold. Of records of half an hour a minute is enrolled, and one a quarter of an hour later is
probed; nothing was learned from any of these records."""

CURVE = """\
Ten beats, one seed: networks that learned from fewer persons of the first device (on average over
the folds), or from fewer of other devices, measured on the same unseen people as those that learned
from all. `own` is the first device. Where no other device was learned from, it is left out whole:
its row says what a network does on a device that it never saw."""

ANGLES = """\
Hearts of 12 leads, turned into a vectorcardiogram by the inverse Dower matrix (Edenbrandt & Pahlm
1988) and seen from directions at an angle to lead I. Lead I of the record's first half is enrolled
(mean of its good beats: half a record is too short for the service's own enrolment), the second
half is probed. The second fitting is 30 degrees from lead I, at a random side. Hearts that are
judged were in no training."""

LIMITS = """\
- The persons are few, and of one laboratory: see the intervals.
- At rest only. Motion and other electrodes make it err far more (by angle: see above).
- Beats with flaws do not count, so that the figures are those of usable signal (FTA says how much).
- Heart diseases, pacemakers and children are not in the evaluation."""


def card(figures: dict[str, Any], shipped: Passport, command: str) -> str:
    """Return the shipped model's card in Markdown; ``command`` is what measured the figures."""
    return "\n\n".join(_sections(figures, shipped, command)) + "\n"


def _sections(figures: dict[str, Any], shipped: Passport, command: str) -> Iterable[str]:
    yield f"# Model card: {shipped.name}"
    yield "Written by `qrsd evaluate identity`; edit the command, not this file."
    yield f"## What it is for, and what not\n\n{INTENDED}"
    training = shipped.training
    yield (
        f"## Data\n\n- trained on: {', '.join(training.get('data', []))}, "
        f"{len(training.get('persons', []))} persons, "
        f"{sum(training.get('persons_of_other_devices', []))} of other devices, "
        f"{training.get('hearts_of_12_leads', 0)} hearts of 12 leads\n"
        f"- licence: {training.get('licence', 'not stated')}\n"
        f"- sources: {'; '.join(training.get('citations', [])) or 'not stated'}\n"
        f"- evaluated on: {', '.join(figures['data'])}"
    )
    yield f"## How it was measured\n\n{METHOD}"
    yield (
        f"{figures['persons']} persons, {figures['folds']} folds, {figures['seeds']} seed(s), "
        f"{figures['steps']} steps of training, run by {figures['runtime']}."
    )
    beats = [f"beats: {beats}" for beats in figures["by_beats"]]
    yield "## Figures\n\n" + markdown(["", *beats], rows_by_beats(figures))
    yield (
        f"FTE {interval(figures['fte'])} %. Pairs of single beats from different records: "
        f"{interval(figures['beat_pairs']['accuracy'])} % right."
    )
    yield from _decision(figures)
    if figures["by_device"]:
        table = markdown(DEVICE_HEADINGS, rows_by_device(figures["by_device"]))
        yield f"## Other devices\n\n{DEVICES}\n\n{table}"
    if points := figures["learning_curve"]:
        table = markdown(curve_headings(points), rows_of_curve(points))
        yield f"## Learning curve\n\n{CURVE}\n\n{table}"
    if figures["by_angle"]:
        table = markdown(ANGLE_HEADINGS, rows_by_angle(figures["by_angle"]))
        yield f"## Other electrodes\n\n{ANGLES}\n\n{table}"
    yield _calibration(figures["by_beats"])
    split = figures["random_split"]
    yield (
        "## Comparable with the literature, says nothing of other days\n\n"
        "Six persons, the reference 1D-CNN with a softmax: "
        f"{split['random_beats']:.2f} % of beats right when beats are split at random (80/20), "
        f"{split['by_record']:.2f} % when the earliest record is trained on and later ones tested."
    )
    yield f"## Limits\n\n{LIMITS}"
    yield f"## To reproduce\n\n```\n{command}\n```"


def _decision(figures: dict[str, Any]) -> Iterable[str]:
    seconds = figures["identifier"]["seconds_to_decision"]
    table = markdown(MOMENTS, rows_identifier(figures))
    yield f"## The identifier's own decision\n\n{table}"
    yield (
        f"First decision after {seconds['median']} s (median; 95 % within {seconds['p95']} s), "
        "counted from the record's start."
    )


def _calibration(by_beats: dict[str, Any]) -> str:
    """Return the stated and the observed probabilities of the most beats."""
    beats, of = list(by_beats.items())[-1]
    calibration = of["calibration"]
    pairs = zip(calibration["stated"], calibration["observed"], strict=True)
    table = markdown(
        ["stated probability", "part that was the same person"],
        ((f"{stated:.3f}", f"{observed:.3f}") for stated, observed in pairs),
    )
    return f"## Calibration, {beats} beats\n\n{table}"
