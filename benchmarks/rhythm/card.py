"""The card of beat kinds and rhythm: what it is for, what it is not, and how often it errs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from benchmarks.report import markdown
from benchmarks.rhythm.report import (
    CHALLENGE_HEADINGS,
    FOUND,
    challenge_rows,
    confusion_rows,
    episode_headings,
    episode_rows,
    figure_rows,
    record_headings,
    record_rows,
    view_headings,
    view_rows,
)
from model.beat_passport import BeatPassport
from model.rhythm import CAUTION

INTENDED = f"""\
A network that says of each heartbeat of one lead which kind it is, in the classes of AAMI EC57 (N
as usual, S early and from above the ventricles, V of the ventricles, F a fusion of both), and
rules that find pauses, fast and slow rates, couplets and runs of V, bigeminy, trigeminy and atrial
fibrillation in these and their intervals. A beat that noise has spoilt is Q, and begins no
episode.

It is **{CAUTION}**."""

METHOD = """\
Every figure comes from the service's own chain: recordings turned into the converter's codes, the
online signal chain and its own R peaks, the network in the service's runtime, and the tracker of
the rhythm, from a cold start with a wearer that it knows nothing of. Each beat that experts marked
is paired with one found within 150 ms (ANSI/AAMI EC57): missed and invented beats count. Left out
are records of pacemakers (102, 104, 107, 217 of MIT-BIH) and ventricular flutter. Escape beats (e,
j) count as N, or as S. F and Q that are called V, and Q called S, do not count against +P, as EC57
has it. Specificity is of the N that are given a class. 5 s: a strip is abnormal if it holds an S,
V or F. In brackets: 95 % intervals from drawing records with replacement. Where one record holds
more than half of all beats of a class, figures without it are beside those with it.

An episode is met if one of its kind overlaps it, and false if it overlaps none. Pauses, couplets,
runs and rates follow from the beats that experts marked; the other rhythms were marked by them."""

LIMITS = """\
- It is relative to the wearer: a paced rhythm or a bundle branch block that is always there passes
  for normal. Flutter with a steady block is regular, and not found.
- Fusion beats are few people's in every public set: their figures say little.
- One lead and adults. What a beat looks like through other electrodes was not measured.
- A record that the network has learnt from tells how well it learnt; those of other patients
  count."""

LEARNT = """\
The network has learnt from a data set of this name. Where these are the same patients, the figures
say how well it has learnt, not how well it tells strangers."""

FITTED = """\
Records of one person each, of 9 to 61 s; one with too few beats to tell counts as not called
fibrillation. What tells it was fitted to four of five people with a regular rhythm (N) or
fibrillation (A), chosen by the records' names; the others are those who are tested."""


def card(figures: dict[str, Any], shipped: BeatPassport, command: str) -> str:
    """Return the card in Markdown; ``command`` is what measured the figures."""
    return "\n\n".join(_sections(figures, shipped, command)) + "\n"


def _sections(figures: dict[str, Any], shipped: BeatPassport, command: str) -> Iterable[str]:
    yield f"# Beat kinds and rhythm: {shipped.name}"
    yield "Written by `qrsd evaluate rhythm`; edit the command, not this file."
    yield f"## What it is for, and what not\n\n{INTENDED}"
    training = shipped.training
    patients = training.get("patients", {})
    yield (
        "## Data\n\n- trained on: "
        f"{', '.join(f'{name} ({count} patients)' for name, count in patients.items())}\n"
        f"- licence: {training.get('licence', 'not stated')}\n"
        f"- sources: {'; '.join(training.get('citations', [])) or 'not stated'}\n"
        f"- evaluated on: {', '.join(figures['data'])}"
    )
    yield f"## How it was measured\n\n{METHOD}"
    yield from _cross_validated(shipped)
    for name, of in figures["data"].items():
        yield f"## {name}"
        if name in patients:
            yield LEARNT
        yield from _fibrillation(of["fibrillation"]) if "fibrillation" in of else _annotated(of)
    yield f"## Limits\n\n{LIMITS}"
    yield f"## To reproduce\n\n```\n{command}\n```"


def _cross_validated(shipped: BeatPassport) -> Iterable[str]:
    """Yield the figures of the training, on patients that each network had not seen."""
    architecture = shipped.training.get("architecture")
    groups = shipped.metrics.get("by_architecture", {}).get(architecture, {})
    names = list(dict.fromkeys(name for figures in groups.values() for name in figures))
    rows = (
        (name.replace("_", " "), *(_of_seeds(figures.get(name)) for figures in groups.values()))
        for name in names
    )
    if groups:
        table = markdown(
            ["percent: all seeds together (least to most of single ones)", *groups], rows
        )
        protocol = shipped.metrics["protocol"]
        yield f"## On patients that were not learnt from\n\nProtocol: {protocol}.\n\n{table}"


def _of_seeds(spread: list[float] | None) -> str:
    if spread is None:
        return "-"
    mean, least, most = spread
    return f"{mean:.1f} ({least:.1f} to {most:.1f})"


def _annotated(of: dict[str, Any]) -> Iterable[str]:
    first = of["beats"]["views"][0]
    left_out = f"; left out: {', '.join(of['left_out'])}" if of["left_out"] else ""
    yield f"{len(of['records'])} records, {first['hours']} hours{left_out}."
    yield "Beats by experts (rows) and as found:\n\n" + markdown(
        ["", *FOUND], confusion_rows(first)
    )
    yield markdown(["all records, e and j as N", ""], figure_rows(first))
    yield markdown(view_headings(), view_rows(of["beats"]))
    yield markdown(record_headings(), record_rows(of["beats"]))
    for view in of["episodes"]["views"]:
        table = markdown(episode_headings(), episode_rows(view))
        yield f"Episodes from {view['from_s']:.0f} s on, {view['hours']} hours:\n\n{table}"


def _fibrillation(measured: dict[str, Any]) -> Iterable[str]:
    yield FITTED
    yield markdown(CHALLENGE_HEADINGS, challenge_rows(measured))
