"""``qrsd evaluate``, what a checkout adds: identity, attacks, renewal, beats and rhythm."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from benchmarks.cluster import add_dask, workers
from benchmarks.report import stage_bars
from benchmarks.training.half_hours import learnt_whole
from benchmarks.training.others import add_others, data_names, gather_others
from daemon.commands.parts import (
    Subparsers,
    add_jobs,
    add_json,
    add_mains,
    add_model,
    add_part,
    at_least,
)
from daemon.offline.results import hand_out, require_files, writing
from daemon.terminal import plain
from model.options import IdentifierOptions

IDENTITY = """\
Measure how well people are known again whom the network never saw (ISO/IEC 19795-1).

Each DATA holds a folder of WFDB records or a .csv file for each person. Persons are split into
folds; each fold is enrolled and probed through the service's own signal chain, model runtime,
gallery and identifier, with a network that was trained on the others. Everything is done again
for each seed, and pooled. With --leads, other electrodes are measured too: hearts of 12 leads, seen
from angles of up to 60 degrees away. With --also, networks learn from people of another device as
well, and some of these set thresholds; with --on, people of other devices are judged, by names that
do neither. A device that is in --on and not in --also is one that nothing was learned of. Of
records of half an hour everybody is learned from, so that they are for one or the other.

examples:
  qrsd evaluate identity ecg-id --leads ludb --json figures.json --pictures pictures/
  qrsd evaluate identity ecg-id --leads ludb --also cinc2017 svdb --on cinc2017 mitdb
  qrsd evaluate identity ecg-id --leads ludb --also svdb --on cinc2017   # leave one device out"""

ATTACKS = """\
Measure how many presentation attacks are told from a heart (ISO/IEC 30107-3).

Each DATA holds a folder of WFDB records or a .csv file for each person. Each person is enrolled by
the first recording and comes again with the others; of the second are made the attacks: a beat, a
few or all of them over and over, the mean beat drawn at a fixed and at a varied rate, with and
without noise added, a sine, a flat line, and the recording itself, played once. All goes through
the chip's steps and noise, the service's own signal chain, its check and its decision. People on
whom the check's thresholds were set (ECG-ID's Person_01 to Person_45) are left out.

APCER is what part of an attack's sessions passes for alive; APNRR, what part gives no beats at all;
BPCER, what part of the genuine sessions is taken for an attack. `accepted` is what the attacker
wants: to be taken for the victim, at the end or at any moment until the attack was told. A loop
is told eight beats into its second turn: with more --min-beats, less is accepted until then.
`enrolled` is what part of the sessions somebody would be enrolled by.

example:
  qrsd evaluate attacks ecg-id --json attacks.json --table attacks.md"""

RENEWAL = """\
Measure what renewable templates cost, and what one of another secret is worth (ISO/IEC 30136).

A sealed gallery's templates are turned by a secret (docs/privacy.md). Each DATA holds a folder of
WFDB records or a .csv file for each person, who is enrolled by the first recording and probed with
the others, ten beats each: equal error rates as it is, turned, with templates that another secret
had turned, and of telling that two galleries hold the same person. The model has learned from
people of ECG-ID: only the differences between these rates say something of others.

example:
  qrsd evaluate renewal ecg-id"""

BEATS = """\
Measure how well the kinds of beats are told (ANSI/AAMI EC57).

Each DATA is a folder of WFDB records with reference beats. All of the chain is the service's, so
that missed and invented beats count: sensitivity, +P and F1 of N, S, V and F, specificity,
accuracy, and of normal against abnormal F1 and AUC, for each beat and each 5 s; with 95 % intervals
over records, from a cold start and from 5 min on, with escape beats (e, j) as N and as S, and
without each record that holds more than half of all beats of a class. Records of pacemakers (102,
104, 107, 217) and ventricular flutter are left out.

example:
  qrsd evaluate beats mitdb --json beats.json --picture confusion.png"""

RHYTHM = """\
Measure how well episodes of the rhythm are found, by episodes and by time.

Each DATA is a folder of WFDB records with reference beats and rhythms, or of .npz files as of the
CinC Challenge 2017, whose records are in atrial fibrillation or not. Fibrillation and flutter,
bigeminy, trigeminy and ventricular tachycardia are as experts marked them; pauses, couplets, runs
of V and rates follow from their beats. Limits are the defaults of the settings. With --card the
beats are in it too.

example:
  qrsd evaluate rhythm mitdb cinc2017 --json rhythm.json --card docs/rhythm-card.md"""


