"""``qrsd doctor``: what is fine, and what to do about the rest."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from functools import partial

from rich.console import Console
from rich.table import Table
from rich.text import Text

from daemon.commands.connection import add_keys, read_keys
from daemon.commands.parts import describe
from daemon.commands.service import add_settings, loaded_by
from daemon.doctor.walk import Finding
from daemon.terminal import plain

DOCTOR = """\
Looks at settings, sockets, model and disk, at the Raspberry Pi, its SPI and who may use it, at the
chip with its registers and self tests, and for ten seconds at its samples: DRDY, losses,
electrodes, mains. A running service keeps the chip, and is asked instead. Nothing is changed.

fine      as it should be
note      it works, and this is worth knowing
wrong     does not work, and what to do
skipped   could not be looked at, or need not be

The exit code is 0 if nothing is wrong, else 1.

examples:
  sudo -u qrsd qrsd doctor
  qrsd doctor --simulated
  qrsd doctor --json | jq '.findings[] | select(.verdict == "wrong") | .says'"""

STYLES = {"fine": "green", "note": "yellow", "wrong": "bold red", "skipped": "dim"}
WIDEST_NAME = 22


def add_doctor(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd doctor``."""
    describe(parser, DOCTOR)
    add_settings(parser)
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    add_keys(parser.add_argument_group("a running service whose every address asks for a key"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check, and print what is found."""
    from daemon.doctor.checks import CHECKS
    from daemon.doctor.visit import Visit
    from daemon.doctor.walk import walk

    visit = Visit(partial(loaded_by, args), read_keys=partial(read_keys, args))
    with visit.resources:
        findings = list(walk(CHECKS, visit) if args.json else _printed(walk(CHECKS, visit)))
    counts = Counter[str](finding.verdict for finding in findings)
    if args.json:
        print(json.dumps({"simulated": visit.simulated, "findings": list(map(asdict, findings))}))
    else:
        source = "SIMULATED, no real chip was looked at: " if visit.simulated else ""
        print(source + ", ".join(f"{counts[verdict]} {verdict}" for verdict in STYLES))
    return 1 if counts["wrong"] else 0


def _printed(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Print each finding as soon as it is there, since the last ones take half a minute."""
    console = Console()
    for finding in findings:
        line = Table.grid(padding=(0, 2))
        line.add_column(width=max(map(len, STYLES)))
        line.add_column(width=WIDEST_NAME)
        line.add_column(overflow="fold")
        says = plain(" ".join(finding.says.splitlines()))
        verdict = Text(finding.verdict, STYLES[finding.verdict])
        line.add_row(verdict, Text(plain(finding.about)), Text(says))
        console.print(line)
        yield finding
