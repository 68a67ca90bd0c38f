"""``qrsd evaluate``; ``identity``: how well people are known again whom the network never saw."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from rich.console import Console
from rich.progress import Progress

from daemon.commands import evaluate_attacks, evaluate_renewal
from daemon.commands.parts import at_least, stage_bars
from daemon.errors import ResultsNotWritable
from daemon.offline.drawing_extra import require_matplotlib
from daemon.offline.hearing import hear_all
from daemon.offline.lead_views import find_twelve_leads, hear_views
from daemon.offline.recognition import DEFAULT_MODEL
from daemon.offline.training_data import find_records, gather_beats
from daemon.offline.training_extra import require_tensorflow
from daemon.recordings.errors import RecordingError
from model.passport import Passport

if TYPE_CHECKING:
    from benchmarks.identity.angles import Side
    from benchmarks.identity.plan import People
    from model.training.datasets import Beats

PAGE_WIDTH = 130  # where nobody says how wide the page is

Outcome = TypeVar("Outcome")

IDENTITY = """\
Measure how well people are known again whom the network never saw (ISO/IEC 19795-1).

Each DATA holds a folder of WFDB records or a .csv file for each person. Persons are split into
folds; each fold is enrolled and probed through the service's own signal chain, model runtime,
gallery and identifier, with a network that was trained on the others. Everything is done again
for each seed, and pooled. With --leads, other electrodes are measured too: hearts of 12 leads, seen
from angles of up to 60 degrees away.