def add_parts(parts: Subparsers) -> None:
    """Add to ``qrsd evaluate`` what measures the decisions from a checkout."""
    _add_identity(parts)
    _add_attacks(parts)
    _add_renewal(parts)
    _add_beats(parts)
    _add_rhythm(parts)


def _add_on_data(
    parts: Subparsers, name: str, description: str, mains_hz: int = 50
) -> argparse.ArgumentParser:
    """Add a command with what all of these share."""
    parser = add_part(parts, name, description)
    parser.add_argument("data", nargs="+", type=Path, metavar="DATA")
    add_mains(parser, mains_hz)
    add_json(parser)
    add_jobs(parser)
    return parser


def _add_identity(parts: Subparsers) -> None:
    identity = _add_on_data(parts, "identity", IDENTITY)
    add = identity.add_argument
    add_others(identity)
    add_dask(identity)
    add(
        "--on",
        nargs="+",
        default=[],
        type=Path,
        metavar="DATA",
        help="test with people of other devices too: .npz as of --also, or half-hour WFDB records "
        "at the grid of --also-mains",
    )
    add("--folds", type=at_least(2), default=3, metavar="K", help="groups of persons (default: 3)")
    add("--seeds", type=at_least(1), default=3, metavar="N", help="repetitions (default: 3)")
    add("--steps", type=at_least(1), metavar="N", help="of each training (default: as qrsd train)")
    add("--learning-curve", action="store_true", help="train with fewer people too (as long again)")
    add("--pictures", type=Path, metavar="DIR", help="draw the figures")
    add("--card", type=Path, metavar="FILE.md", help="write the model card")
    identity.set_defaults(run=run_identity, usage_error=identity.error)


def _add_attacks(parts: Subparsers) -> None:
    attacks = _add_on_data(parts, "attacks", ATTACKS)
    attacks.add_argument(
        "--min-beats",
        type=_decided_from,
        default=IdentifierOptions(),
        metavar="N",
        dest="options",
        help="good beats before the first decision, as identifier.min_beats (5)",
    )
    attacks.add_argument("--table", type=Path, metavar="FILE.md", help="write it as Markdown")
    attacks.set_defaults(run=run_attacks)


def _add_renewal(parts: Subparsers) -> None:
    renewal = _add_on_data(parts, "renewal", RENEWAL)
    add_model(renewal)
    renewal.set_defaults(run=run_renewal)


def _add_beats(parts: Subparsers) -> None:
    beats = _add_on_annotated(parts, "beats", BEATS)
    beats.add_argument(
        "--picture", type=Path, metavar="FILE.png", help="draw the confusion matrices"
    )
    beats.set_defaults(run=run_beats)


def _add_rhythm(parts: Subparsers) -> None:
    rhythm = _add_on_annotated(parts, "rhythm", RHYTHM)
    rhythm.add_argument("--card", type=Path, metavar="FILE.md", help="write the card")
    rhythm.set_defaults(run=run_rhythm)


def _add_on_annotated(parts: Subparsers, name: str, description: str) -> argparse.ArgumentParser:
    parser = _add_on_data(parts, name, description, mains_hz=60)  # MIT-BIH's
    add_dask(parser)
    parser.add_argument(
        "--signal",
        metavar="NAME|NUMBER",
        help="which signal of each record (default: MLII where there is one, else the first)",
    )
    return parser


