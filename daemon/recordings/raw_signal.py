"""One signal as its file holds it: in mV, but at the file's own rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daemon.recordings.errors import SignalNotFound


@dataclass(frozen=True, slots=True, eq=False)
class RawSignal:
    """One signal at the rate of its file.

    Attributes:
        rate_hz: samples per second.
        mv: shape (n,), NaN where nothing was recorded.
        notes: what had to be assumed or mended to read it, a sentence each.
    """

    rate_hz: float
    mv: NDArray[np.float64]
    notes: tuple[str, ...] = ()


def pick_signal(names: Sequence[str], wanted: str, path: Path) -> int:
    """Return the position of a signal given by name, whatever its case, or by number from 0.

    Raises:
        SignalNotFound: there is no such signal; the message names those that there are.
    """
    folded = [name.casefold() for name in names]
    if wanted.casefold() in folded:
        return folded.index(wanted.casefold())
    if wanted.isdecimal() and int(wanted) < len(names):
        return int(wanted)
    there = ", ".join(f"{number} ({name})" for number, name in enumerate(names))
    raise SignalNotFound(f"{path} has no signal {wanted!r}: give one of {there}.")
