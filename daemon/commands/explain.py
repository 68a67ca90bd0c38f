"""``qrsd explain``: which part of the beat carried a decision."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from config.folders import gallery_path
from config.settings import load
from daemon.commands.parts import (
    A_RECORD,
    add_gallery,
    add_json,
    add_mains,
    add_model,
    describe,
    model_of,
)
from daemon.commands.records import Outcomes, add_reading
from daemon.offline.analysis import analyse
from daemon.offline.drawing import require_matplotlib
from daemon.offline.explaining import comparison_for, figures
from daemon.offline.explaining_kinds import explain_kinds
from daemon.offline.recognition import open_with_people
from daemon.offline.results import hand_out, private_file
from daemon.tables import filled
from model.beat_network import BeatNetwork
from model.explanation import MASK_MS, REGIONS, Explanation, explain
from model.kind_explanation import PARTS
from model.opening import open_network
from model.rhythm import CAUTION
from model.template import Template

EXPLAIN = """\
40 ms of each good beat at a time are replaced by the beat's median, the line between its waves, and
what the score loses by it is put down to them.

The score is the likeness to the person that the recording was taken for, or came nearest to, or
was said to be; where nobody is enrolled, the likeness of each beat to all the others.

With --kinds it is told instead what made beats S, V or F, as qrsd rhythm calls them: intervals,
waves and noise are put one at a time as if they were usual of the wearer, and what the log-odds of
an abnormal beat lose by it is put down to them.

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
    whom.add_argument("--kinds", action="store_true", help="why beats are not normal")
    add_gallery(parser)
    add_model(parser)
    add_reading(parser)
    add_mains(parser)
    add("--picture", type=Path, metavar="FILE.png", help="draw the beat and its parts")
    add_json(parser)
    parser.set_defaults(run=run, jobs=1, refuse=parser.error)


def run(args: argparse.Namespace) -> int:
    """Explain a decision in a table and, if asked for, a picture and figures."""
    if args.kinds:
        return _explain_kinds(args)
    if args.picture:
        require_matplotlib()
    templates: list[Template] = []
    ours = args.gallery == gallery_path()
    alone = ours and not (args.person or args.gallery.exists())
    model = model_of(args, load().settings)
    if args.against or alone:
        network = open_network(model)
    else:
        network, templates = open_with_people(model, args.gallery)
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
    sha256 = network.passport.sha256
    asked = {"record": args.record, "against": comparison.against, "model_sha256": sha256}
    hand_out({**asked, **figures(explanation)}, [table(explanation, title)], args.json)
    if args.picture:
        from daemon.offline.explanation_picture import draw

        with private_file(args.picture):
            draw(explanation, title, args.picture)
    return 0


def _explain_kinds(args: argparse.Namespace) -> int:
    if args.picture or args.model:
        args.refuse("--kinds takes neither --picture nor --model")
    args.records = [args.record]
    outcomes = Outcomes(args, analyse)
    network = BeatNetwork()
    for analysis in outcomes:
        kinds = explain_kinds(analysis.events, network)
        asked = {"record": args.record, "model_sha256": network.passport.sha256}
        told = asked | {"kinds": kinds, "caution": CAUTION}
        hand_out(told, [_kinds_table(kinds, args.record)], args.json)
    return outcomes.exit_code or outcomes.nothing_found


def _kinds_table(kinds: dict[str, Any], title: str) -> Table:
    rows = (
        (part.name, *(f"{of['ln_odds_lost'][part.name]:.1f}" for of in kinds.values()))
        for part in PARTS
    )
    headings = (f"{kind} ({of['beats']})" for kind, of in kinds.items())
    title = f"{title}: log-odds that beats lose by a part" if kinds else f"{title}: all are normal"
    return filled(title, ("put as usual", *headings), rows, CAUTION)


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
