"""``qrsd benchmark``: the detector against experts' annotations, the service against time."""

from __future__ import annotations

import argparse
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.progress import Progress, track

from daemon.commands.parts import at_least, writing
from daemon.offline.drawing_extra import require_matplotlib

if TYPE_CHECKING:
    from benchmarks.qrs.measure import Result
    from benchmarks.qrs.records import Protocol
    from benchmarks.qrs.report import Report
    from benchmarks.qrs.stress_report import StressReport

Outcome = TypeVar("Outcome")

PAGE_WIDTH = 110  # of tables that go to a file

BENCHMARK = "Measure qrsd against recordings whose truth is known, and against time."

QRS = """\
Find the beats of annotated WFDB records with the whole signal chain, as the service would, and
score them by EC57: missed and invented beats, place of R, latency and cost.

examples:
  qrsd benchmark qrs --db mitdb --mains 60
  qrsd benchmark qrs --db mitdb --mains 60 --peers --ablate --json qrs.json --picture qrs.png
  qrsd benchmark qrs --db ludb --signal i --annotator i --from 0 --between-annotations"""


NOISE = """\
Add noise to clean annotated WFDB records and see how well their beats are still found, at
signal-to-noise ratios of 12, 6 and 0 dB: the power of a sine wave of the size of a QRS complex,
over that of the noise.

  mains50, mains60  hum of the grid, whose frequency the detectors are told
  wander, bw        wander of the baseline: made up, 0.05 to 0.5 Hz; recorded
  white             noise of all frequencies
  emg, ma           muscle: made up, 20 to 100 Hz; recorded

Noise lasts from the beginning of each record. Each record has its own, the same in every run.
It takes a core some six minutes, with --peers sixteen; --jobs shares them out.

examples:
  qrsd benchmark noise --db mitdb --noise nstdb
  qrsd benchmark noise --db mitdb --noise nstdb --peers --json noise.json --picture noise.png
  qrsd benchmark noise --db mitdb --kinds white emg --records 101 230 --minutes 2"""

SOAK = """\
Run the whole service for hours of virtual time, as fast as this machine can: the real driver on a
simulated chip that keeps failing, the pipe, the signal chain, the network, the sockets. Two hearts
wear the electrodes in turn, one of them enrolled. Every quarter of an hour or so the acquisition
process dies and is started again.

It must hold that all samples that were produced are received or counted as lost, that beats are
where the hearts beat, without drift, that every request is answered, and that memory and
descriptors stay as they are. The exit code is 1 if something does not. Ctrl-C ends it early, with
the figures so far.

examples:
  qrsd benchmark soak --hours 1
  qrsd benchmark soak --hours 72 --json soak.json
  qrsd benchmark soak --hours 1 --speed 1        (by the wall clock)"""

NOISES = ("mains50", "mains60", "wander", "bw", "white", "emg", "ma")
#: Records of MIT-BIH (the half called DS1) that are clean enough for noise to be what disturbs.
CLEAN_RECORDS = ("101", "112", "115", "118", "119", "122", "220", "230")


