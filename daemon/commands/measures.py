"""``qrsd hrv``: what the heart of a recording does, in figures."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial

from rich.table import Table

from daemon.commands.records import Outcomes, add_records
from daemon.offline.measuring import Variability, measure_variability
from daemon.offline.results import show
from daemon.tables import filled
from dsp.hrv import NEEDS, Hrv, Need

HRV = """\
Measures how the intervals between heartbeats vary. Ectopic, missed and false beats are corrected,
and their share is said; beyond 5 % of the intervals there is the mean only. Figures that need a
longer recording say so. docs/hrv.md tells each figure and how it is had.

example:
  qrsd hrv night.csv
  qrsd hrv mitdb/100 mitdb/101 --method lomb --json"""

LABELS = {
    "mean_rr_ms": "mean interval, ms",
    "heart_rate_bpm": "heart rate, bpm",
    "sdnn_ms": "SDNN, ms",
    "rmssd_ms": "RMSSD, ms",
    "sdsd_ms": "SDSD, ms",
    "pnn50_percent": "pNN50, %",
    "pnn20_percent": "pNN20, %",
    "triangular_index": "triangular index",
    "vlf_ms2": "VLF, ms^2",
    "lf_ms2": "LF, ms^2",
    "hf_ms2": "HF, ms^2",
    "lf_hf": "LF/HF",
    "lf_normalised_percent": "LF, % of both",
    "hf_normalised_percent": "HF, % of both",
    "sd1_ms": "SD1, ms",
    "sd2_ms": "SD2, ms",
    "approximate_entropy": "approximate entropy",
    "sample_entropy": "sample entropy",
    "dfa_alpha1": "DFA alpha 1",
    "dfa_alpha2": "DFA alpha 2",
}


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


def run_hrv(args: argparse.Namespace) -> int:
    """Print the figures of each record."""
    outcomes = Outcomes(args, partial(measure_variability, method=args.method))
    rows = []
    for found in outcomes:
        if args.json:
            needs = {name: asdict(need) for name, need in NEEDS.items()}
            rows.append({"record": found.path, **asdict(found.hrv), "needs": needs})
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
        rows.append((LABELS[name], said, _in_words(need)))
    return filled(found.path, ("figure", "value", "needs"), rows)


def _in_words(need: Need) -> str:
    if need.seconds:
        return f"{need.seconds:.0f} s{' without a break' if need.unbroken else ''}"
    return f"{need.intervals} intervals"


def _about(found: Hrv) -> Iterator[tuple[str, str, str]]:
    """Say of what the figures are, and what was done to it."""
    yield "length", f"{found.duration_s:.0f} s, {found.intervals} intervals", ""
    done = asdict(found.corrections)
    share, breaks = done.pop("share"), done.pop("breaks")
    counts = [f"{count} {kind.replace('_', ' ')}" for kind, count in done.items() if count]
    yield "corrected", ", ".join([f"{share:.1%}", *counts]), ""
    yield "pauses left out", str(breaks), ""
    yield "spectrum", found.method, ""
