"""``qrsd benchmark``: the detector against experts' annotations, the service against time."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import Progress, track

from benchmarks.qrs import peers
from benchmarks.qrs.noises import CLEAN_RECORDS, KINDS, require_noise
from benchmarks.qrs.records import Protocol, find_records
from benchmarks.report import stage_bars
from daemon.commands.parts import (
    Subparsers,
    add_jobs,
    add_json,
    add_mains,
    add_part,
    at_least,
    more_than,
    not_below,
)
from daemon.offline.analysis import side_by_side
from daemon.offline.drawing import require_matplotlib
from daemon.offline.results import hand_out, require_files, writing
from model.opening import open_network

Outcome = TypeVar("Outcome")
Work = TypeVar("Work")

QRS = """\
Score the beats found in annotated WFDB records, by ANSI/AAMI EC57.

The whole signal chain finds them, as in the service. Printed are missed and invented beats, place
of R, latency and cost.

examples:
  qrsd benchmark qrs --db mitdb --mains 60
  qrsd benchmark qrs --db mitdb --mains 60 --peers --ablate --json qrs.json --picture qrs.png
  qrsd benchmark qrs --db ludb --signal i --annotator i --from 0 --between-annotations"""


NOISE = """\
Score the beats found in annotated WFDB records to which noise is added.

At signal-to-noise ratios of 12, 6 and 0 dB: the power of a sine wave of the size of a QRS complex,
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
Run the whole service for hours of virtual time, on a chip that keeps failing.

The real driver, the pipe, the signal chain, the network and the sockets run against a simulated
chip, as fast as this machine can. Two hearts wear the electrodes in turn, one of them
enrolled. Every quarter of an hour or so the acquisition process dies and is started again.

It must hold that all samples that were produced are received or counted as lost, that beats are
where the hearts beat, without drift, that every request is answered, and that memory and
descriptors stay as they are. The exit code is 1 if something does not. Ctrl-C ends it early, with
the figures so far.

examples:
  qrsd benchmark soak --hours 1
  qrsd benchmark soak --hours 72 --json soak.json
  qrsd benchmark soak --hours 1 --speed 1        (by the wall clock)"""


PAPER = """\
Print recordings on millimetre paper, spoil the pages, and read them back.

DB holds a folder of recordings for each person. Told are the signal-to-noise ratio of what is read,
how far off R waves and heart rate are, seconds of a processor, and how many pages are refused. With
--people, everybody's first and last recording go over paper, and it is measured how well they
are known then.

