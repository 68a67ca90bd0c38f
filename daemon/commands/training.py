"""``qrsd train``: make a model from recordings, and judge it on people that it never saw."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from daemon.commands.parts import at_least, require_out, stage_bars, writing
from daemon.offline.confusion_picture import draw
from daemon.offline.drawing_extra import require_matplotlib
from daemon.offline.hearing import hear_all
from daemon.offline.lead_views import find_twelve_leads, hear_views
from daemon.offline.training_data import find_records, gather_beats
from daemon.offline.training_extra import require_tensorflow
from daemon.recordings.errors import RecordingError
from dsp.front_end import FrontEnd

if TYPE_CHECKING:
    from model.training.datasets import Beats
    from model.training.study import Plan
    from model.training.study import Progress as StageBar

GROUP_STEPS = 800
GROUP_HEADINGS = ("precision %", "recall %", "F1 %", "specificity %")
NO_STRANGERS = "How strangers fare is not known: give it some with --strangers"
HEADINGS = (
    "beats",
    "EER %",
    "FMR % at FNMR 5 %",
    "rank-1 %",
    "EER % across days",
    "FMR / FNMR % at the set threshold",
)

TRAIN = """\
Make a model from recordings, and judge it on people that it never saw.

Each DATA is a folder that holds, for each person, a folder of WFDB records or a .csv file of raw
ADC codes. The beats are cut by the signal chain of the service. Writes NAME.tflite, its passport
NAME.json and NAME.cohort.npy, and prints how well it knows people again who were not in its
training: persons are split into folds, and each fold is judged by a network trained on the others.

With --classifier: a network for a fixed group, for people who never change. Split by time: the last
beats of each test what was learnt from the first. Give it --strangers, the more the better, or it
cannot know what somebody else's heart looks like. Interrupted, the same command goes on.

