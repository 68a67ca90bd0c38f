"""``qrsd report``: what the heart of one recording did, as a page to read or to print."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, replace

from rich.console import Console
from rich.progress import Progress

from config.settings import load
from daemon.commands.parts import (
    A_RECORD,
    add_gallery,
    add_mains,
    add_model,
    describe,
    file_of,
    model_of,
)
from daemon.commands.records import (
    add_last,
    add_reading,
    reading_of,
    signals_of,
    take_newest,
    tell_of,
)
from daemon.offline.analysis import ChainRun
from daemon.offline.commentary import Commentator
from daemon.offline.excerpt import Excerpt
from daemon.offline.recognition import Course, last_decision, open_with_people
from daemon.offline.report_page import as_html, as_pdf
from daemon.offline.reporting import Report, report_on
from daemon.offline.results import private_file, require_files, require_report_extras
from daemon.recordings.origin import Origin, origin
from daemon.recordings.recording import OpenRecording
from daemon.terminal import plain
from model.network import Network
from model.template import Template

SUFFIXES = (".html", ".pdf", ".json")

REPORT = """\
Shows signal quality over time, ten seconds of ECG on millimetre paper, the averaged beat with its
intervals, heart rate and its variability, and breathing. What cannot be told says why. Pages need
the extra [report]; JSON has the same figures and needs none. docs/reports.md tells more.

Who it is stands in it only with --who, and no diagnosis ever. With --commentary, some of its
figures go to the language model that report.commentary names, and its text into the report.

examples:
  qrsd report night.bdf --out night.html
  qrsd report ecg-id/Person_01/rec_1 --out person.pdf
  qrsd report --last 10min --out now.html      (of what qrsd record wrote here)
  qrsd report night.bdf --out night.html --commentary --dry-run"""


def add_report(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd report``."""
    describe(parser, REPORT)
    parser.epilog = A_RECORD
    add = parser.add_argument
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("record", nargs="?", metavar="RECORD")
    add_last(which)
    add(
        "--out",
        type=file_of(*SUFFIXES),
        required=True,
        metavar="F.html|F.pdf|F.json",
        help="file to write; its suffix says what",
    )
    add("--who", action="store_true", help="say who of the enrolled people it is")
    add(
        "--commentary",
        action="store_true",
        help="add what a language model makes of the figures (settings: report.commentary)",
    )
    add(
        "--dry-run",
        action="store_true",
        help="show what --commentary would send, and where to; send and write nothing",
    )
    add_gallery(parser)
    add_model(parser)
    add_reading(parser)
    add_mains(parser)
    parser.set_defaults(run=run, refuse=parser.error)


def run(args: argparse.Namespace) -> int:
    """Measure, and write the page."""
    kind = args.out.suffix.casefold()
    commentator = _commentator(args)
    if kind != ".json":
        require_report_extras(pdf=kind == ".pdf")
    settings = load().settings
    people = open_with_people(model_of(args, settings), args.gallery) if args.who else None
    if not args.dry_run:
        require_files(args.out)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task("Reading", total=None)

        def advance(done_s: float) -> None:
            bars.update(task, description=f"Finding heartbeats and waves, {done_s / 60:.0f} min")

        recording, told = _recording(args)
        report = report_on(recording, told, args.mains, settings.rhythm, advance)
        if not (report.nothing_because or args.dry_run):
            if people:
                bars.update(task, description="Recognising", total=None)
                report = _recognised(report, recording, args.mains, *people)
            if commentator:
                bars.update(task, description=f"Asking {commentator.options.host}", total=None)
                report = _commented(report, commentator)
            bars.update(task, description="Writing", total=None)
            content = _content(report, kind)
            with private_file(args.out, "another --out"):
                args.out.write_bytes(content)
    nothing_found = tell_of(report)
    if commentator and args.dry_run and not nothing_found:
        _show_question(commentator, report)
    elif not nothing_found:
        print(plain(f"{args.out}: the report on {report.path}"))
    return nothing_found


def _commentator(args: argparse.Namespace) -> Commentator | None:
    if args.dry_run and not args.commentary:
        args.refuse("--dry-run shows what --commentary would send: give both")
    return Commentator.of(load().settings.report.commentary) if args.commentary else None


def _commented(report: Report, commentator: Commentator) -> Report:
    commentary = commentator.comment_on(report.figures())
    if commentary.none_because:
        print(f"note: no commentary: {commentary.none_because}", file=sys.stderr)
    return replace(report, commentary=commentary)


def _show_question(commentator: Commentator, report: Report) -> None:
    """Print on standard error where a question would go, and on standard output its bytes."""
    hidden = {"Authorization": f"Bearer (the key in {commentator.options.key})"}
    headers = commentator.headers
    headers |= {name: text for name, text in hidden.items() if name in headers}
    lines = [f"POST {commentator.url}", *map(": ".join, headers.items())]
    print(*map(plain, lines), "nothing is sent in a dry run:", sep="\n", file=sys.stderr)
    print(commentator.question(report.figures()).decode())


def _recording(args: argparse.Namespace) -> tuple[OpenRecording | Excerpt, Origin]:
    """Open what the report is to be on, and read what it says of itself."""
    if args.last:
        folder = take_newest(args)
        [signal] = signals_of(args)
        newest = Excerpt(folder, args.last, signal, reading_of(args))
        return newest, newest.origin()
    args.records = [args.record]
    [signal] = signals_of(args)
    reading = reading_of(args)
    return OpenRecording(args.record, signal, reading), origin(args.record, reading.identity)


def _recognised(
    report: Report,
    recording: OpenRecording | Excerpt,
    mains_hz: int,
    network: Network,
    templates: list[Template],
) -> Report:
    """Add who it is."""
    upright, inverted = (
        ChainRun(recording, mains_hz, inverted=upside_down).events()
        for upside_down in (False, True)
    )
    course = Course()
    decision = last_decision(upright, inverted, network, templates, load().settings, course=course)
    return replace(report, who=asdict(decision), identity=course.stretches(report.duration_s))


def _content(report: Report, kind: str) -> bytes:
    if kind == ".json":
        return (json.dumps(report.figures(), indent=1) + "\n").encode()
    page = as_html(report)
    return as_pdf(page) if kind == ".pdf" else page.encode()
