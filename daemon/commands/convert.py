"""``qrsd convert``: a recording in another format."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from daemon.commands.parts import add_mains, describe
from daemon.offline.converting import convert

CONVERT = """\
The suffix of OUT says what it becomes: .bdf (24 bits), .edf (16 bits), .hea (WFDB), .csv (the
loggers' layout), or .txt: the RR intervals in ms, a line each, as Kubios and others read. All
signals in mV are taken, with the annotations of BDF, EDF and WFDB (.atr). For RR intervals the R
peaks are those that BDF or EDF has annotated; else qrsd's own detector finds them.

RECORD is a BDF or EDF file, a WFDB record, with or without .hea, or a text table of codes or
voltages.

examples:
  qrsd convert bench.bdf bench.edf
  qrsd convert 2026-11-28T105539Z.bdf kubios.txt"""


def add_convert(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd convert``."""
    describe(parser, CONVERT)
    parser.add_argument("record", metavar="RECORD", help="what to read")
    parser.add_argument("out", type=Path, metavar="OUT", help="what to write")
    add_mains(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Convert one recording."""
    for note in convert(args.record, args.out, args.mains):
        print(f"note: {args.record}: {note}", file=sys.stderr)
    return 0
