"""``qrsd data fetch``: public recordings to train, to measure and to play with."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from daemon.commands.parts import add_part
from daemon.offline.results import make_folder
from daemon.recordings.public_data import SETS, Archive, PublicSet, fetch_set

FETCH = """\
Get a public set of recordings from PhysioNet, with a checksum for every file.

  ecg-id   310 records of 90 people: qrsd train, evaluate identity, demo --data
  mitdb    48 records of half an hour with every beat annotated: qrsd benchmark
  ludb     200 people with 12 leads and annotated waves: qrsd train --leads, benchmark
  nstdb    noise of electrodes and muscles: qrsd benchmark noise

They are 12 to 100 MB. What is there already, whole, is not fetched again, so after an interruption
the same command goes on where it stopped. Licence and citations are printed.

example:
  qrsd data fetch ecg-id
  qrsd evaluate identity ecg-id"""


def add_data(data: argparse.ArgumentParser) -> None:
    """Add the command that gets recordings."""
    fetch = add_part(data.add_subparsers(required=True, metavar="WHAT"), "fetch", FETCH)
    fetch.add_argument("set", choices=tuple(SETS), help="which")
    fetch.add_argument(
        "--out", type=Path, metavar="DIR", help="folder for it (default: one of its name, here)"
    )
    fetch.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Fetch a set, and say how it may be used."""
    wanted = SETS[args.set]
    folder = args.out or Path(args.set)
    archive = Archive()
    make_folder(folder)
    records = archive.records(wanted)
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("records"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    with bars:
        on_record = partial(bars.advance, bars.add_task(f"Fetching {args.set}", total=len(records)))
        fetched = fetch_set(archive, records, folder, on_record)
    files = sum(map(len, records))
    print(
        f"{folder}: {len(records)} records in {files} files, {fetched} of them fetched now, all "
        "with the SHA-256 that PhysioNet publishes"
    )
    print(terms(wanted))
    print(f"Next: {wanted.use.format(folder=folder)}")
    return 0


def terms(wanted: PublicSet) -> str:
    """Return the licence of a set, and what to cite."""
    return "\n".join(
        [
            f"{wanted.title}, PhysioNet, {wanted.address}",
            f"Licence: {wanted.licence}",
            *(f"Cite: {citation}" for citation in wanted.citations),
        ]
    )
