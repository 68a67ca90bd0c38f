"""``qrsd convert``: a recording in another format."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from config.settings import load
from daemon.commands.parts import add_identity, add_mains, describe, identity_of
from daemon.offline.converting import convert
from daemon.recordings.encryption import is_encrypted, read_recipients
from daemon.recordings.errors import RecipientUnusable

CONVERT = """\
The suffix of OUT says what it becomes: .bdf (24 bits), .edf (16 bits), .hea (WFDB), .csv (the
loggers' layout), or .txt: the RR intervals in ms, a line each, as Kubios and others read. All
signals in mV are taken, with the annotations of BDF, EDF, WFDB (.atr) and qrsd's own tables. For RR
intervals the R peaks are those that BDF or EDF has annotated; else qrsd's own detector finds them.
With .age behind it, as in .bdf.age, OUT is encrypted for the public keys of age that --recipient
gives. See docs/recordings.md.

RECORD is a BDF or EDF file, a WFDB record, with or without .hea, or a text table of codes or
voltages.

examples:
  qrsd convert bench.bdf bench.edf
  qrsd convert 2026-11-28T105539Z.bdf kubios.txt
  qrsd convert bench.bdf bench.bdf.age --recipient age1...
  qrsd convert bench.bdf.age bench.csv --identity key.txt"""


def add_convert(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd convert``."""
    describe(parser, CONVERT)
    parser.add_argument("record", metavar="RECORD", help="what to read")
    parser.add_argument("out", type=Path, metavar="OUT", help="what to write")
    add_mains(parser)
    add_identity(parser)
    add_recipients(parser)
    parser.set_defaults(run=run)


def add_recipients(parser: argparse.ArgumentParser) -> None:
    """Add for whom OUT is encrypted."""
    parser.add_argument(
        "--recipient",
        action="append",
        default=[],
        metavar="age1...",
        help="public key for which an OUT that ends in .age is encrypted (default: "
        "record.recipient); once for each",
    )
    parser.add_argument(
        "--recipients-file", type=Path, metavar="FILE", help="with such keys, one a line"
    )


def recipients_of(args: argparse.Namespace) -> list[str]:
    """Return the public keys for which OUT is to be encrypted.

    Raises:
        RecipientUnusable: there are keys and an OUT that is not encrypted, or the reverse.
    """
    keys = [*args.recipient]
    if args.recipients_file:
        keys += read_recipients(args.recipients_file)
    if not is_encrypted(args.out):
        if keys:
            raise RecipientUnusable(
                f"{args.out} would not be encrypted: call it {args.out.name}.age."
            )
        return []
    keys = keys or list(filter(None, [load().settings.record.recipient]))
    if not keys:
        raise RecipientUnusable(
            f"{args.out} is to be encrypted, but for whom? --recipient age1..., a public key as "
            "age-keygen prints it, or the setting record.recipient."
        )
    return keys


def run(args: argparse.Namespace) -> int:
    """Convert one recording."""
    keys = recipients_of(args)
    identity = identity_of(args, [args.record])
    for note in convert(args.record, args.out, args.mains, identity, keys):
        print(f"note: {args.record}: {note}", file=sys.stderr)
    return 0
