"""``qrsd hrv``, ``intervals`` and ``features``: what the heart of a recording does, in figures."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial

from rich.table import Table

from daemon.commands.parts import file_of
from daemon.commands.records import Outcomes, add_records, report
from daemon.offline.beat_table import SUFFIXES, beat_table, require_writer, tabulate_beats
from daemon.offline.labels import (
    BREATHING,
    LABELS,
    OF_A_BEAT,
    in_words,
    interval_text,
    median_rate,
)
from daemon.offline.measuring import (
    Delineation,
    Variability,
    delineate,
    measure_variability,
)
from daemon.offline.results import require_files, show
from daemon.tables import counted, filled
from dsp.hrv import NEEDS, Hrv
from dsp.respiration import WINDOW_S, Respiration

HRV = """\
Measures how the intervals between heartbeats vary. Ectopic, missed and false beats are corrected,
and their share is said; beyond 5 % of the intervals there is the mean only. Figures that need a
longer recording say so. Breathing is looked for in each minute. docs/hrv.md tells how each is had.

example:
  qrsd hrv night.csv
  qrsd hrv mitdb/100 mitdb/101 --method lomb --json"""

INTERVALS = """\
Averages the beats of each ten seconds and measures where their waves begin and end: PR, QRS, QT,
QTc and the level of the ST segment. One lead shows less than twelve, and this is no diagnosis.
docs/hrv.md tells how it is had, and how far it is from what experts mark.

example:
  qrsd intervals ludb/1 --signal ii
  qrsd intervals night.csv --json"""

FEATURES = """\
Writes a table with a row for each beat, to train or to look at: record, r_index (at 250 Hz),
rr_ms, quality and flaws as the service judges them, the intervals of the averaged beat of its ten
seconds, amplitudes of P, Q, R, S and T, and twelve MFCC. docs/hrv.md tells each column. Parquet
needs the extra [features].

examples:
  qrsd features ecg-id/Person_01/rec_1 ecg-id/Person_02/rec_1 --out beats.csv
  qrsd features night.bdf --out beats.parquet"""


def add_hrv(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd hrv``."""
    add_records(parser, HRV)
    parser.add_argument(
        "--method",
        choices=("welch", "lomb"),
        default="welch",
        help="of the spectrum: of intervals resampled at 4 Hz, or Lomb-Scargle (%(default)s)",
    )
    parser.set_defaults(run=run_hrv)


def add_intervals(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd intervals``."""
    add_records(parser, INTERVALS)
    parser.set_defaults(run=run_intervals)


def run_intervals(args: argparse.Namespace) -> int:
    """Print the intervals of each record."""
    outcomes = Outcomes(args, delineate)
    rows = []
    for found in outcomes:
        medians = {name: found.median(name) for name in OF_A_BEAT}
        rows.append({"record": found.path, **medians, "strips": [*map(asdict, found.strips)]})
        if not args.json:
            show([_intervals_table(found)])
    if args.json:
        print(json.dumps({"records": rows}))
    return outcomes.exit_code or outcomes.nothing_found


def _intervals_table(found: Delineation) -> Table:
    """Return the median of each interval, and in how many strips its waves stand out."""
    rows = []
    for name, label in OF_A_BEAT.items():
        shown = sum(getattr(strip, name) is not None for strip in found.strips)
        said = interval_text(name, found.median(name))
        rows.append((label, said, f"{shown} of {len(found.strips)}"))
    return filled(found.path, ("interval", "median", "strips of 10 s"), rows)


def add_features(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd features``."""
    add_records(parser, FEATURES)
    parser.add_argument(
        "--out",
        type=file_of(*SUFFIXES),
        required=True,
        metavar="F.csv|F.parquet",
        help="file to write; its suffix says what",
    )
    parser.set_defaults(run=run_features)


def run_features(args: argparse.Namespace) -> int:
    """Write the rows of all records to one table."""
    require_writer(args.out)
    require_files(args.out)
    outcomes = Outcomes(args, tabulate_beats)
    rows = []
    with ExitStack() as stack:
        add = None
        for found in outcomes:
            if found.rows:  # there is no file without one
                add = add or stack.enter_context(beat_table(args.out))
                add(found.rows)
            rows.append({"record": found.path, "beats": len(found.rows)})
    report(args, rows, "{beats:6d} beats  {record}".format_map)
    return outcomes.exit_code or outcomes.nothing_found


def run_hrv(args: argparse.Namespace) -> int:
    """Print the figures of each record."""
    outcomes = Outcomes(args, partial(measure_variability, method=args.method))
    rows = []
    for found in outcomes:
        if args.json:
            rows.append(found.figures())
        else:
            show([hrv_table(found)])
    if args.json:
        print(json.dumps({"records": rows}))
    return outcomes.exit_code or outcomes.nothing_found


def hrv_table(found: Variability) -> Table:
    """Return the figures as a table, with what they need and what was done to have them."""
    rows = list(_about(found.hrv))
    for name, need in NEEDS.items():
        value = getattr(found.hrv, name)
        said = found.hrv.reasons.get(name) or f"{value:.4g}"
        rows.append((LABELS[name], said, in_words(need)))
    rows += [_breathing_row(label, name, found.breathing) for name, label in BREATHING.items()]
    return filled(found.path, ("figure", "value", "needs"), rows)


def _breathing_row(label: str, name: str, minutes: Sequence[Respiration]) -> tuple[str, str, str]:
    """Return the median rate of the minutes in which it can be told."""
    rate, count = median_rate(getattr(minute, name) for minute in minutes)
    of = counted(len(minutes), "minute")
    said = f"{rate} in {count} of {of}" if rate else "not known"
    return label, said, f"{WINDOW_S:.0f} s"


def _about(found: Hrv) -> Iterator[tuple[str, str, str]]:
    """Say of what the figures are, and what was done to it."""
    yield "length", f"{found.duration_s:.0f} s, {counted(found.intervals, 'interval')}", ""
    done = asdict(found.corrections)
    share, breaks = done.pop("share"), done.pop("breaks")
    counts = [f"{count} {kind.replace('_', ' ')}" for kind, count in done.items() if count]
    yield "corrected", ", ".join([f"{share:.1%}", *counts]), ""
    yield "pauses left out", str(breaks), ""
    yield "spectrum", found.method, ""
