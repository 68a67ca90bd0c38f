"""``qrsd report``: what the heart of one recording did, as a page to read or to print."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from config.settings import load
from daemon.commands.parts import A_RECORD, add_gallery, add_mains, add_model, describe
from daemon.commands.records import add_reading, reading_of, signals_of, tell_of
from daemon.offline.analysis import ChainRun
from daemon.offline.recognition import last_decision, open_with_people
from daemon.offline.report_page import as_html, as_pdf, require_extras
from daemon.offline.reporting import Report, report_on
from daemon.offline.results import require_files, writing
from daemon.recordings.recording import OpenRecording
from daemon.terminal import plain
from model.identifier import Decision
from model.network import Network
from model.template import Template

SUFFIXES = (".html", ".pdf", ".json")

REPORT = """\
Shows signal quality over time, ten seconds of ECG on millimetre paper, the averaged beat with its
intervals, heart rate and its variability, and breathing. What cannot be told says why. Pages need
the extra [report]; JSON has the same figures and needs none. docs/reports.md tells more.

Who it is stands in it only with --who, and no diagnosis ever.

examples:
  qrsd report night.bdf --out night.html
  qrsd report ecg-id/Person_01/rec_1 --out person.pdf"""


def add_report(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd report``."""
    describe(parser, REPORT)
    parser.epilog = A_RECORD
    add = parser.add_argument
    add("record", metavar="RECORD")
    add(
        "--out",
        type=_file,
        required=True,
        metavar="F.html|F.pdf|F.json",
        help="file to write; its suffix says what",
    )
    add("--who", action="store_true", help="say who of the enrolled people it is")
    add_gallery(parser)
    add_model(parser)
    add_reading(parser)
    add_mains(parser)
    parser.set_defaults(run=run)


def _file(text: str) -> Path:
    path = Path(text)
    if path.suffix.casefold() not in SUFFIXES:
        raise argparse.ArgumentTypeError(f"{text} does not end in {', '.join(SUFFIXES)}")
    return path


def run(args: argparse.Namespace) -> int:
    """Measure, and write the page."""
    kind = args.out.suffix.casefold()
    if kind != ".json":
        require_extras(pdf=kind == ".pdf")
    people = open_with_people(args.model, args.gallery) if args.who else None
    is_new = not args.out.exists()
    require_files(args.out)
    if is_new:  # nothing empty is left behind if there is nothing to report
        args.out.unlink()
    args.records = [args.record]
    [signal] = signals_of(args)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task("Reading", total=None)

        def advance(doing: str, done_s: float, of_s: float | None) -> None:
            said = doing if of_s else f"{doing}, {done_s / 60:.0f} min"
            bars.update(task, description=said, completed=done_s, total=of_s)

        report = report_on(args.record, signal, args.mains, reading_of(args), advance)
        if not report.nothing_because:
            if people:
                bars.update(task, description="Recognising", total=None)
                report = replace(report, who=asdict(_decision(args, signal, *people)))
            bars.update(task, description="Writing", total=None)
            content = _content(report, kind)
            with writing(args.out, "another --out"):
                args.out.write_bytes(content)
    nothing_found = tell_of(report)
    if not nothing_found:
        print(plain(f"{args.out}: the report on {args.record}"))
    return nothing_found


def _decision(
    args: argparse.Namespace, signal: str | None, network: Network, templates: list[Template]
) -> Decision:
    recordings = [OpenRecording(args.record, signal, reading_of(args)) for _ in range(2)]
    upright, inverted = (
        ChainRun(recording, args.mains, inverted=upside_down).events()
        for recording, upside_down in zip(recordings, (False, True), strict=True)
    )
    return last_decision(upright, inverted, network, templates, load().settings)


def _content(report: Report, kind: str) -> bytes:
    if kind == ".json":
        return (json.dumps(report.figures(), indent=1) + "\n").encode()
    page = as_html(report)
    return as_pdf(page) if kind == ".pdf" else page.encode()