def add_parsers(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    benchmark = subparsers.add_parser(
        "benchmark", help=BENCHMARK.rstrip("."), description=BENCHMARK
    )
    parts = benchmark.add_subparsers(metavar="PART", required=True)
    _add_qrs(parts)
    _add_noise(parts)
    _add_soak(parts)


def _add_qrs(parts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    qrs = parts.add_parser(
        "qrs",
        help="the detector of heartbeats",
        description=QRS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_protocol(qrs, mains_hz=50)
    qrs.add_argument(
        "--ablate",
        action="store_true",
        help="take back each departure from Pan and Tompkins, one at a time",
    )
    _add_results(qrs)
    qrs.set_defaults(run=run_qrs)


def _add_noise(parts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    noise = parts.add_parser(
        "noise",
        help="the detector of heartbeats in noise",
        description=NOISE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_protocol(noise, mains_hz=60)  # MIT-BIH's
    noise.add_argument(
        "--noise", type=Path, metavar="FOLDER", help="PhysioNet's nstdb, for the kinds bw and ma"
    )
    noise.add_argument(
        "--kinds",
        nargs="+",
        choices=NOISES,
        default=NOISES,
        metavar="KIND",
        help=f"of noise: {', '.join(NOISES)} (default: all)",
    )
    noise.add_argument(
        "--records",
        nargs="+",
        default=CLEAN_RECORDS,
        metavar="NAME",
        help=f"which of them (default: {' '.join(CLEAN_RECORDS)})",
    )
    noise.add_argument(
        "--minutes",
        type=_more_than_nothing,
        default=10.0,
        metavar="M",
        help="how much of each record is scored (default: 10)",
    )
    _add_results(noise)
    noise.set_defaults(run=run_noise)


def _add_soak(parts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    soak = parts.add_parser(
        "soak",
        help="the whole service, for days of virtual time",
        description=SOAK,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    soak.add_argument(
        "--hours",
        type=_more_than_nothing,
        default=1.0,
        metavar="H",
        help="of virtual time (default: 1)",
    )
    soak.add_argument(
        "--speed",
        type=_more_than_nothing,
        metavar="S",
        help="at most so many times real time (default: as fast as it can)",
    )
    soak.add_argument("--seed", type=int, default=1, help="of what goes wrong (default: 1)")
    soak.add_argument("--json", metavar="FILE", help="write all figures; - prints them, alone")
    soak.set_defaults(run=run_soak)


def _add_results(parser: argparse.ArgumentParser) -> None:
    """Add who else is measured, what becomes of the figures, and how fast they come."""
    parser.add_argument("--peers", action="store_true", help="run six other open detectors as well")
    parser.add_argument("--json", metavar="FILE", help="write all figures; - prints them, alone")
    parser.add_argument("--picture", type=Path, metavar="FILE.png", help="draw them")
    parser.add_argument(
        "--jobs",
        type=at_least(1),
        default=len(os.sched_getaffinity(0)),
        metavar="N",
        help="records at a time (default: one for each core)",
    )


def _add_protocol(parser: argparse.ArgumentParser, mains_hz: int) -> None:
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
        "--mains",
        type=int,
        choices=(50, 60),
        default=mains_hz,
        help="grid frequency in Hz (default: %(default)s)",
    )


def _more_than_nothing(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not more than 0")
    return number


def _not_negative(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not 0 or more")
    return number


def run_qrs(args: argparse.Namespace) -> int:
    """Measure, print and write."""
    from benchmarks.qrs.ablation import DEPARTURES
    from benchmarks.qrs.measure import Plan, measure_all
    from benchmarks.qrs.picture import draw
    from benchmarks.qrs.records import find_records
    from benchmarks.qrs.report import Report

    _require_libraries(args)
    departures = tuple(DEPARTURES) if args.ablate else ()
    plan = Plan(_protocol(args), _peers(args), departures)
    records = find_records(args.db, args.annotator)
    results = measure_all(records, plan, args.jobs)
    report = Report(plan.protocol, tuple(_shown(results, len(records))))
    _require_beats(report.detectors.values(), args.db)
    _hand_out(report, args, draw)
    return 0


def run_noise(args: argparse.Namespace) -> int:
    """Measure in noise, print and write."""
    from benchmarks.qrs.noises import require_noise
    from benchmarks.qrs.records import find_records
    from benchmarks.qrs.stress import StressPlan, stress_all
    from benchmarks.qrs.stress_picture import draw
    from benchmarks.qrs.stress_report import StressReport

    _require_libraries(args)
    kinds = tuple(dict.fromkeys(args.kinds))
    require_noise(kinds, args.noise)
    plan = StressPlan(_protocol(args), kinds, args.noise, args.minutes, _peers(args))
    records = find_records(args.db, args.annotator, args.records)
    count, results = stress_all(records, plan, args.jobs)
    report = StressReport(plan, tuple(_shown(results, count)))
    _hand_out(report, args, draw)
    return 0


def run_soak(args: argparse.Namespace) -> int:
    """Soak, print and write: 0 if everything held, else 1."""
    from benchmarks.soak.run import Soak

    with (
        _quiet("daemon"),  # of hundreds of faults
        TemporaryDirectory(prefix="qrsd-soak-") as folder,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        bar = progress.add_task("Soaking", total=args.hours)

        def tell(hours: float) -> None:
            progress.update(bar, completed=hours)

        figures = Soak(args.hours, args.speed, args.seed, tell).run(Path(folder))
    if args.json not in (None, "-"):
        with writing(Path(args.json)):
            Path(args.json).write_text(json.dumps(figures.as_json(), indent=1) + "\n")
    if args.json == "-":
        print(json.dumps(figures.as_json(), indent=1))
    else:
        Console().print(figures.table())
    return 0 if figures.passed else 1


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Keep a logger's warnings from the terminal."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _protocol(args: argparse.Namespace) -> Protocol:
    from benchmarks.qrs.records import Protocol

    return Protocol(args.signal, args.annotator, args.from_s, args.between_annotations, args.mains)


def _peers(args: argparse.Namespace) -> tuple[str, ...]:
    from benchmarks.qrs.peers import PEERS

    return tuple(PEERS) if args.peers else ()


def _require_libraries(args: argparse.Namespace) -> None:
    """Find out that the benchmark's extra is missing before the work, and not after minutes."""
    from benchmarks.qrs.peers import require_peers

    if args.peers:
        require_peers()
    if args.picture:
        require_matplotlib()


def _shown(results: Iterable[Outcome], count: int) -> Iterable[Outcome]:
    """Show on a terminal how far the work has come."""
    console = Console(stderr=True)
    return track(
        results,
        "Listening",
        total=count,
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _require_beats(results: Iterable[Result], folder: Path) -> None:
    """Refuse to report on nothing."""
    from benchmarks.qrs.errors import NothingToScore

    if not any(result.score.beats for result in results):
        raise NothingToScore(
            f"{folder}: no beat is annotated in what is scored; for short records try --from 0"
        )


def _hand_out(
    report: Report | StressReport, args: argparse.Namespace, draw: Callable[[Any, Path], None]
) -> None:
    """Print the tables, or the figures alone, and write what is to be written."""
    figures = json.dumps(report.as_json(), indent=1)
    if args.json == "-":
        print(figures)
    else:
        terminal = Console()
        page = terminal if terminal.is_terminal else Console(width=PAGE_WIDTH)
        for table in report.tables():
            page.print(table)
    if args.json not in (None, "-"):
        with writing(Path(args.json)):
            Path(args.json).write_text(figures + "\n")
    if args.picture:
        with writing(args.picture):
            draw(report, args.picture)
