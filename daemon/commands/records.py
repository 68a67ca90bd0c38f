"""``qrsd detect``, ``embed``, ``identify`` and ``verify``: recordings through the whole chain."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from os.path import abspath
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from daemon.offline import Heard, hear_all
from drivers.waveforms.errors import RecordingError

A_RECORD = """\
A RECORD is a WFDB record, with or without .hea, or a .csv file of raw ADC codes with the columns
`timestamp, Channel 1, Channel 2, Channel 3`. Whatever its rate, it is resampled to 250 Hz."""

DETECT = """\
Find the heartbeats of recordings, with the filters and the detector of the service.

Writes one NAME.txt for each record, with a line for each heartbeat: the index at 250 Hz of the
sample in which its R wave peaks.

example:
  qrsd detect mitdb/100 mitdb/101 --signal MLII --out beats/"""


def add_parsers(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands that work on recordings and need no service."""
    detect = _add_parser(subparsers, "detect", DETECT)
    detect.add_argument("records", nargs="+", metavar="RECORD")
    detect.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write to")
    detect.set_defaults(run=run_detect)


def _add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], name: str, description: str
) -> argparse.ArgumentParser:
    """Add a command with the options that all of these share."""
    parser = subparsers.add_parser(
        name,
        help=description.splitlines()[0].rstrip("."),
        description=description,
        epilog=A_RECORD,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--signal",
        default="0",
        metavar="NAME|NUMBER",
        help="which signal of each record: its name, or its number from 0 (default: 0)",
    )
    parser.add_argument(
        "--mains", type=int, choices=(50, 60), default=50, help="grid frequency in Hz (default: 50)"
    )
    parser.add_argument(
        "--jobs", type=_positive, metavar="N", help="records at a time (default: one for each core)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, for scripts")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not 1 or more")
    return number


class Hearing:
    """Goes through records, with a progress bar, and past those that cannot be read.

    Attributes:
        exit_code: 0, or that of the first record that could not be read.
    """

    def __init__(self, records: Sequence[str], args: argparse.Namespace) -> None:
        self._records = records
        self._args = args
        self.exit_code = 0

    def __iter__(self) -> Iterator[Heard]:
        console = Console(stderr=True)
        args = self._args
        for outcome in track(
            hear_all(self._records, args.signal, args.mains, args.jobs),
            "Listening",
            total=len(self._records),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        ):
            if isinstance(outcome, RecordingError):
                print(f"qrsd: {outcome}", file=sys.stderr)
                self.exit_code = self.exit_code or outcome.exit_code
                continue
            for note in outcome.notes:
                print(f"note: {outcome.path}: {note}", file=sys.stderr)
            yield outcome


def run_detect(args: argparse.Namespace) -> int:
    """Write the R peaks of each record to a file of its own."""
    args.out.mkdir(parents=True, exist_ok=True)
    names = unique_names(args.records)
    hearing = Hearing(args.records, args)
    rows = []
    for heard in hearing:
        file = args.out / f"{names[heard.path]}.txt"
        peaks = heard.r_peaks
        file.write_text("".join(f"{peak.index}\n" for peak in peaks))
        row = {"record": heard.path, "file": str(file), "beats": len(peaks)}
        rows.append({**row, "duration_s": heard.duration_s})
        if names[heard.path] != record_name(heard.path):
            print(f"note: {heard.path} is one of several of its name: {file}", file=sys.stderr)
    _report(args, rows, "{beats:6d} beats in {duration_s:7.1f} s  {file}")
    return hearing.exit_code


def record_name(path: str) -> str:
    """Return a record's own name: its path without folders and suffix."""
    return _parts(path)[-1]


def unique_names(paths: Sequence[str]) -> dict[str, str]:
    """Name each record by its own name, and those that share one by as many folders as it takes.

    ``Person_01/rec_1`` and ``Person_02/rec_1`` become ``Person_01_rec_1`` and ``Person_02_rec_1``.
    What folders cannot tell apart, such as ``a.csv`` beside ``a.hea``, is numbered.
    """
    paths = list(dict.fromkeys(paths))
    depths = dict.fromkeys(paths, 1)
    while True:
        names = {path: "_".join(_parts(path)[-depth:]) for path, depth in depths.items()}
        shared = {name for name, owners in Counter(names.values()).items() if owners > 1}
        deepen = [p for p in paths if names[p] in shared and depths[p] < len(_parts(p))]
        if not deepen:
            break
        for path in deepen:
            depths[path] += 1
    alike = [path for path in paths if names[path] in shared]
    return names | {path: f"{names[path]}_{1 + alike.index(path)}" for path in alike}


def _parts(path: str) -> tuple[str, ...]:
    whole = Path(abspath(path))
    return (whole.with_suffix("") if whole.suffix in (".hea", ".csv") else whole).parts[1:]


def _report(args: argparse.Namespace, rows: Sequence[dict[str, Any]], line: str) -> None:
    """Print the rows on standard output, as JSON or as a line each."""
    if args.json:
        print(json.dumps({"records": rows}))
        return
    for row in rows:
        print(line.format(**row))
