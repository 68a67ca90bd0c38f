"""``qrsd benchmark qrs``: the detector against the annotations of experts, and beside its peers."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import track

from daemon.errors import ResultsNotWritable

if TYPE_CHECKING:
    from benchmarks.qrs.report import Report

PAGE_WIDTH = 110  # of tables that go to a file

BENCHMARK = "Measure qrsd against recordings whose truth is known."

QRS = """\
Find the beats of annotated WFDB records with the whole signal chain, as the service would, and
score them by EC57: missed and invented beats, place of R, latency and cost.

examples:
  qrsd benchmark qrs --db mitdb --mains 60
  qrsd benchmark qrs --db mitdb --mains 60 --peers --ablate --json qrs.json --picture qrs.png
  qrsd benchmark qrs --db ludb --signal i --annotator i --from 0 --between-annotations"""


def add_parsers(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    benchmark = subparsers.add_parser(
        "benchmark", help=BENCHMARK.rstrip("."), description=BENCHMARK
    )
    parts = benchmark.add_subparsers(metavar="PART", required=True)
    qrs = parts.add_parser(
        "qrs",
        help="the detector of heartbeats",
        description=QRS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_protocol(qrs)
    qrs.add_argument("--peers", action="store_true", help="run six other open detectors as well")
    qrs.add_argument(
        "--ablate",
        action="store_true",
        help="take back each departure from Pan and Tompkins, one at a time",
    )
    qrs.add_argument("--json", metavar="FILE", help="write all figures; - prints them, alone")
    qrs.add_argument("--picture", type=Path, metavar="FILE.png", help="draw them")
    qrs.add_argument(
        "--jobs",
        type=_positive,
        default=len(os.sched_getaffinity(0)),
        metavar="N",
        help="records at a time (default: one for each core)",
    )
    qrs.set_defaults(run=run)


def _add_protocol(parser: argparse.ArgumentParser) -> None:
    """Add what is scored, and against what."""
    parser.add_argument(
        "--db", type=Path, required=True, metavar="FOLDER", help="annotated WFDB records"
    )
    parser.add_argument(
        "--signal",
        metavar="NAME|NUMBER",
        help="which signal of each record (default: MLII where there is one, else the first)",
    )
    parser.add_argument(
        "--annotator", default="atr", help="suffix of the annotations (default: %(default)s)"
    )
    parser.add_argument(
        "--from",
        dest="from_s",
        type=_not_negative,
        default=300.0,
        metavar="SECONDS",
        help="what comes earlier is not scored (default: 300, as EC57 has it)",
    )
    parser.add_argument(
        "--between-annotations",
        action="store_true",
        help="score only from the first annotation to the last",
    )
    parser.add_argument(
        "--mains", type=int, choices=(50, 60), default=50, help="grid frequency in Hz (default: 50)"
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not 1 or more")
    return number


def _not_negative(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not 0 or more")
    return number


def run(args: argparse.Namespace) -> int:
    """Measure, print and write."""
    from benchmarks.qrs.ablation import DEPARTURES
    from benchmarks.qrs.measure import Plan, measure_all
    from benchmarks.qrs.peers import PEERS, require_peers
    from benchmarks.qrs.picture import draw, require_matplotlib
    from benchmarks.qrs.records import Protocol, find_records
    from benchmarks.qrs.report import Report

    if args.peers:
        require_peers()
    if args.picture:
        require_matplotlib()
    protocol = Protocol(
        args.signal, args.annotator, args.from_s, args.between_annotations, args.mains
    )
    peers = tuple(PEERS) if args.peers else ()
    departures = tuple(DEPARTURES) if args.ablate else ()
    records = find_records(args.db, args.annotator)
    console = Console(stderr=True)
    results = track(
        measure_all(records, Plan(protocol, peers, departures), args.jobs),
        "Listening",
        total=len(records),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    report = Report(protocol, tuple(results))
    _require_beats(report, args.db)
    if args.json == "-":
        print(json.dumps(report.as_json(), indent=1))
    else:
        terminal = Console()
        page = terminal if terminal.is_terminal else Console(width=PAGE_WIDTH)
        for table in report.tables():
            page.print(table)
    if args.json not in (None, "-"):
        with _writing(Path(args.json)):
            Path(args.json).write_text(json.dumps(report.as_json(), indent=1) + "\n")
    if args.picture:
        with _writing(args.picture):
            draw(report, args.picture)
    return 0


def _require_beats(report: Report, folder: Path) -> None:
    """Refuse to report on nothing."""
    from benchmarks.qrs.errors import NothingToScore
    from benchmarks.qrs.measure import OURS

    if not report.detectors[OURS].score.beats:
        raise NothingToScore(
            f"{folder}: no beat is annotated in what is scored; for short records try --from 0"
        )


@contextmanager
def _writing(file: Path) -> Iterator[None]:
    """Turn what the operating system says against writing a file into one sentence."""
    try:
        yield
    except OSError as error:
        raise ResultsNotWritable(f"{file}: {error.strerror}; choose another file") from error