example:
  qrsd evaluate identity ecg-id --leads ludb --json figures.json --pictures pictures/"""


def add_parsers(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    parser = subparsers.add_parser(
        "evaluate", help="measure how well people are known again, and attacks told"
    )
    what = parser.add_subparsers(required=True, metavar="WHAT")
    identity = what.add_parser(
        "identity",
        help=IDENTITY.splitlines()[0].rstrip("."),
        description=IDENTITY,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = identity.add_argument
    add("data", nargs="+", type=Path, metavar="DATA")
    add("--leads", type=Path, metavar="FOLDER", help="records of 12 leads, one of each person")
    add(
        "--folds",
        type=at_least(2),
        default=3,
        metavar="K",
        help="groups of persons (default: 3)",
    )
    add("--seeds", type=at_least(1), default=3, metavar="N", help="repetitions (default: 3)")
    add(
        "--steps",
        type=at_least(1),
        metavar="N",
        help="of each training (default: as qrsd train)",
    )
    add("--mains", type=int, choices=(50, 60), default=50, help="grid, Hz (50)")
    add("--json", type=Path, metavar="FILE", help="write all figures")
    add("--pictures", type=Path, metavar="DIR", help="draw them")
    add("--card", type=Path, metavar="FILE.md", help="write the model card")
    add(
        "--jobs",
        type=at_least(1),
        default=len(os.sched_getaffinity(0)),
        metavar="N",
        help="trainings at a time (default: one for each core)",
    )
    identity.set_defaults(run=run)
    evaluate_attacks.add_parser(what)
    evaluate_renewal.add_parser(what)


def run(args: argparse.Namespace) -> int:
    """Evaluate, print and write."""
    from benchmarks.identity.report import tables

    _require_places(args)
    require_tensorflow()
    if args.pictures:
        require_matplotlib()
    bars = stage_bars()
    with bars:
        figures = _measure(args, bars)
    terminal = Console()
    page = terminal if terminal.is_terminal else Console(width=PAGE_WIDTH)
    for table in tables(figures):
        page.print(table)
    _write(figures, args)
    return 0


def _require_places(args: argparse.Namespace) -> None:
    """Find out that a result has no folder before the work, and not after minutes of it."""
    for file in (args.json, args.card):
        if file and not file.parent.is_dir():
            raise ResultsNotWritable(f"{file}: {file.parent} is not a folder; make it first")


def _measure(args: argparse.Namespace, bars: Progress) -> dict[str, Any]:
    from benchmarks.identity.figures import figures
    from benchmarks.identity.plan import plan_folds
    from benchmarks.identity.work import evaluate
    from model.training.evaluate import REPORTED
    from model.training.train import Recipe

    steps = args.steps or Recipe().steps
    people = _hear_people(args, bars)
    views, sides = _hear_leads(args, bars) if args.leads else (None, [])
    with TemporaryDirectory(prefix="qrsd-evaluate-") as folder:
        jobs = plan_folds(
            people,
            folds=args.folds,
            seeds=args.seeds,
            steps=steps,
            folder=Path(folder),
            views=views,
            sides=sides,
        )
        folds = evaluate(list(jobs), args.jobs, partial(_stage, bars))
    on_figure = _each(bars, "Drawing persons for the intervals", len(REPORTED) + 2)
    measured = figures(folds, on_figure)
    measured["steps"] = steps
    measured["data"] = [place.name for place in (*args.data, *([args.leads] if args.leads else []))]
    measured["random_split"] = _split_at_random(people.beats, args.seeds, bars)
    return measured


def _hear_people(args: argparse.Namespace, bars: Progress) -> People:
    """Run every record through the signal chain."""
    from benchmarks.identity.plan import People

    records = find_records(args.data)
    outcomes = hear_all([record.path for record in records], "0", args.mains, args.jobs)
    return People.of(records, _heard(outcomes, _each(bars, "Listening", len(records))))


def _hear_leads(args: argparse.Namespace, bars: Progress) -> tuple[Beats, list[Side]]:
    """Hear every heart of 12 leads from many sides, to train with, and from known angles."""
    from benchmarks.identity.angles import hear_sides

    paths = find_twelve_leads(args.leads)
    on_views = _each(bars, "Looking from all sides", len(paths))
    views = [view for heart in _heard(hear_views(paths, args.mains), on_views) for view in heart]
    on_sides = _each(bars, "Looking from known angles", len(paths))
    sides = [
        side
        for heart in _heard(hear_sides(paths, args.mains, args.jobs), on_sides)
        for side in heart
    ]
    return gather_beats(*zip(*views, strict=True)), sides


def _heard(
    outcomes: Iterable[Outcome | RecordingError], on_record: Callable[[], None]
) -> list[Outcome]:
    heard = []
    for outcome in outcomes:
        if isinstance(outcome, RecordingError):
            raise outcome
        heard.append(outcome)
        on_record()
    return heard


def _split_at_random(beats: Beats, seeds: int, bars: Progress) -> dict[str, Any]:
    """Return the mean over the seeds."""
    from benchmarks.identity.random_split import random_split

    on_seed = _each(bars, "Splitting beats at random", seeds)
    splits = []
    for seed in range(1, seeds + 1):
        splits.append(random_split(beats, seed))
        on_seed()
    return {name: float(np.mean([split[name] for split in splits])) for name in splits[0]}


def _stage(bars: Progress, name: str, steps: int) -> Callable[[int], None]:
    """Add a bar and return what moves it to a place."""
    task = bars.add_task(name, total=steps)
    return lambda done: bars.update(task, completed=done)


def _each(bars: Progress, name: str, steps: int) -> Callable[[], None]:
    """Add a bar and return what moves it on by one step."""
    return partial(bars.advance, bars.add_task(name, total=steps))


def _write(figures: dict[str, Any], args: argparse.Namespace) -> None:
    from benchmarks.identity.card import card
    from benchmarks.identity.picture import draw

    try:
        if args.json:
            args.json.write_text(json.dumps(figures, indent=1) + "\n")
        if args.pictures:
            draw(figures, args.pictures)
        if args.card:
            text = card(figures, Passport.load(DEFAULT_MODEL), _command(args))
            args.card.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ResultsNotWritable(
            f"{error.filename}: {error.strerror}; choose another place"
        ) from error


def _command(args: argparse.Namespace) -> str:
    """Return how to measure this again, wherever the data lie."""
    leads = f" --leads {args.leads.name}" if args.leads else ""
    steps = f" --steps {args.steps}" if args.steps else ""
    data = " ".join(place.name for place in args.data)
    repeated = f"--folds {args.folds} --seeds {args.seeds}"
    return f"qrsd evaluate identity {data}{leads} {repeated}{steps} --card {args.card.name}"
