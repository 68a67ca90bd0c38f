"""``qrsd detect``, ``embed``, ``identify`` and ``verify``: recordings through the whole chain."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from rich.console import Console
from rich.progress import track

from config.folders import recordings_folder
from config.settings import load
from daemon.commands.exit_codes import exit_code
from daemon.commands.parts import (
    A_RECORD,
    add_gallery,
    add_identity,
    add_jobs,
    add_mains,
    add_model,
    describe,
    duration_s,
    identity_of,
    model_of,
)
from daemon.offline.analysis import ChainRun, OfRecording, analyse, find_beats, side_by_side
from daemon.offline.excerpt import newest_first
from daemon.offline.recognition import embed, hint_in_words, last_decision, open_with_people
from daemon.offline.results import make_folder, private_file
from daemon.offline.scoring import pool
from daemon.recordings.errors import RecordingError, SignalNotFound
from daemon.recordings.record_names import record_name, unique_names
from daemon.recordings.recording import OpenRecording
from daemon.recordings.sample_clock import LEAST_RATE_HZ, MOST_RATE_HZ
from daemon.recordings.signal_file import Reading
from daemon.tables import counted
from daemon.terminal import plain
from model.calibration import LARGEST_LN_RATIO
from model.comparison import compare
from model.opening import open_network
from model.recogniser import SWAPPED
from model.verdict import Verdict

SAME, DIFFERENT, UNDECIDED = 0, 1, 3
NOTHING_FOUND = 65  # not one good beat

Outcome = TypeVar("Outcome", bound=OfRecording)

DETECT = """\
The filters and the detector are those of the service. Writes one NAME.txt for each record, with a
line for each heartbeat: the index at 250 Hz of the sample in which its R wave peaks.

--annotations atr compares them with the beats that RECORD.atr marks, one to one within 150 ms, as
ANSI/AAMI EC57 has it: Se is the share of the annotated beats that was found, PPV that of the found
beats that is annotated. All of the record counts, but for ventricular flutter.

example:
  qrsd detect mitdb/100 mitdb/101 --annotations atr --out beats/
  qrsd detect mitdb/100 mitdb/101 --signal MLII --out beats/"""

EMBED = """\
Writes an .npz (numpy.load) with a row for each beat: record (the path as given), r_index (at
250 Hz), quality (0 to 1), good (whether the service would count the beat) and embedding; and once
model_sha256 and cohort, the strangers that scores are compared with, unless the model has none.

example:
  qrsd embed ecg-id/Person_01/rec_1 ecg-id/Person_02/rec_1 --out beats.npz"""

IDENTIFY = """\
Prints the decision after the last beat of each record, as the service would have made it: the name,
`unknown`, `undecided` if there were too few good beats, or `suspect` if the record repeats itself
or beats like a clock (what then is the setting liveness.on_suspicion). Says so if an unknown would
be somebody with the electrodes in each other's place.

example:
  qrsd identify monday.csv tuesday.csv --signal "Channel 2\""""

VERIFY = """\
Prints how many times as likely two such recordings are if they are one person's than if they are
two people's, and the probability that follows where both were as likely before; above one half the
verdict is the same person. With --json, ln_likelihood_ratio is the natural logarithm of the ratio.

The exit code is 0 for the same person, 1 for different persons, 3 without a good beat in each.

example:
  qrsd verify ecg-id/Person_01/rec_1 ecg-id/Person_01/rec_2"""


