"""``qrsd explain``: which part of the beat carried a decision."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from config.folders import gallery_path
from daemon.commands.parts import writing
from daemon.commands.records import A_RECORD
from daemon.offline.drawing_extra import require_matplotlib
from daemon.offline.errors import EmbedderNeeded
from daemon.offline.explaining import (
    Question,
    about_itself,
    about_labels,
    about_people,
    about_recording,
)
from daemon.offline.hearing import hear
from daemon.offline.recognition import open_network, open_with_people
from model.explanation import MASK_MS, REGIONS, TIME_MS, Explanation, explain
from model.network import Network
from model.template import Template

EXPLAIN = """\
Show which part of the beat carried the decision: 40 ms of each good beat at a time are laid flat on
the line between its waves, and what the score loses by it is put down to them.

The score is the likeness to the person that the recording was taken for, or came nearest to, or
was said to be; where nobody is enrolled, the likeness of each beat to all the others.

The waves are named by the place where they lie at rest, counted from the R peak. A part below 0
speaks against the person.

examples:
  qrsd explain monday.csv --person Ada --picture why.png
  qrsd explain ecg-id/Person_01/rec_2 --against ecg-id/Person_01/rec_1 --picture why.png"""


def add_parsers(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "explain",
        help="show which part of the beat carried the decision",
        description=EXPLAIN,
        epilog=A_RECORD,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("record", metavar="RECORD")
    whom = parser.add_mutually_exclusive_group()
    whom.add_argument("--person", metavar="NAME", help="why it is, or is not, this one")
    whom.add_argument("--against", metavar="RECORD", help="why it is whoever that one is of")
    add(
        "--gallery",
        type=Path,
        default=gallery_path(),
        metavar="PATH",
        help="file of enrolled people (default: %(default)s)",
    )
    add("--model", type=Path, metavar="PATH", help="another .tflite than qrsd's own")
    add("--signal", default="0", metavar="NAME|NUMBER", help="of the records (default: 0)")
    add("--mains", type=int, choices=(50, 60), default=50, help="grid frequency in Hz (50)")
    add("--picture", type=Path, metavar="FILE.png", help="draw the beat and its parts")
    add("--json", type=Path, metavar="FILE", help="write all figures")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask, print and write."""
    if args.picture:
        require_matplotlib()
    templates: list[Template] = []
    if args.against:
        network = open_network(args.model)
    else:
        network, templates = open_with_people(args.model, args.gallery)
    question = _question(args, network, templates)
    with Progress(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("Hiding parts of beats", total=len(question.beats))
        explanation = explain(
            network.run, question.beats, question.scores, partial(bars.advance, task)
        )
    title = f"{args.record} against {question.against}"
    Console().print(table(explanation, title))
    _write(args, title, explanation, figures(args, network, question, explanation))
    return 0


def _question(
    args: argparse.Namespace, network: Network, templates: Sequence[Template]
) -> Question:
    """Return what the beats are asked.

    Raises:
        EmbedderNeeded: two recordings are to be compared by a classifier.
        RecordingError: a recording cannot be read.
        TooFewBeats: there are not enough good beats.
        PersonUnknown: the model does not know the person.
    """
    hear_one: Callable[[str], Any] = partial(hear, signal=args.signal, mains_hz=args.mains)
    cohort = network.passport.cohort
    if cohort is None:
        if args.against:
            raise EmbedderNeeded(
                f"model {network.passport.name!r} knows only the group it was trained on; "
                "--against takes an embedder, such as the model that comes with qrsd"
            )
        return about_labels(hear_one(args.record), network, args.person)
    if args.against:
        return about_recording(hear_one(args.record), network, cohort, hear_one(args.against))
    if templates or args.person:
        return about_people(hear_one(args.record), network, cohort, templates, args.person)
    return about_itself(hear_one(args.record), network, cohort)


def table(explanation: Explanation, title: str) -> Table:
    """Return the parts of the beat, with their share of what spoke for the person."""
    caption = f"score {explanation.score:.2f}, the mean over {explanation.beats} good beats"
    parts = Table(title=title, caption=caption)
    parts.add_column("part")
    for heading in ("from R, ms", "share", f"score lost by {MASK_MS:.0f} ms hidden"):
        parts.add_column(heading, justify="right")
    for region in REGIONS:
        parts.add_row(
            region.name,
            f"{region.from_ms:.0f} to {region.to_ms:.0f}",
            f"{explanation.share(region):.0%}",
            f"{explanation.inside(region).mean():.2f}",
        )
    return parts


def figures(
    args: argparse.Namespace, network: Network, question: Question, explanation: Explanation
) -> dict[str, Any]:
    """Return everything, for JSON."""
    return {
        "record": args.record,
        "against": question.against,
        "model_sha256": network.passport.sha256,
        "score": explanation.score,
        "beats": explanation.beats,
        "mask_ms": MASK_MS,
        "regions": [
            {
                "name": region.name,
                "from_ms": region.from_ms,
                "to_ms": region.to_ms,
                "share": explanation.share(region),
                "score_lost": float(explanation.inside(region).mean()),
            }
            for region in REGIONS
        ],
        "time_ms": TIME_MS.tolist(),
        "beat": explanation.beat.tolist(),
        "score_lost": explanation.importance.tolist(),
    }


def _write(
    args: argparse.Namespace, title: str, explanation: Explanation, everything: dict[str, Any]
) -> None:
    if args.json:
        with writing(args.json):
            args.json.write_text(json.dumps(everything, indent=1) + "\n")
    if args.picture:
        from daemon.offline.explanation_picture import draw

        with writing(args.picture):
            draw(explanation, title, args.picture)