def _decided_from(text: str) -> IdentifierOptions:
    """Read a number of beats, for argparse."""
    beats = int(text)
    try:
        return IdentifierOptions(beats, max(beats, IdentifierOptions().max_beats))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def run_identity(args: argparse.Namespace) -> int:
    """Evaluate, print and write."""
    if both := learnt_whole(args.on, {place.name for place in args.also}):
        args.usage_error(f"{both[0]} is in --also and in --on: all its people are learned from")

    from benchmarks.identity.card import card
    from benchmarks.identity.evaluation import Evaluation
    from benchmarks.identity.picture import draw
    from benchmarks.identity.report import tables
    from daemon.errors import require_extra
    from daemon.offline.drawing import require_matplotlib
    from model.opening import DEFAULT_MODEL
    from model.passport import Passport

    require_files(args.json, args.card)
    require_extra("tensorflow", "train", "Training")  # not imported: see ``benchmarks.apart``
    if args.pictures:
        require_matplotlib()
    with workers(args.dask, args.jobs) as jobs, stage_bars() as bars:
        plan = Evaluation(
            args.data,
            args.leads,
            args.mains,
            args.folds,
            args.seeds,
            args.steps,
            jobs,
            args.on,
            args.also_mains,
            args.learning_curve,
        )
        measured = plan.measure(bars, gather_others(args, bars, jobs))
    figures = measured | {"data": data_names(args)}
    hand_out(figures, tables(figures), args.json)
    if args.pictures:
        with writing(args.pictures):
            draw(figures, args.pictures)
    if args.card:
        text = card(figures, Passport.load(DEFAULT_MODEL), _command(args))
        with writing(args.card):
            args.card.write_text(text, encoding="utf-8")
    return 0


def _command(args: argparse.Namespace) -> str:
    """Return how to measure this again, wherever the data lie."""
    leads = f" --leads {args.leads.name}" if args.leads else ""
    also, on = (
        f" --{option} {' '.join(place.name for place in places)}" if places else ""
        for option, places in (("also", args.also), ("on", args.on))
    )
    steps = f" --steps {args.steps}" if args.steps else ""
    steps += " --learning-curve" if args.learning_curve else ""
    data = " ".join(place.name for place in args.data)
    repeated = f"--folds {args.folds} --seeds {args.seeds}"
    return (
        f"qrsd evaluate identity {data}{leads}{also}{on} {repeated}{steps} --card {args.card.name}"
    )


def run_attacks(args: argparse.Namespace) -> int:
    """Attack, print and write."""
    from benchmarks.attacks.figures import page, table
    from benchmarks.attacks.run import attack_all

    require_files(args.json, args.table)
    measured = attack_all(args.data, args.options, args.mains, args.jobs)
    hand_out(measured, [table(measured)], args.json)
    if args.table:
        with writing(args.table):
            args.table.write_text(page(measured))
    return 0


def run_renewal(args: argparse.Namespace) -> int:
    """Measure, print and write."""
    from benchmarks.renewal import measure, table
    from model.opening import open_network

    require_files(args.json)
    network = open_network(args.model)
    with stage_bars() as bars:
        measured = measure(args.data, network, bars, args.mains, args.jobs)
    hand_out(measured, [table(measured)], args.json)
    return 0


def run_beats(args: argparse.Namespace) -> int:
    """Score the kinds of beats, print and write."""
    from benchmarks.rhythm.report import beat_tables
    from daemon.offline.drawing import require_matplotlib

    require_files(args.json, args.picture)
    if args.picture:
        require_matplotlib()
    measured = _judge(args, beats_only=True)
    tables = [
        table
        for name, of in measured["data"].items()
        for table in beat_tables(name, of["beats"], measured["on_strangers"].get(name))
    ]
    hand_out(measured, tables, args.json)
    if args.picture:
        from benchmarks.rhythm.picture import draw

        with writing(args.picture):
            draw(measured["data"], args.picture)
    return 0


def run_rhythm(args: argparse.Namespace) -> int:
    """Score episodes, print and write."""
    from benchmarks.rhythm.card import card
    from benchmarks.rhythm.report import rhythm_tables
    from model.beat_network import BeatNetwork

    require_files(args.json, args.card)
    measured = _judge(args)
    tables = [t for name, of in measured["data"].items() for t in rhythm_tables(name, of)]
    hand_out(measured, tables, args.json)
    if args.card:
        command = f"qrsd evaluate rhythm {' '.join(measured['data'])} --card {args.card.name}"
        with writing(args.card):
            args.card.write_text(card(measured, BeatNetwork().passport, command), encoding="utf-8")
    return 0


def _judge(args: argparse.Namespace, *, beats_only: bool = False) -> dict[str, Any]:
    """Run all records through the chain and score them."""
    from benchmarks.qrs.records import Protocol
    from benchmarks.rhythm.run import measure, notes

    protocol = Protocol(args.signal, from_s=0, mains_hz=args.mains)
    with workers(args.dask, args.jobs) as jobs, stage_bars() as bars:
        measured = measure(args.data, protocol, bars, jobs, beats_only=beats_only)
    for note in notes(measured):
        print(f"note: {plain(note)}", file=sys.stderr)
    return measured