def add_detect(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd detect``."""
    add_records(parser, DETECT)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write to")
    parser.add_argument(
        "--annotations", metavar="SUFFIX", help="of the records' annotation files, to compare with"
    )
    parser.set_defaults(run=run_detect)


def add_embed(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd embed``."""
    add_records(parser, EMBED)
    parser.add_argument("--out", type=Path, required=True, metavar="F.npz", help="file to write")
    add_model(parser)
    parser.set_defaults(run=run_embed)


def add_identify(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd identify``."""
    add_records(parser, IDENTIFY)
    add_gallery(parser)
    add_model(parser)
    parser.set_defaults(run=run_identify)


def add_verify(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd verify``."""
    add_records(parser, VERIFY, 2)
    add_model(parser)
    parser.set_defaults(run=run_verify)


def add_records(parser: argparse.ArgumentParser, details: str, count: int | str = "+") -> None:
    """Add what all of these share."""
    describe(parser, details)
    parser.epilog = A_RECORD
    parser.add_argument("records", nargs=count, metavar="RECORD")
    add_reading(parser)
    add_mains(parser)
    add_jobs(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object, for scripts")


def add_reading(parser: argparse._ActionsContainer) -> None:
    """Add the options that say how a record is to be read."""
    parser.add_argument(
        "--signal",
        action="append",
        metavar="NAME|NUMBER",
        help="which signal: its name, or its number from 0; once for all records or once for each "
        "(default: the first with an ECG)",
    )
    parser.add_argument(
        "--rate", type=_rate, metavar="HZ", help="samples per second, where a file does not say it"
    )
    parser.add_argument(
        "--unit",
        choices=("code", "nV", "uV", "mV", "V"),
        help="of a signal, where a file does not say it (default: code)",
    )
    parser.add_argument(
        "--gain",
        type=int,
        choices=(1, 2, 3, 4, 6, 8, 12),
        help="of the chip when a file's codes were taken (default: 6)",
    )
    add_identity(parser)


def add_last(parser: argparse._ActionsContainer) -> None:
    """Add the other way to say which record."""
    parser.add_argument(
        "--last",
        type=duration_s,
        metavar="TIME",
        help="the newest so long, as 10min, of what qrsd record wrote",
    )


def take_newest(args: argparse.Namespace) -> Path:
    """Take the recorder's folder for the record, with the key of its files; return it."""
    folder = Path(load().settings.record.folder or recordings_folder())
    args.identity = identity_of(args, map(str, newest_first(folder)))
    args.records = [str(folder)]
    return folder


def reading_of(args: argparse.Namespace) -> Reading:
    """Return what the command line says of the records."""
    return Reading(args.rate, args.unit, args.gain, identity_of(args, args.records))


def _rate(text: str) -> float:
    rate_hz = float(text)
    if not LEAST_RATE_HZ <= rate_hz <= MOST_RATE_HZ:
        raise argparse.ArgumentTypeError(
            f"{text} is not within {LEAST_RATE_HZ:g} and {MOST_RATE_HZ:g} Hz"
        )
    return rate_hz


def signals_of(args: argparse.Namespace) -> list[str | None]:
    """Return which signal of each record is meant, None for the first with an ECG."""
    given: list[str | None] = args.signal or [None]
    if len(given) not in (1, len(args.records)):
        raise SignalNotFound(
            f"--signal is given {len(given)} times for {len(args.records)} records; give it once, "
            "or once for each record in their order."
        )
    return given * len(args.records) if len(given) == 1 else given


def _try(job: tuple[str, str | None], work: Callable[..., Outcome]) -> Outcome | RecordingError:
    """Do some work on one signal of a record, and return what it raises if it cannot be read."""
    path, signal = job
    try:
        return work(path, signal)
    except RecordingError as error:
        return error


class Outcomes(Generic[Outcome]):
    """What some work makes of each record of a command line; those that cannot be read are told."""

    def __init__(self, args: argparse.Namespace, work: Callable[..., Outcome]) -> None:
        self._processes = args.jobs
        of_record = partial(work, mains_hz=args.mains, reading=reading_of(args))
        self._work: Callable[[tuple[str, str | None]], Outcome | RecordingError] = partial(
            _try, work=of_record
        )
        self._jobs = list(zip(args.records, signals_of(args), strict=True))
        self.signal: str | None = None  # that was asked for of the record in hand
        self.exit_code = 0  # or that of the first record that could not be read
        self.nothing_found = 0  # or the exit code of a record without a good beat

    def __iter__(self) -> Iterator[Outcome]:
        """Yield the outcomes, and say on standard error how far it is and what was assumed."""
        console = Console(stderr=True)
        outcomes = side_by_side(self._work, self._jobs, self._processes)
        for outcome, (_, signal) in track(
            zip(outcomes, self._jobs, strict=True),
            "Reading records",
            total=len(self._jobs),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        ):
            self.signal = signal
            if isinstance(outcome, RecordingError):
                print(f"qrsd: {plain(str(outcome))}", file=sys.stderr)
                self.exit_code = self.exit_code or exit_code(outcome)
                continue
            self.nothing_found = tell_of(outcome) or self.nothing_found
            yield outcome


def tell_of(outcome: OfRecording) -> int:
    """Say on standard error what was assumed, and why there is no good beat; return the code."""
    for note in outcome.notes:
        print(f"note: {plain(f'{outcome.path}: {note}')}", file=sys.stderr)
    if not outcome.nothing_because:
        return 0
    said = plain(f"{outcome.path}: no good beat: {outcome.nothing_because}")
    print(f"qrsd: {said}.", file=sys.stderr)
    return NOTHING_FOUND


def run_detect(args: argparse.Namespace) -> int:
    """Write the R peaks of each record to a file of its own."""
    names = unique_names(args.records)
    make_folder(args.out)
    outcomes = Outcomes(args, partial(find_beats, annotator=args.annotations))
    rows, scores = [], []
    for found in outcomes:
        file = args.out / f"{names[found.path]}.txt"
        with private_file(file, "another --out"), file.open("w") as lines:
            lines.writelines(f"{index}\n" for index in found.r_indices)
        row = {"record": found.path, "file": str(file), "beats": len(found.r_indices)}
        row["duration_s"] = found.duration_s
        if found.score:
            scores.append(found.score)
            row["score"] = found.score.figures()
        rows.append(row)
        if names[found.path] != record_name(found.path):
            said = plain(f"{found.path} is one of several of its name: {file}")
            print(f"note: {said}", file=sys.stderr)
    gross = pool(scores) if scores else None
    report(args, rows, _beats_line, **({"gross": gross.figures()} if gross else {}))
    if gross and not args.json:
        print(f"gross, {counted(len(scores), 'record')}: {_in_words(gross.figures())}")
    return outcomes.exit_code or outcomes.nothing_found


def _beats_line(row: dict[str, Any]) -> str:
    scored = f"{_in_words(row['score'])}  " if "score" in row else ""
    return f"{row['beats']:6d} beats in {row['duration_s']:7.1f} s  {scored}{row['file']}"


def _in_words(score: dict[str, Any]) -> str:
    rates = {"Se": score["sensitivity_percent"], "PPV": score["positive_predictivity_percent"]}
    said = [f"{name} {'-' if rate is None else f'{rate:.2f}'} %" for name, rate in rates.items()]
    return ", ".join([*said, f"{score['missed']} missed, {score['invented']} invented"])


def run_embed(args: argparse.Namespace) -> int:
    """Write what the network makes of each beat to one .npz."""
    network = open_network(model_of(args, load().settings))
    outcomes = Outcomes(args, analyse)
    recordings = list(outcomes)
    arrays = embed(recordings, network)
    with private_file(args.out, "another --out"), args.out.open("wb") as file:
        np.savez(file, **arrays)
    rows = [
        {
            "record": analysis.path,
            "beats": len(analysis.beats),
            "good": sum(beat.quality.good for beat in analysis.beats),
        }
        for analysis in recordings
    ]
    report(args, rows, "{beats:6d} beats, {good:6d} of them good  {record}".format_map)
    return outcomes.exit_code or outcomes.nothing_found


def run_identify(args: argparse.Namespace) -> int:
    """Print the last decision on each record."""
    settings = load().settings
    network, templates = open_with_people(model_of(args, settings), args.gallery)
    if not templates and network.passport.kind == "embedder":
        print(f"note: {args.gallery}: nobody is enrolled with this model", file=sys.stderr)
    outcomes = Outcomes(args, analyse)
    rows = []
    for analysis in outcomes:
        again = OpenRecording(analysis.path, outcomes.signal, reading_of(args))
        inverted = ChainRun(again, args.mains, inverted=True).events()
        decision = last_decision(analysis.events, inverted, network, templates, settings)
        rows.append({"record": analysis.path, **asdict(decision)})
    report(args, rows, _identity_line)
    return outcomes.exit_code or outcomes.nothing_found


def _identity_line(row: dict[str, Any]) -> str:
    who = row["person"] or row["state"]
    sure = "" if row["confidence"] is None else f"{row['confidence']:.0%}"
    swapped = row["hint"] == SWAPPED
    why = "the electrodes may be swapped" if swapped else hint_in_words(row["hint"] or "")
    hint = f"  ({why})" if why else ""
    return f"{who:20} {sure:>4}  {row['beats']:3d} beats  {row['record']}{hint}"


def run_verify(args: argparse.Namespace) -> int:
    """Print whether two records are one person's, and say it by the exit code."""
    network = open_network(model_of(args, load().settings))
    outcomes = Outcomes(args, analyse)
    analyses = list(outcomes)
    if outcomes.exit_code:
        return outcomes.exit_code
    verdict = compare(analyses[0].beats, analyses[1].beats, network)
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


def report(
    args: argparse.Namespace,
    rows: list[dict[str, Any]],
    line: Callable[[dict[str, Any]], str],
    **of_all: Any,
) -> None:
    """Print the rows on standard output, as JSON or as a line each."""
    if args.json:
        print(json.dumps({"records": rows, **of_all}))
        return
    for row in rows:
        print(plain(line(row)))
