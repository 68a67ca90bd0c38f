"""``qrsd detect``, ``embed``, ``identify`` and ``verify``: recordings through the whole chain."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from config.folders import gallery_path
from config.settings import load
from daemon.commands.parts import at_least, writing
from daemon.offline.hearing import Heard, hear, hear_all
from daemon.offline.recognition import (
    Verdict,
    compare,
    decide,
    open_network,
    open_with_people,
    suspicions,
)
from daemon.recordings.errors import RecordingError
from daemon.recordings.record_names import record_name, unique_names
from daemon.service.decision import apply_liveness
from daemon.wire.messages import SWAPPED
from dsp.liveness import IN_WORDS
from model.identifier import Identifier
from model.passport import LARGEST_LN_RATIO
from model.tensor import normalise

SAME, DIFFERENT, UNDECIDED = 0, 1, 3
A_RECORD = """\
A RECORD is a WFDB record, with or without .hea, or a .csv file of raw ADC codes with the columns
`timestamp, Channel 1, Channel 2, Channel 3`. Whatever its rate, it is resampled to 250 Hz."""

DETECT = """\
Find the heartbeats of recordings, with the filters and the detector of the service.

Writes one NAME.txt for each record, with a line for each heartbeat: the index at 250 Hz of the
sample in which its R wave peaks.

example:
  qrsd detect mitdb/100 mitdb/101 --signal MLII --out beats/"""

EMBED = """\
Put each heartbeat of recordings through the network and keep what comes out.

Writes an .npz (numpy.load) with a row for each beat: record (the path as given), r_index (at
250 Hz), quality (0 to 1), good (whether the service would count the beat) and embedding; and once
model_sha256 and cohort, the strangers that scores are compared with, unless the model has none.

example:
  qrsd embed ecg-id/Person_01/rec_1 ecg-id/Person_02/rec_1 --out beats.npz"""

IDENTIFY = """\
Say whose heart each recording is, among the enrolled people.

Prints the decision after the last beat of each record, as the service would have made it: the name,
`unknown`, `undecided` if there were too few good beats, or `suspect` if the record repeats itself
or beats like a clock (what then is the setting liveness.on_suspicion). Says so if an unknown would
be somebody with the electrodes in each other's place.

example:
  qrsd identify monday.csv tuesday.csv --signal "Channel 2\""""

VERIFY = """\
Say whether two recordings are the same person's, without enrolling anybody.

Prints how many times as likely two such recordings are if they are one person's than if they are
two people's, and the probability that follows where both were as likely before; above one half the
verdict is the same person. With --json, ln_likelihood_ratio is the natural logarithm of the ratio.

The exit code is 0 for the same person, 1 for different persons, 3 without a good beat in each.

example:
  qrsd verify ecg-id/Person_01/rec_1 ecg-id/Person_01/rec_2"""