examples:
  qrsd benchmark paper --db ecg-id --records 10
  qrsd benchmark paper --db ecg-id --people --json people.json"""


def add_benchmark(parser: argparse.ArgumentParser) -> None:
    """Add the commands that measure the signal chain and the service."""
    parts = parser.add_subparsers(metavar="PART", required=True)
    _add_qrs(parts)
    _add_noise(parts)
    _add_soak(parts)
    _add_paper(parts)


def _add_qrs(parts: Subparsers) -> None:
    qrs = add_part(parts, "qrs", QRS)
    _add_protocol(qrs, mains_hz=50)
    qrs.add_argument(
        "--ablate",
        action="store_true",
        help="take back each departure from Pan and Tompkins, one at a time",
    )
    qrs.set_defaults(run=run_qrs)


def _add_noise(parts: Subparsers) -> None:
    noise = add_part(parts, "noise", NOISE)
    _add_protocol(noise, mains_hz=60)  # MIT-BIH's
    add = noise.add_argument
    add("--noise", type=Path, metavar="FOLDER", help="PhysioNet's nstdb, for the kinds bw and ma")
    add(
        "--kinds",
        nargs="+",
        choices=tuple(KINDS),
        default=tuple(KINDS),
        metavar="KIND",
        help=f"of noise: {', '.join(KINDS)} (default: all)",
    )
    add(
        "--records",
        nargs="+",
        default=CLEAN_RECORDS,
        metavar="NAME",
        help=f"which of them (default: {' '.join(CLEAN_RECORDS)})",
    )
    add(
        "--minutes",
        type=more_than(0),
        default=10.0,
        metavar="M",
        help="how much of each record is scored (default: 10)",
    )
    noise.set_defaults(run=run_noise)


def _add_soak(parts: Subparsers) -> None:
    soak = add_part(parts, "soak", SOAK)
    add = soak.add_argument
    add("--hours", type=more_than(0), default=1.0, metavar="H", help="of virtual time (default: 1)")
    add(
        "--speed",
        type=more_than(0),
        metavar="S",
        help="at most so many times real time (default: as fast as it can)",
    )
    add("--seed", type=int, default=1, help="of what goes wrong (default: 1)")
    add_json(soak)
    soak.set_defaults(run=run_soak)


def _add_paper(parts: Subparsers) -> None:
    paper = add_part(parts, "paper", PAPER)
    add = paper.add_argument
    add("--db", type=Path, required=True, metavar="FOLDER", help="of people's recordings")
    add("--records", type=at_least(1), default=10, metavar="N", help="how many (default: 10)")
    add("--people", action="store_true", help="measure how well people are known over paper")
    add_json(paper)
    paper.set_defaults(run=run_paper)


def _add_protocol(parser: argparse.ArgumentParser, mains_hz: int) -> None:
    """Add what is scored, against what, who else is measured, and what becomes of the figures."""
    add = parser.add_argument
    add("--db", type=Path, required=True, metavar="FOLDER", help="annotated WFDB records")
    add(
        "--signal",
        metavar="NAME|NUMBER",
        help="which signal of each record (default: MLII where there is one, else the first)",
    )
    add("--annotator", default="atr", help="suffix of the annotations (default: %(default)s)")
    add(
        "--from",
        dest="from_s",
        type=not_below(0),
        default=300.0,
        metavar="SECONDS",
        help="what comes earlier is not scored (default: 300, as EC57 has it)",
    )
    add(
        "--between-annotations",
        action="store_true",
        help="score only from the first annotation to the last",
    )
    add_mains(parser, mains_hz)
    add("--peers", action="store_true", help="run six other open detectors as well")
    add_json(parser)
    add("--picture", type=Path, metavar="FILE.png", help="draw them")
    add_jobs(parser)


def run_qrs(args: argparse.Namespace) -> int:
    """Measure, print and write."""
    from benchmarks.qrs.ablation import DEPARTURES
    from benchmarks.qrs.measure import Plan, measure
    from benchmarks.qrs.picture import draw
    from benchmarks.qrs.report import Report

    plan = Plan(_protocol(args), _peers(args), tuple(DEPARTURES) if args.ablate else ())
    records = find_records(args.db, args.annotator)
    report = Report.of(plan.protocol, _shown(partial(measure, plan), records, args.jobs), args.db)
    return _hand_out(report, draw, args)


def run_noise(args: argparse.Namespace) -> int:
    """Measure in noise, print and write."""
    from benchmarks.qrs.picture import draw_noise
    from benchmarks.qrs.stress import StressPlan, stress
    from benchmarks.qrs.stress_report import StressReport

    others = _peers(args)
    kinds = tuple(dict.fromkeys(args.kinds))
    require_noise(kinds, args.noise)
    plan = StressPlan(_protocol(args), kinds, args.noise, args.minutes, others)
    records = find_records(args.db, args.annotator, args.records)
    trials = [(path, kind) for path in records for kind in kinds]
    report = StressReport(plan, tuple(_shown(partial(stress, plan), trials, args.jobs)))
    return _hand_out(report, draw_noise, args)


def _hand_out(report: Any, draw: Callable[[Any, Path], None], args: argparse.Namespace) -> int:
    hand_out(report.as_json(), report.tables(), args.json)
    if args.picture:
        with writing(args.picture):
            draw(report, args.picture)
    return 0


def run_soak(args: argparse.Namespace) -> int:
    """Soak, print and write: 0 if everything held, else 1."""
    from benchmarks.soak.run import Soak

    require_files(args.json)
    with (
        _quiet("daemon"),  # of hundreds of faults
        TemporaryDirectory(prefix="qrsd-soak-") as folder,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        bar = progress.add_task("Soaking", total=args.hours)

        def tell(hours: float) -> None:
            progress.update(bar, completed=hours)

        figures = Soak(args.hours, args.speed, args.seed, tell).run(Path(folder))
    hand_out(figures.as_json(), [figures.table()], args.json)
    return 0 if figures.passed else 1


def run_paper(args: argparse.Namespace) -> int:
    """Print, spoil, read back, and tell what is left."""
    from benchmarks.paper.people import measure_people
    from benchmarks.paper.report import measure_pages, tables

    require_files(args.json)
    require_matplotlib()
    with stage_bars() as bars:
        if args.people:
            figures = measure_people(args.db, open_network(None), bars)
        else:
            figures = measure_pages(args.db, args.records, bars)
    hand_out(figures, tables(figures), args.json)
    return 0


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
    return Protocol(args.signal, args.annotator, args.from_s, args.between_annotations, args.mains)


def _peers(args: argparse.Namespace) -> tuple[str, ...]:
    """Name the peers; find out before minutes of work that something is missing."""
    require_files(args.json, args.picture)
    if args.picture:
        require_matplotlib()
    if args.peers:
        peers.require_peers()
    return tuple(peers.PEERS) if args.peers else ()


def _shown(work: Callable[[Work], Outcome], on: Sequence[Work], jobs: int) -> Iterable[Outcome]:
    """Do the work side by side, and show on a terminal how far it has come."""
    console = Console(stderr=True)
    return track(
        side_by_side(work, on, jobs),
        "Finding heartbeats",
        total=len(on),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
