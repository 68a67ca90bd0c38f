"""What is recorded, whatever the format: codes of some signals, and annotations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from drivers.frame import MIN_COUNTS, millivolts_per_count

LOST = MIN_COUNTS  # in place of a sample that was never read
LOST_SAMPLES, THE_END = "Lost samples", "Recording ends"  # as annotations
LEAD_OFF, LEAD_ON = "Lead off", "Lead on"
PAPER, UNCERTAINTY = "paper", "Uncertainty"  # a source, and its second signal: standard errors
UNKNOWN_BEGIN = datetime(1985, 1, 1, tzinfo=UTC)  # as EDF has it
LONGEST_TEXT = 200  # bytes of an annotation: a list of EDF must fit into one record
HOUR_S = 3600  # of a file of the recorder's; what comes then goes on in another
TOLD = re.compile(
    r"^# (?:channel \d+: )?(.+)[:,] gain ([1-9]\d?), reference ([1-9]\d*\.\d+) V$", re.MULTILINE
)
R_PEAK = "R peak"  # and, in brackets, what is wrong with the beat

Word: TypeAlias = tuple[float, str, float]  # an annotation: second, text and length in seconds


@dataclass(frozen=True, slots=True)
class RecordedSignal:
    """One signal: what its codes mean."""

    name: str
    gain: int  # of the amplifier before the converter
    vref_v: float  # reference of the converter

    @property
    def mv_per_code(self) -> float:
        """Size of a code in mV."""
        return millivolts_per_count(self.gain, self.vref_v)


def signals_told(text: str) -> list[RecordedSignal]:
    """Return what the comments of qrsd's WFDB records and tables say of their signals."""
    return [RecordedSignal(name, int(gain), float(v)) for name, gain, v in TOLD.findall(text)]


@dataclass(frozen=True, slots=True)
class Layout:
    """What a recording is of."""

    signals: tuple[RecordedSignal, ...]
    rate_hz: float  # samples per second, of each
    source: str  # ``ads1292r``, ``simulated``, ``paper`` or ``convert``
    begin_utc: datetime  # when its first sample was taken


@dataclass(frozen=True, slots=True)
class Annotation:
    """A word on some samples."""

    sample: int  # the first, from the recording's begin; negative if it came too late for its file
    text: str
    samples: int = 0  # how many


def printable(text: str) -> str:
    """Return a text for an annotation: on one line, with a blank for each control character."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def lost_stretches(lost: NDArray[np.bool_], at: int) -> Iterator[Annotation]:
    """Yield where samples are missing, of some that begin at a sample."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], lost, [False]]).astype(int)))
    for begin, end in edges.reshape(-1, 2).tolist():
        yield Annotation(at + begin, LOST_SAMPLES, end - begin)


class Gaps:
    """Which samples were lost, by annotations that come with the first of them."""

    def __init__(self) -> None:
        self._open: list[Annotation] = []
        self._at = 0

    def take(self, annotations: Iterable[Annotation], count: int) -> NDArray[np.bool_]:
        """Tell of the next samples, which come with some annotations, which were lost."""
        self._open += [each for each in annotations if each.text == LOST_SAMPLES]
        lost = np.zeros(count, np.bool_)
        for gap in self._open:
            begin, end = (max(0, at - self._at) for at in (gap.sample, gap.sample + gap.samples))
            lost[begin:end] = True
        self._at += count
        self._open = [gap for gap in self._open if gap.sample + gap.samples > self._at]
        return lost


class RecordingWriter(Protocol):
    """Writes one recording to a new file, or several that belong together.

    Its methods raise ``RecordingNotWritten`` if the system does not take what is written.
    """

    path: Path

    def write(self, codes: NDArray[np.int32], annotations: Iterable[Annotation]) -> None:
        """Add samples, of shape (n, signals), and annotations of these or earlier ones."""

    def sync(self) -> None:
        """Bring all whole seconds to the disk."""

    def close(self) -> None:
        """Bring the rest to the disk; nothing can be added any more."""