def add_parsers(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands that work on recordings and need no service."""
    detect = _add_parser(subparsers, "detect", DETECT)
    detect.add_argument("records", nargs="+", metavar="RECORD")
    detect.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write to")
    detect.set_defaults(run=run_detect)

    embed = _add_parser(subparsers, "embed", EMBED)
    embed.add_argument("records", nargs="+", metavar="RECORD")
    embed.add_argument("--out", type=Path, required=True, metavar="F.npz", help="file to write")
    _add_model(embed)
    embed.set_defaults(run=run_embed)

    identify = _add_parser(subparsers, "identify", IDENTIFY)
    identify.add_argument("records", nargs="+", metavar="RECORD")
    identify.add_argument(
        "--gallery",
        type=Path,
        default=gallery_path(),
        metavar="PATH",
        help="file of enrolled people (default: %(default)s)",
    )
    _add_model(identify)
    identify.set_defaults(run=run_identify)

    verify = _add_parser(subparsers, "verify", VERIFY)
    verify.add_argument("records", nargs=2, metavar="RECORD")
    _add_model(verify)
    verify.set_defaults(run=run_verify)


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", type=Path, metavar="PATH", help="another .tflite than qrsd's own"
    )


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
        "--jobs",
        type=at_least(1),
        metavar="N",
        help="records at a time (default: one for each core)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, for scripts")
    return parser


class Hearing:
    """Goes through records, with a progress bar, and past those that cannot be read.

    Attributes:
        exit_code: 0, or that of the first record that could not be read.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self.exit_code = 0

    def __iter__(self) -> Iterator[Heard]:
        console = Console(stderr=True)
        args = self._args
        for outcome in track(
            hear_all(args.records, args.signal, args.mains, args.jobs),
            "Listening",
            total=len(args.records),
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
    names = unique_names(args.records)
    with writing(args.out, "another --out"):
        args.out.mkdir(parents=True, exist_ok=True)
    hearing = Hearing(args)
    rows = []
    for heard in hearing:
        file = args.out / f"{names[heard.path]}.txt"
        peaks = heard.r_peaks
        with writing(file, "another --out"):
            file.write_text("".join(f"{peak.index}\n" for peak in peaks))
        row = {"record": heard.path, "file": str(file), "beats": len(peaks)}
        rows.append({**row, "duration_s": heard.duration_s})
        if names[heard.path] != record_name(heard.path):
            print(f"note: {heard.path} is one of several of its name: {file}", file=sys.stderr)
    _report(args, rows, "{beats:6d} beats in {duration_s:7.1f} s  {file}".format_map)
    return hearing.exit_code


def run_embed(args: argparse.Namespace) -> int:
    """Write what the network makes of each beat to one .npz."""
    network = open_network(args.model)
    hearing = Hearing(args)
    beats: list[tuple[str, int, float, bool]] = []
    embeddings = [np.empty((0, network.passport.tensors.outputs), np.float32)]
    rows = []
    for heard in hearing:
        of_record = heard.beats
        beats += [
            (heard.path, beat.r_index, beat.quality.score, beat.quality.good) for beat in of_record
        ]
        embeddings.append(network.run(normalise(heard.windows_mv)))
        good = sum(beat.quality.good for beat in of_record)
        rows.append({"record": heard.path, "beats": len(of_record), "good": good})
    columns = list(zip(*beats, strict=True)) or [(), (), (), ()]
    arrays: dict[str, Any] = {
        "record": np.array(columns[0], dtype=np.str_),
        "r_index": np.array(columns[1], dtype=np.int64),
        "quality": np.array(columns[2], dtype=np.float64),
        "good": np.array(columns[3], dtype=np.bool_),
        "embedding": np.concatenate(embeddings),
        "model_sha256": np.array(network.passport.sha256),
    }
    if network.passport.cohort is not None:
        arrays["cohort"] = network.passport.cohort.embeddings
    with writing(args.out, "another --out"), args.out.open("wb") as file:
        np.savez(file, **arrays)
    _report(args, rows, "{beats:6d} beats, {good:6d} of them good  {record}".format_map)
    return hearing.exit_code


def run_identify(args: argparse.Namespace) -> int:
    """Print the last decision on each record."""
    network, templates = open_with_people(args.model, args.gallery)
    if not templates and network.passport.kind == "embedder":
        print(f"note: {args.gallery}: nobody is enrolled with this model", file=sys.stderr)
    liveness = load().settings.liveness
    hearing = Hearing(args)
    rows = []
    for heard in hearing:
        identity = decide(heard, network, Identifier(network.passport, templates))
        said = apply_liveness(identity, suspicions(heard)[-1], liveness)
        if said.state == "unknown" and said.hint is None and templates:
            inverted = hear(heard.path, args.signal, args.mains, inverted=True)
            upside_down = decide(inverted, network, Identifier(network.passport, templates))
            said = replace(said, hint=SWAPPED if upside_down.state == "accepted" else None)
        rows.append({"record": heard.path, **asdict(said)})
    _report(args, rows, _identity_line)
    return hearing.exit_code


def _identity_line(row: dict[str, Any]) -> str:
    who = row["person"] or row["state"]
    sure = "" if row["confidence"] is None else f"{row['confidence']:.0%}"
    why = IN_WORDS.get(row["hint"], "the electrodes may be swapped")
    hint = f"  ({why})" if row["hint"] else ""
    return f"{who:20} {sure:>4}  {row['beats']:3d} beats  {row['record']}{hint}"


def run_verify(args: argparse.Namespace) -> int:
    """Print whether two records are one person's, and say it by the exit code."""
    network = open_network(args.model)
    hearing = Hearing(args)
    heard = list(hearing)
    if hearing.exit_code:
        return hearing.exit_code
    verdict = compare(heard[0], heard[1], network)
    if args.json:
        print(json.dumps({"records": args.records, **asdict(verdict)}))
    else:
        print(explained(verdict))
    return UNDECIDED if verdict.same is None else SAME if verdict.same else DIFFERENT


def explained(verdict: Verdict) -> str:
    """Say in words what a verdict means."""
    if verdict.ln_likelihood_ratio is None:
        return "undecided: there is no good beat in one of the recordings, or in neither"
    called, likelier, other = (
        ("the same person", "one person's", "two people's")
        if verdict.same
        else ("different persons", "two people's", "one person's")
    )
    return (
        f"{called}: the signals are {_times(abs(verdict.ln_likelihood_ratio))} as likely if they "
        f"are {likelier} than if they are {other} (probability {verdict.probability:.1%} of being "
        f"the same if both were as likely before; score {verdict.score:.2f} on "
        f"{verdict.beats} {'beat' if verdict.beats == 1 else 'beats'})"
    )


def _times(ln_ratio: float) -> str:
    """Write a ratio with the two digits that it is good for."""
    if ln_ratio >= LARGEST_LN_RATIO:
        return f"{math.exp(LARGEST_LN_RATIO):.0f} times or more"
    return f"{float(f'{math.exp(ln_ratio):.2g}'):g} times"


def _report(
    args: argparse.Namespace, rows: list[dict[str, Any]], line: Callable[[dict[str, Any]], str]
) -> None:
    """Print the rows on standard output, as JSON or as a line each."""
    if args.json:
        print(json.dumps({"records": rows}))
        return
    for row in rows:
        print(line(row))
