"""``qrsd explain``: which part of the beat carried a decision."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from config.folders import gallery_path
from daemon.commands.parts import A_RECORD, add_gallery, add_json, add_mains, add_model, describe
from daemon.commands.records import Outcomes, add_reading
from daemon.offline.analysis import analyse
from daemon.offline.drawing import require_matplotlib
from daemon.offline.explaining import comparison_for, figures
from daemon.offline.recognition import open_with_people
from daemon.offline.results import hand_out, private_file
from daemon.tables import filled
from model.explanation import MASK_MS, REGIONS, Explanation, explain
from model.opening import open_network
from model.template import Template

EXPLAIN = """\
40 ms of each good beat at a time are replaced by the beat's median, the line between its waves, and
what the score loses by it is put down to them.

The score is the likeness to the person that the recording was taken for, or came nearest to, or
was said to be; where nobody is enrolled, the likeness of each beat to all the others.

The waves are named by the place where they lie at rest, counted from the R peak. A part below 0
speaks against the person.

examples:
  qrsd explain monday.csv --person Ada --picture why.png
  qrsd explain ecg-id/Person_01/rec_2 --against ecg-id/Person_01/rec_1 --picture why.png"""


def add_explain(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd explain``."""
    describe(parser, EXPLAIN)
    parser.epilog = A_RECORD
    add = parser.add_argument
    add("record", metavar="RECORD")
    whom = parser.add_mutually_exclusive_group()
    whom.add_argument("--person", metavar="NAME", help="why it is, or is not, this one")
    whom.add_argument("--against", metavar="RECORD", help="why it is whoever that one is of")
    add_gallery(parser)
    add_model(parser)
    add_reading(parser)
    add_mains(parser)
    add("--picture", type=Path, metavar="FILE.png", help="draw the beat and its parts")
    add_json(parser)
    parser.set_defaults(run=run, jobs=1)


def run(args: argparse.Namespace) -> int:
    """Explain a decision in a table and, if asked for, a picture and figures."""
    if args.picture:
        require_matplotlib()
    templates: list[Template] = []
    ours = args.gallery == gallery_path()
    alone = ours and not (args.person or args.gallery.exists())
    if args.against or alone:
        network = open_network(args.model)
    else:
        network, templates = open_with_people(args.model, args.gallery)
    args.records = [args.record, args.against] if args.against else [args.record]
    outcomes = Outcomes(args, analyse)
    analyses = list(outcomes)
    if outcomes.exit_code:
        return outcomes.exit_code
    comparison = comparison_for(analyses[0], network, templates, args.person, *analyses[1:])
    with Progress(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("Hiding parts of beats", total=len(comparison.beats))
        explanation = explain(
            network.run, comparison.beats, comparison.scores, partial(bars.advance, task)
        )
    title = f"{args.record} against {comparison.against}"
    model = network.passport.sha256
    asked = {"record": args.record, "against": comparison.against, "model_sha256": model}
    hand_out({**asked, **figures(explanation)}, [table(explanation, title)], args.json)
    if args.picture:
        from daemon.offline.explanation_picture import draw

        with private_file(args.picture):
            draw(explanation, title, args.picture)
    return 0


def table(explanation: Explanation, title: str) -> Table:
    """Return the parts of the beat, with their share of what spoke for the person."""
    rows = (
        (
            region.name,
            f"{region.from_ms:.0f} to {region.to_ms:.0f}",
            f"{explanation.share(region):.0%}",
            f"{explanation.inside(region).mean():.2f}",
        )
        for region in REGIONS
    )
    headings = ("part", "from R, ms", "share", f"score lost by {MASK_MS:.0f} ms hidden")
    caption = f"score {explanation.score:.2f}, the mean over {explanation.beats} good beats"
    return filled(title, headings, rows, caption)
