"""``qrsd train``: make a model from recordings, and judge it on people that it never saw."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import Progress
from rich.table import Table

from benchmarks.apart import packed, run_packed, unpacked
from benchmarks.cluster import add_dask, workers
from benchmarks.report import stage, stage_bars
from benchmarks.training.extra import require_tensorflow
from benchmarks.training.marked_beats import gather_marked
from benchmarks.training.others import add_others, data_names, gather_others
from benchmarks.training.records import analyse_people, gather_beats
from benchmarks.training.report import (
    classifier_tables,
    draw_confusion,
    embedder_table,
    kind_table,
)
from daemon.commands.parts import add_mains, at_least, describe
from daemon.offline.analysis import Workers
from daemon.offline.drawing import require_matplotlib
from daemon.offline.results import make_folder, show, writing
from dsp.front_end import FrontEnd
from model.training.datasets import NOBODY_ELSE, Beats, Others

if TYPE_CHECKING:
    from model.training.study import FoldResult, Plan

GROUP_STEPS = 800
SEEDS = 3  # that each network of beat kinds is trained with

TRAIN = """\
Each DATA is a folder that holds, for each person, a folder of WFDB records or a .csv file of raw
ADC codes. The beats are cut by the signal chain of the service. Writes NAME.tflite, its passport
NAME.json and NAME.cohort.npy, and prints how well it knows people again who were not in its
training: persons are split into folds, and each fold is judged by a network trained on the others.

With --classifier: a network for a fixed group, for people who never change. Split by time: the last
beats of each test what was learnt from the first. Give it --strangers, the more the better, or it
cannot know what somebody else's heart looks like. Interrupted, the same command goes on.

With --beats: a network that tells normal beats, ectopic ones of the atria and of the ventricles,
and fusion beats. DATA are WFDB records with reference beats (.atr), and recordings of healthy
people, all of whose beats are normal. Four networks are compared on patients they never saw; the
best is made.

examples:
  qrsd train ecg-id --out models/ --licence "ODC-By 1.0" --cite "Lugovaya 2005"
  qrsd train ecg-id --leads ludb --also cinc2017 svdb --out models/
  qrsd train --beats mitdb svdb ludb ecg-id cinc2017 --out models/ --name beat_kinds
  qrsd train --classifier family/ --strangers ecg-id/ --out models/ --name family"""


def add_train(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd train``."""
    describe(parser, TRAIN)
    parser.add_argument("data", nargs="+", type=Path, metavar="DATA")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write")
    parser.add_argument("--name", default="heart", help="of the model (default: %(default)s)")
    made = parser.add_mutually_exclusive_group()
    made.add_argument("--classifier", action="store_true", help="a network for a fixed group")
    made.add_argument("--beats", action="store_true", help="a network for the kinds of beats")
    parser.add_argument("--seed", type=int, default=1, help="of chance (default: %(default)s)")
    parser.add_argument(
        "--folds", type=at_least(2), default=3, metavar="K", help="for the evaluation (default: 3)"
    )
    parser.add_argument(
        "--steps",
        type=at_least(1),
        metavar="N",
        help="batches to learn from (default: 1600; of a fixed group 800); with --beats epochs (8)",
    )
    parser.add_argument(
        "--leave-out", nargs="+", default=[], metavar="PERSON", help="neither train nor evaluate"
    )
    add_others(parser)
    parser.add_argument(
        "--signal",
        default="0",
        metavar="NAME|NUMBER",
        help="which signal of each record: its name, or its number from 0 (default: 0)",
    )
    add_mains(parser)
    parser.add_argument("--licence", default="not stated", help="of the data, for the passport")
    parser.add_argument(
        "--cite", nargs="+", default=[], metavar="SOURCE", help="of the data, for the passport"
    )
    add_dask(parser)
    _add_group_options(parser)
    parser.set_defaults(run=run, usage_error=parser.error)


