"""``qrsd rhythm``: the kind of every heartbeat of recordings, and the rhythm."""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.table import Table

from config.settings import load
from daemon.commands.records import Outcomes, add_last, add_records, take_newest
from daemon.errors import ResultsNotWritable
from daemon.offline.drawing import require_matplotlib
from daemon.offline.results import make_folder, private_file, require_files, show
from daemon.offline.rhythm import KINDS, SAID, Rhythms, abnormal_share, shares, span_s, tell_rhythm
from daemon.recordings.record_names import unique_names
from daemon.tables import clock, counted, filled
from model.beat_kinds import Kind
from model.rhythm import CAUTION

RHYTHM = f"""\
Tells of each beat which kind it is (AAMI EC57): N as usual, S too early from above the ventricles,
V of the ventricles, F a fusion of both, Q not to be judged, as in noise; and of the rhythm pauses,
fast and slow rates, couplets and runs of V, bigeminy, trigeminy and atrial fibrillation. Limits are
the settings' (rhythm), the chain is the service's. docs/rhythm-card.md tells how often it errs.

This is {CAUTION}.

--beats-out writes NAME.csv for each record: sample (of the R peak, at 250 Hz), label and abnormal,
the probability that the beat is not N (empty for Q). --rhythm-out writes one with onset and end, in
samples at 250 Hz, and kind of each episode. Records of one name get their folders' names before it.

example:
  qrsd rhythm mitdb/100 mitdb/101 --mains 60 --beats-out beats/
  qrsd rhythm night.csv --picture night.png
  qrsd rhythm --last 1h                        (of what qrsd record wrote here)"""


def add_rhythm(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd rhythm``."""
    add_records(parser, RHYTHM, "*")
    add_last(parser)
    add = parser.add_argument
    add("--beats-out", type=Path, metavar="DIR", help="write each record's beats to a table")
    add("--rhythm-out", type=Path, metavar="DIR", help="write each record's episodes to a table")
    add("--picture", type=Path, metavar="FILE.png", help="draw the beats and episodes over time")
    parser.set_defaults(run=run_rhythm, refuse=parser.error)


def run_rhythm(args: argparse.Namespace) -> int:
    """Print the kinds of beats and the episodes of each record, and write what is asked for."""
    if bool(args.records) == bool(args.last):
        args.refuse("give either RECORD ... or --last TIME")
    if args.last:
        take_newest(args)
    require_files(args.picture)
    if args.picture:
        require_matplotlib()
    names = unique_names(args.records)
    _require_other_files(args, names.values())
    options = load().settings.rhythm
    outcomes = Outcomes(args, partial(tell_rhythm, options=options, last_s=args.last))
    recordings = []
    for found in outcomes:
        recordings.append(found)
        _write(found, names[found.path], args)
        if not args.json:
            show([_kinds_table(found.path, found.counts), _episodes_table(found)])
    gross = {kind: sum(found.counts[kind] for found in recordings) for kind in KINDS}
    if args.json:
        told = [
            {"record": each.path, "duration_s": each.duration_s, **each.figures()}
            for each in recordings
        ]
        print(json.dumps({"caution": CAUTION, "records": told, "gross": shares(gross)}))
    elif len(recordings) > 1:
        show([_kinds_table(f"gross, {counted(len(recordings), 'record')}", gross)])
    if args.picture and recordings:
        from daemon.offline.rhythm_picture import draw

        with private_file(args.picture):
            draw(recordings, args.picture)
    return outcomes.exit_code or outcomes.nothing_found


def _require_other_files(args: argparse.Namespace, names: Collection[str]) -> None:
    """Make the folders, and see to it that no table is written over a record or another table."""
    folders = [folder for folder in (args.beats_out, args.rhythm_out) if folder]
    for folder in folders:
        make_folder(folder, "another folder")
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise ResultsNotWritable(
            f"{folders[0]}: tables of beats and of episodes have the same names; choose two folders"
        )
    records = {Path(record).resolve() for record in args.records}
    for file in (folder / f"{name}.csv" for folder in folders for name in names):
        if file.resolve() in records:
            raise ResultsNotWritable(f"{file} is a record; choose another folder for its table")


def _kinds_table(title: str, counts: Mapping[Kind, int]) -> Table:
    total = sum(counts.values())
    rows = [
        (f"{kind} {SAID[kind]}", str(count), f"{count / total:.1%}" if total else "-")
        for kind, count in counts.items()
    ]
    share = abnormal_share(counts)
    rows.append(("S, V, F of judged", "", "-" if share is None else f"{share:.1%}"))
    return filled(title, ("beats", "number", "share"), rows)


def _episodes_table(found: Rhythms) -> Table:
    rows = [
        (each.kind.replace("_", " "), clock(onset_s), clock(end_s), f"{end_s - onset_s:.1f}")
        for each in found.episodes
        for onset_s, end_s in [span_s(each)]
    ]
    title = "episodes" if rows else "no episodes"
    return filled(title, ("kind", "onset", "end", "seconds"), rows, CAUTION)


def _write(found: Rhythms, name: str, args: argparse.Namespace) -> None:
    if args.beats_out:
        beats = (
            (beat.r_index, beat.kind, "" if beat.abnormal is None else f"{beat.abnormal:.4f}")
            for beat in found.beats
        )
        _write_rows(args.beats_out / f"{name}.csv", ("sample", "label", "abnormal"), beats)
    if args.rhythm_out:
        episodes = ((each.onset, each.end, each.kind) for each in found.episodes)
        _write_rows(args.rhythm_out / f"{name}.csv", ("onset", "end", "kind"), episodes)


def _write_rows(file: Path, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with private_file(file, "another folder"), file.open("w", newline="") as lines:
        table = csv.writer(lines)
        table.writerow(headings)
        table.writerows(rows)
