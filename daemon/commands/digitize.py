"""``qrsd digitize``: an ECG on paper becomes a recording."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

import numpy as np

from daemon.commands.parts import at_least, describe
from daemon.paper.digitizing import Asked, digitize
from daemon.paper.page import Box, read_page
from daemon.paper.pulse import GAINS_MM_PER_MV, SPEEDS_MM_PER_S
from daemon.paper.writing import require_format, write
from daemon.terminal import plain

DIGITIZE = """\
PAGE is a scan, a photograph or a picture of a screen (PNG, JPEG, TIFF) or a PDF, upright to within
40 degrees, with its millimetre grid. One strip of it is written: the ECG at 250 Hz, and as a second
signal the standard error of each sample. What a page cannot be trusted for is refused. The suffix
of OUT says what it becomes: .bdf, .hea (WFDB) or .csv.

Speed and gain are read off the calibration pulse; where there is none, say what is printed on the
page. Of a page where leads change within a row, give --box around one. See docs/paper.md.

examples:
  qrsd digitize scan.png heart.bdf
  qrsd digitize report.pdf heart.csv --page 2 --speed 25 --gain 10
  qrsd digitize photo.jpg heart.bdf --box 120,900,2900,600"""


def add_digitize(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd digitize``."""
    describe(parser, DIGITIZE)
    add = parser.add_argument
    add("page", type=Path, metavar="PAGE", help="what to read")
    add("out", type=Path, metavar="OUT", help="what to write")
    add("--speed", type=float, choices=SPEEDS_MM_PER_S, metavar="MM/S", help="25 or 50")
    add("--gain", type=float, choices=GAINS_MM_PER_MV, metavar="MM/MV", help="5, 10 or 20")
    add(
        "--grid",
        type=float,
        choices=(1.0, 5.0),
        metavar="MM",
        help="1 or 5 from a line to the next, where all lines are alike",
    )
    add("--box", type=_box, metavar="X,Y,W,H", help="left, top, width and height in pixels")
    add("--strip", type=at_least(1), metavar="N", help="from the top (default: the longest)")
    add("--page", dest="number", type=at_least(1), default=1, metavar="N", help="of a PDF or TIFF")
    add("--json", action="store_true", help="print what was read as JSON")
    parser.set_defaults(run=run)


def _box(text: str) -> Box:
    if not re.fullmatch(r"\d{1,6}(,\d{1,6}){3}", text):
        raise argparse.ArgumentTypeError(f"{text} is not left,top,width,height in pixels")
    left, top, width, height = map(int, text.split(","))
    return left, top, width, height


def run(args: argparse.Namespace) -> int:
    """Read one strip, write it, and say how good it is and what was assumed."""
    require_format(args.out)
    picture = read_page(args.page, args.number, args.box)
    found = digitize(picture, Asked(args.speed, args.gain, args.grid, args.strip))
    write(found, args.out)
    scale, error_mv = found.scale, float(np.nanmean(found.error_mv))
    if args.json:
        told = {
            "duration_s": found.seconds,
            "mm_per_s": scale.mm_per_s,
            "mm_per_mv": scale.mm_per_mv,
            "quality": found.quality,
            "error_mv": error_mv,
            "notes": found.notes,
        }
        print(json.dumps(told))
        return 0
    for note in found.notes:
        print(f"note: {plain(f'{args.page}: {note}')}", file=sys.stderr)
    print(
        f"{found.seconds:.1f} s at {scale.mm_per_s:g} mm/s and {scale.mm_per_mv:g} mm/mV, "
        f"quality {found.quality:.2f}, mean standard error {error_mv:.3f} mV"
    )
    return 0
