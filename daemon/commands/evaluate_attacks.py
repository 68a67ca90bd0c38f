"""``qrsd evaluate attacks``: how much of what can be played into the wires is told."""

from __future__ import annotations

import argparse
import json
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from daemon.commands.parts import at_least, stage_bars, writing
from daemon.offline.hearing import side_by_side
from daemon.offline.training_data import find_records
from daemon.recordings.errors import RecordingNotFound
from model.identifier import IdentifierOptions

if TYPE_CHECKING:
    from benchmarks.attacks.trial import Presentation

PAGE_WIDTH = 140  # where nobody says how wide the page is

ATTACKS = """\
Measure how much of what can be played into the wires is told from a heart (ISO/IEC 30107-3).

Each DATA holds a folder of WFDB records or a .csv file for each person. Each person is enrolled by
the first recording and comes again with the others; of the second are made the attacks: a beat, a
few or all of them over and over, the mean beat drawn at a fixed and at a varied rate, with and
without noise added, a sine, a flat line, and the recording itself, played once. All goes through
the chip's steps and noise, the service's own signal chain, its check and its decision. People on
whom the check's thresholds were set (ECG-ID's Person_01 to Person_45) are left out.

APCER is what part of an attack's sessions passes for alive; APNRR, what part gives no beats at all;
BPCER, what part of the genuine sessions is taken for an attack. `accepted` is what the attacker
wants: to be taken for the victim, at the end or at any moment until the attack was told. A loop
is told eight beats into its second turn: with more --min-beats, less is accepted until then.
`enrolled` is what part of the sessions somebody would be enrolled by.

example:
  qrsd evaluate attacks ecg-id --json attacks.json --table attacks.md"""


def add_parser(what: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of ``qrsd evaluate``."""
    parser = what.add_parser(
        "attacks",
        help=ATTACKS.splitlines()[0].rstrip("."),
        description=ATTACKS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("data", nargs="+", type=Path, metavar="DATA")
    add("--mains", type=int, choices=(50, 60), default=50, help="grid, Hz (50)")
    add(
        "--min-beats",
        type=_decided_from,
        default=IdentifierOptions(),
        metavar="N",
        dest="options",
        help="good beats before the first decision, as identifier.min_beats (5)",
    )
    add("--json", type=Path, metavar="FILE", help="write all figures")
    add("--table", type=Path, metavar="FILE.md", help="write the table as Markdown")
    add(
        "--jobs",
        type=at_least(1),
        default=len(os.sched_getaffinity(0)),
        metavar="N",
        help="persons at a time (default: one for each core)",
    )
    parser.set_defaults(run=run)


def _decided_from(text: str) -> IdentifierOptions:
    """Read a number of beats, for argparse."""
    beats = int(text)
    try:
        return IdentifierOptions(beats, max(beats, IdentifierOptions().max_beats))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def run(args: argparse.Namespace) -> int:
    """Attack, print and write."""
    from benchmarks.attacks.figures import figures, markdown, table

    for file in filter(None, (args.json, args.table)):
        with writing(file):
            file.touch()  # rather now than after minutes of work
    measured: dict[str, Any] = figures(_attack_all(args))
    measured["min_beats"] = args.options.min_beats
    measured["data"] = [place.name for place in args.data]
    terminal = Console()
    page = terminal if terminal.is_terminal else Console(width=PAGE_WIDTH)
    page.print(table(measured))
    if args.json:
        with writing(args.json):
            args.json.write_text(json.dumps(measured, indent=1) + "\n")
    if args.table:
        with writing(args.table):
            args.table.write_text(markdown(measured))
    return 0


def _attack_all(args: argparse.Namespace) -> dict[str, list[Presentation]]:
    """Return what became of each person's sessions."""
    from benchmarks.attacks.trial import attack, thresholds_were_set_on

    paths: dict[str, list[str]] = {}
    for record in find_records(args.data):
        if not thresholds_were_set_on(record.person):
            paths.setdefault(record.person, []).append(record.path)
    if not paths:
        raise RecordingNotFound(
            "all of these people are left out, since the check's thresholds were set on them: "
            "give others"
        )
    work = partial(attack, paths=paths, mains_hz=args.mains, options=args.options)
    with stage_bars() as bars:
        outcomes = side_by_side(work, list(paths), args.jobs)
        tracked = bars.track(outcomes, total=len(paths), description="Attacking")
        return dict(zip(paths, tracked, strict=True))
