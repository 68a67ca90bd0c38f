"""What a file of signals offers, whatever its format, and how one of them is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from daemon.recordings.encryption import decrypted_name
from daemon.recordings.errors import SignalNotFound

MV_PER_UNIT = {"nv": 1e-6, "uv": 1e-3, "mv": 1.0, "v": 1e3}
MICRO = "u\N{MICRO SIGN}\N{GREEK SMALL LETTER MU}"
MISREAD_MICRO = "\N{LATIN SMALL LETTER AE}\N{REPLACEMENT CHARACTER}?"  # as of CP437, or lost
VOLTAGE = re.compile(
    rf"(?:.*[^a-z0-9{MICRO}{MISREAD_MICRO}])?(n|[{MICRO}{MISREAD_MICRO}]|m|nano|micro|milli)?v(?:olts?)?\W*"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the user says of a file; None for what the file says itself."""

    rate_hz: float | None = None  # samples per second
    unit: str | None = None  # of the signal, ``code``, ``nV``, ``uV``, ``mV`` or ``V``
    gain: int | None = None  # of the amplifier before the converter; only codes need it
    identity: Path | None = None  # file with the age key that opens an encrypted file


class SignalFile(Protocol):
    """A file of signals that is read in blocks, so that its length does not matter.

    What is asked of it raises ``RecordingError`` if the file is not what it should be.
    """

    names: list[str]  # of its signals
    notes: list[str]  # what had to be assumed or mended, complete once the blocks have been read

    def voltages(self) -> Sequence[int]:
        """Return the numbers of the signals that may be an ECG by their unit."""

    def rate_hz(self, number: int) -> float:
        """Return a signal's samples per second."""

    def blocks(self, number: int) -> Iterator[NDArray[np.float64]]:
        """Yield a signal in mV, block after block, NaN where nothing was recorded."""


def is_table(path: Path) -> bool:
    """Tell by a file's name whether it is a text table."""
    return decrypted_name(path).suffix.casefold() in (".csv", ".tsv", ".txt")


def is_edf(path: Path) -> bool:
    """Tell by a file's name whether it is EDF or BDF; what is no table either is WFDB."""
    return decrypted_name(path).suffix.casefold() in (".edf", ".bdf")


def without_suffix(path: Path) -> Path:
    """Return the path of one file without its suffix, a WFDB record's without ``.hea``.

    A record's own name may have dots.
    """
    path = decrypted_name(path)
    known = is_table(path) or is_edf(path) or path.suffix.casefold() == ".hea"
    return path.with_suffix("") if known else path


def voltage_unit(text: str) -> str | None:
    """Return the unit of voltage that a heading ends with, ``uv`` or the like; None without one."""
    found = VOLTAGE.fullmatch(text.strip().lower())
    if not found:
        return None
    prefix = found[1] or ""
    prefix = "u" if prefix and prefix in MICRO + MISREAD_MICRO else prefix
    return {"nano": "n", "micro": "u", "milli": "m"}.get(prefix, prefix) + "v"


def pick_signal(names: Sequence[str], wanted: str, path: Path) -> int:
    """Return the position of a signal given by name, whatever its case, or by number from 0."""
    folded = [name.casefold() for name in names]
    if wanted.casefold() in folded:
        return folded.index(wanted.casefold())
    if wanted.isdecimal() and int(wanted) < len(names):
        return int(wanted)
    there = ", ".join(f"{number} ({name})" for number, name in enumerate(names))
    raise SignalNotFound(f"{path} has no signal {wanted!r}: give one of {there}.")
