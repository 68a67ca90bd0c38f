"""What several commands have in common: how they describe themselves, and what they ask for."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterable
from math import isfinite
from pathlib import Path
from typing import Any, TypeAlias

from config.folders import gallery_path
from config.settings import Settings, load
from daemon.recordings.encryption import is_encrypted
from model.names import composed

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

A_RECORD = """\
A RECORD is a WFDB record, with or without .hea, an EDF or BDF file, or a text table (.csv, .tsv,
.txt) of raw ADC codes or voltages, such as `timestamp, Channel 1, Channel 2`. Whatever its rate, it
is resampled to 250 Hz. What a file does not say and had to be assumed is noted on standard
error."""


SECOND_SITTING = (
    "A second sitting on another day, with the electrodes put on anew, helps to be known again: "
    "qrsd enroll NAME then (docs/scores.md, Two sittings)"
)


def enrolled_days(person: dict[str, Any]) -> list[str]:
    """Return on which days somebody of ``people`` was enrolled; an older service does not tell."""
    return list(dict.fromkeys(utc.split("T")[0] for utc in person.get("sittings", ())))


def describe(parser: argparse.ArgumentParser, details: str) -> None:
    """Add to a command's help what follows its first line."""
    parser.description = f"{parser.description}\n\n{details}"


def add_part(parts: Subparsers, name: str, description: str) -> argparse.ArgumentParser:
    """Add a command below another, whose help is its description's first line."""
    return parts.add_parser(
        name,
        help=description.splitlines()[0].rstrip("."),
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_mains(parser: argparse._ActionsContainer, default: int = 50) -> None:
    """Add the frequency of the grid."""
    parser.add_argument(
        "--mains", type=int, choices=(50, 60), default=default, help="grid, Hz (%(default)s)"
    )


def add_identity(parser: argparse._ActionsContainer) -> None:
    """Add the file with the key of encrypted records."""
    parser.add_argument(
        "--identity",
        type=Path,
        metavar="FILE",
        help="with the age key that opens encrypted records, .age (default: record.identity)",
    )


def identity_of(args: argparse.Namespace, records: Iterable[str]) -> Path | None:
    """Return the file with the key of some records; None if they and the user need none."""
    if args.identity or not any(is_encrypted(Path(record)) for record in records):
        given: Path | None = args.identity
        return given
    told = load().settings.record.identity
    return Path(told) if told else None


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """Add how many are worked on at a time."""
    parser.add_argument(
        "--jobs",
        type=at_least(1),
        default=len(os.sched_getaffinity(0)),
        metavar="N",
        help="records at a time (default: one for each core)",
    )


def add_model(parser: argparse._ActionsContainer) -> None:
    """Add the model."""
    parser.add_argument(
        "--model",
        type=Path,
        metavar="PATH",
        help="a .tflite (default: the settings' or else qrsd's own)",
    )


def model_of(args: argparse.Namespace, settings: Settings) -> Path | None:
    """Return the model that is asked for, or else the settings'; None for qrsd's own."""
    return args.model or settings.model_path


def add_gallery(parser: argparse.ArgumentParser) -> None:
    """Add the file of enrolled people."""
    parser.add_argument(
        "--gallery",
        type=Path,
        default=gallery_path(),
        metavar="PATH",
        help="file of enrolled people (default: %(default)s)",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the file for all figures."""
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write all figures; - prints them, alone"
    )


def at_least(least: int) -> Callable[[str], int]:
    """Return what reads a whole number that is not below the least, for argparse."""

    def read(text: str) -> int:
        number = int(text)
        if number < least:
            raise argparse.ArgumentTypeError(f"{number} is not {least} or more")
        return number

    read.__name__ = "whole number"  # argparse says so of what is none
    return read


def more_than(bound: float) -> Callable[[str], float]:
    """Return what reads a finite number above the bound, for argparse."""
    return _number(lambda number: number > bound, f"more than {bound:g}")


def not_below(least: float) -> Callable[[str], float]:
    """Return what reads a finite number that is not below the least, for argparse."""
    return _number(lambda number: number >= least, f"{least:g} or more")


def _number(fits: Callable[[float], bool], expected: str) -> Callable[[str], float]:
    def number(text: str) -> float:  # argparse says this name of what is none
        value = float(text)
        if not (fits(value) and isfinite(value)):
            raise argparse.ArgumentTypeError(f"{text} is not {expected}")
        return value

    return number


def file_of(*suffixes: str) -> Callable[[str], Path]:
    """Return what reads the path of a file of one of these kinds, for argparse."""

    def path_of(text: str) -> Path:
        path = Path(text)
        if path.suffix.casefold() not in suffixes:
            raise argparse.ArgumentTypeError(f"{text} does not end in {', '.join(suffixes)}")
        return path

    return path_of


def duration_s(text: str) -> float:
    """Read how long something takes, such as 90s, 10min or 1.5h, for argparse."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|min|h|)", text.strip())
    if not found or not float(found[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no duration such as 90s, 10min or 1.5h")
    return float(found[1]) * {"": 1, "s": 1, "min": 60, "h": 3600}[found[2]]


def person_name(text: str) -> str:
    """Read somebody's name as it is kept, for argparse; ``-`` asks for it.

    Whoever runs a command with sudo has its whole line in the journal.
    """
    return composed(_answer_to("Name: ") if text == "-" else text)


def confirmed(question: str) -> bool:
    """Ask on the terminal; no answer is no."""
    return _answer_to(f"{question} [y/N] ").lower() in ("y", "yes")


def _answer_to(question: str) -> str:
    """Ask on standard error, as the answers of commands go to standard output."""
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()