def _add_group_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("with --classifier")
    group.add_argument(
        "--strangers",
        nargs="+",
        type=Path,
        metavar="DATA",
        help="recordings of other people, such as `qrsd data fetch ecg-id` gets",
    )
    group.add_argument(
        "--network",
        choices=("ours", "reference"),
        help="ours, or the reference 1D-CNN (default: ours)",
    )
    group.add_argument(
        "--random-split",
        action="store_true",
        help="test with beats beside those learnt from: only to compare with others' figures",
    )
    group.add_argument("--picture", type=Path, metavar="FILE.png", help="draw the confusion matrix")


def run(args: argparse.Namespace) -> int:
    """Train, write the model and print its evaluation."""
    if not args.classifier and (
        args.strangers or args.network or args.random_split or args.picture
    ):
        args.usage_error("--strangers, --network, --random-split and --picture need --classifier")
    if args.picture:
        require_matplotlib()
    make_folder(args.out)
    require_tensorflow()
    make = _kinds if args.beats else _classifier if args.classifier else _embedder
    with workers(args.dask) as jobs, stage_bars() as bars:
        tables = make(args, bars, jobs)
    show(tables)
    print(f"Written: {args.out / args.name}.tflite, with its passport beside it")
    return 0


def _beats(data: Sequence[Path], args: argparse.Namespace, bars: Progress, jobs: Workers) -> Beats:
    heard = analyse_people(data, bars, signal=args.signal, mains_hz=args.mains, jobs=jobs)
    return gather_beats(*heard)


def _plan(args: argparse.Namespace, others: Others = NOBODY_ELSE) -> Plan:
    from model.training.study import Plan
    from model.training.train import Recipe

    steps = args.steps or (GROUP_STEPS if args.classifier else Recipe().steps)
    return Plan(
        name=args.name,
        recipe=Recipe(steps=steps),
        folds=args.folds,
        seed=args.seed,
        leave_out=tuple(args.leave_out),
        provenance=_provenance(args),
        front_end=FrontEnd.description(),
        others=others,
    )


def _provenance(args: argparse.Namespace) -> dict[str, Any]:
    return {"data": data_names(args), "licence": args.licence, "citations": args.cite}


def _embedder(args: argparse.Namespace, bars: Progress, jobs: Workers) -> list[Table]:
    """Make a network for people yet to be enrolled; return its evaluation."""
    from model.training.study import study

    beats = _beats(args.data, args, bars, jobs)
    plan = _plan(args, gather_others(args, bars, jobs))
    share = partial(_share, jobs) if isinstance(jobs, Executor) else None
    outcome = study(beats, plan, args.out, partial(stage, bars), share)
    return [embedder_table(outcome.metrics)]


def _share(
    executor: Executor,
    work: Callable[[Sequence[str]], FoldResult],
    folds: Sequence[Sequence[str]],
) -> Iterator[FoldResult]:
    outcomes = executor.map(run_packed, [packed(work, fold) for fold in folds])
    yield from map(unpacked, outcomes)


def _classifier(args: argparse.Namespace, bars: Progress, jobs: Workers) -> list[Table]:
    """Make a network for a fixed group; return its evaluation."""
    from model.training.classifier import Group, train_classifier

    beats = _beats(args.data, args, bars, jobs)
    strangers = _beats(args.strangers, args, bars, jobs) if args.strangers else None
    group = Group(beats, strangers, args.network or "ours", args.random_split)
    metrics = train_classifier(group, _plan(args), args.out, partial(stage, bars)).metrics
    if args.picture:
        with writing(args.picture):
            draw_confusion(metrics, args.picture)
    return classifier_tables(metrics)


def _kinds(args: argparse.Namespace, bars: Progress, jobs: Workers) -> list[Table]:
    """Make a network for the kinds of beats; return how the four that were tried compare."""
    from model.training.kind_fit import KindRecipe
    from model.training.kind_study import KindPlan, study_kinds

    recipe = KindRecipe(epochs=args.steps) if args.steps else KindRecipe()
    seeds = tuple(range(args.seed, args.seed + SEEDS))
    plan = KindPlan(args.name, recipe, args.folds, seeds, _provenance(args), FrontEnd.description())
    beats = gather_marked(args.data, bars, jobs)
    passport = study_kinds(beats, plan, args.out, partial(stage, bars))
    return [kind_table(passport.metrics)]
