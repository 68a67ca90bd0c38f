"""``qrsd evaluate model``: how well a model knows people of one's own; a checkout has more."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from config.settings import load
from daemon.commands.enroll import RECORD_BEATS
from daemon.commands.parts import (
    A_RECORD,
    Subparsers,
    add_jobs,
    add_json,
    add_mains,
    add_model,
    add_part,
    at_least,
    model_of,
)
from daemon.commands.records import Outcomes, add_reading
from daemon.offline.analysis import analyse
from daemon.offline.drawing import require_matplotlib
from daemon.offline.evaluation import OwnPeople, Sitting, sitting
from daemon.offline.evaluation_figures import OPTIMISTIC, figures, tables
from daemon.offline.results import hand_out, private_file, require_files
from daemon.recordings.person_folders import find_records
from daemon.terminal import plain
from model.network import Network
from model.opening import open_network

MODEL = """\
Measure how well a model knows people of your own (ISO/IEC 19795-1). It needs no training.

A FOLDER holds a folder of recordings, or a .csv file, for each person. Everybody is enrolled by the
first recording and comes again with the others: in the order of the days that WFDB headers state,
else of the names. With further FOLDERs of the same people, such as one in motion, the first
recording of the first FOLDER is enrolled, and each FOLDER is told apart.

Whoever has a single recording is enrolled by its first half, which is optimistic: that nobody took
the electrodes off between makes it easier.

examples:
  qrsd evaluate model ecg-id --json figures.json --picture figures.png
  qrsd evaluate model rest walk squats --enrolled 4"""


def add_evaluate(parser: argparse.ArgumentParser) -> Subparsers:
    """Add the command that an installed qrsd has, and return where others may be added."""
    parts = parser.add_subparsers(required=True, metavar="WHAT")
    model = add_part(parts, "model", MODEL)
    model.epilog = A_RECORD
    add = model.add_argument
    add("data", nargs="+", type=Path, metavar="FOLDER")
    add(
        "--enrolled",
        type=at_least(1),
        default=6,
        metavar="N",
        help="of the people at a time; the others are strangers (default: 6, or all but one)",
    )
    add_model(model)
    add_reading(model)
    add_mains(model)
    add_jobs(model)
    add_json(model)
    add("--picture", type=Path, metavar="FILE.png", help="draw DET curves and confusion matrix")
    model.set_defaults(run=run_model)
    return parts


def run_model(args: argparse.Namespace) -> int:
    """Measure, print and write."""
    require_files(args.json, args.picture)
    if args.picture:
        require_matplotlib()
    settings = load().settings
    network = open_network(model_of(args, settings))
    places = {
        record.path: (record.person, place.name)
        for place in args.data
        for record in find_records([place])
    }
    args.records = list(places)
    outcomes = Outcomes(args, analyse)
    sittings = [sitting(*places[each.path], each, network) for each in outcomes]
    people = OwnPeople(sittings, network, RECORD_BEATS, settings.identifier, settings.liveness)
    for said in _notes(people, sittings, network):
        print(f"note: {plain(said)}", file=sys.stderr)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task("Deciding", total=len(people.groups(args.enrolled)))
        passport = network.passport
        measured = figures(people, passport.calibration, args.enrolled, partial(bars.advance, task))
    asked = {"model": passport.name, "model_sha256": passport.sha256, "recordings": args.records}
    hand_out(asked | measured, tables(measured), args.json)
    if args.picture:
        from daemon.offline.evaluation_picture import draw

        with private_file(args.picture):
            draw(measured, args.picture)
    return outcomes.exit_code


def _notes(people: OwnPeople, sittings: list[Sitting], network: Network) -> Iterator[str]:
    """Say what the figures do not show: who was trained on, halved, not enrolled, upside down."""
    trained_on = {*people.names} & {*network.passport.training.get("persons", ())}
    if trained_on:
        yield (
            f"{len(trained_on)} people are called as people are whom the model has learned from; "
            "if they are these, all of it is optimistic"
        )
    if people.halved:
        yield f"a single recording of {', '.join(people.halved)}: {OPTIMISTIC}"
    for name, why in people.refused.items():
        yield f"{name} could not be enrolled, and counts as a stranger: {why}"
    for each in sittings:
        if each.upside_down:
            yield (
                f"{each.analysis.path}: seems to be upside down, as with the electrodes in each "
                "other's place; it counts as it is"
            )