examples:
  qrsd train ecg-id --out models/ --licence "ODC-By 1.0" --cite "Lugovaya 2005"
  qrsd train ecg-id --leads ludb --out models/
  qrsd train --classifier family/ --strangers ecg-id/ --out models/ --name family"""


def add_parsers(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "train",
        help=TRAIN.splitlines()[0].rstrip("."),
        description=TRAIN,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("data", nargs="+", type=Path, metavar="DATA")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write")
    parser.add_argument("--name", default="heart", help="of the model (default: %(default)s)")
    parser.add_argument("--classifier", action="store_true", help="a network for a fixed group")
    parser.add_argument("--seed", type=int, default=1, help="of all chance (default: %(default)s)")
    parser.add_argument(
        "--folds",
        type=at_least(2),
        default=3,
        metavar="K",
        help="for the evaluation (default: 3)",
    )
    parser.add_argument(
        "--steps",
        type=at_least(1),
        metavar="N",
        help="batches to learn from (default: 1600; of a fixed group 800)",
    )
    parser.add_argument(
        "--leave-out", nargs="+", default=[], metavar="PERSON", help="neither train nor evaluate"
    )
    parser.add_argument(
        "--leads",
        type=Path,
        metavar="DATA",
        help="records of 12 leads, one of each person, to learn from what other electrodes see",
    )
    parser.add_argument("--signal", default="0", help="which signal of each record (default: 0)")
    parser.add_argument("--mains", type=int, choices=(50, 60), default=50, help="grid, Hz (50)")
    parser.add_argument("--licence", default="not stated", help="of the data, for the passport")
    parser.add_argument(
        "--cite", nargs="+", default=[], metavar="SOURCE", help="of the data, for the passport"
    )
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
    require_out(args.out)
    require_tensorflow()
    make = _classifier if args.classifier else _embedder
    bars = stage_bars()
    with bars:
        beats = _hear(args.data, args, bars)
        tables = make(beats, args, bars)
    Console().print(*tables)
    print(f"Written: {args.out / args.name}.tflite, with its passport beside it")
    return 0


def _hear(
    data: Sequence[Path], args: argparse.Namespace, bars: Progress, stage: str = "Listening"
) -> Beats:
    """Run every record through the signal chain."""
    records = find_records(data)
    heard = []
    on_record = _stage(bars, stage, len(records))
    for outcome in hear_all([record.path for record in records], args.signal, args.mains):
        if isinstance(outcome, RecordingError):
            raise outcome
        heard.append(outcome)
        on_record()
    return gather_beats(records, heard)


def _hear_views(data: Path, mains_hz: int, stage: StageBar) -> Beats:
    """Run every record of 12 leads through the signal chain as other electrodes see the heart."""
    paths = find_twelve_leads(data)
    heard = []
    on_record = stage("Looking from all sides", len(paths))
    for outcome in hear_views(paths, mains_hz):
        if isinstance(outcome, RecordingError):
            raise outcome
        heard += outcome
        on_record()
    return gather_beats(*zip(*heard, strict=True))


def _stage(bars: Progress, name: str, steps: int) -> Callable[[], None]:
    """Add a bar and return what moves it on by one step."""
    return partial(bars.advance, bars.add_task(name, total=steps))


def _plan(args: argparse.Namespace) -> Plan:
    from model.training.study import Plan
    from model.training.train import Recipe

    steps = args.steps or (GROUP_STEPS if args.classifier else Recipe().steps)
    return Plan(
        name=args.name,
        recipe=Recipe(steps=steps),
        folds=args.folds,
        seed=args.seed,
        leave_out=tuple(args.leave_out),
        provenance={
            "data": [place.name for place in (*args.data, *([args.leads] if args.leads else []))],
            "licence": args.licence,
            "citations": args.cite,
        },
        front_end=FrontEnd.description(),
    )


def _embedder(beats: Beats, args: argparse.Namespace, bars: Progress) -> list[Table]:
    """Make a network for people yet to be enrolled; return its evaluation."""
    from model.training.study import study

    stage = partial(_stage, bars)
    views = _hear_views(args.leads, args.mains, stage) if args.leads else None
    metrics = study(beats, _plan(args), args.out, stage, views).metrics
    table = Table(title="People it never saw", caption=metrics["protocol"])
    for heading in HEADINGS:
        table.add_column(heading, justify="right")
    for stretch, figures in metrics["by_beats"].items():
        days = figures["across_days"]
        table.add_row(
            stretch,
            _rate(figures["eer"]),
            f"{figures['fmr_at_fnmr_5']:.2f}",
            f"{figures['rank_1']:.1f} of {figures['rank_1_of']}",
            f"{_rate(days['eer'])}\n{days['persons']} persons" if days else "not measured",
            "{fmr:.2f} / {fnmr:.2f}".format(**figures["at_thresholds_of_other_folds"]),
        )
    return [table]


def _rate(rate: dict[str, Any]) -> str:
    low, high = rate["interval_95"]
    return f"{rate['percent']:.2f}\n{low:.2f} to {high:.2f}"


def _classifier(beats: Beats, args: argparse.Namespace, bars: Progress) -> list[Table]:
    """Make a network for a fixed group; return its evaluation."""
    from model.training.classifier import Group, train_classifier

    strangers = _hear(args.strangers, args, bars, "Strangers") if args.strangers else None
    group = Group(beats, strangers, args.network or "ours", args.random_split)
    metrics = train_classifier(group, _plan(args), args.out, partial(_stage, bars)).metrics
    if args.picture:
        with writing(args.picture):
            draw(metrics, args.picture)
    return [_confusion(metrics), _persons(metrics["persons"]), _open_set(metrics["open_set"])]


def _confusion(metrics: dict[str, Any]) -> Table:
    table = Table(
        title=f"Test beats: {metrics['accuracy']:.2f} % right",
        caption=metrics["protocol"],
    )
    counts = metrics["confusion"]
    for heading in ("", "heart of \\ taken for", *range(1, len(counts) + 1)):
        table.add_column(str(heading), justify="right")
    for number, (name, row) in enumerate(zip(metrics["persons"], counts, strict=False), start=1):
        table.add_row(str(number), name, *map(str, row))
    return table


def _persons(persons: dict[str, dict[str, float]]) -> Table:
    table = Table()
    for heading in ("", *GROUP_HEADINGS):
        table.add_column(heading, justify="right")
    for name, figures in persons.items():
        table.add_row(name, *(f"{part:.1f}" for part in figures.values()))
    return table


def _open_set(open_set: dict[str, Any]) -> Table:
    """Return how the model's `unknown` works."""
    title = f"{open_set['strangers']} strangers" if open_set["strangers"] else NO_STRANGERS
    table = Table(title=title, caption=open_set["protocol"])
    for heading in ("beats", "members missed, FNIR %", "strangers accepted, FPIR %"):
        table.add_column(heading, justify="right")
    for beats, figures in open_set["by_beats"].items():
        fpir = figures["fpir"]
        accepted = "not measured" if fpir is None else f"{fpir:.2f}"
        table.add_row(beats, f"{figures['fnir']:.2f}", accepted)
    return table
