"""Recordings of an ECG, read from a file of any format at the 250 Hz of the signal chain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import inf
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daemon.recordings.csv_record import CsvRecord
from daemon.recordings.edf_file import EdfFile
from daemon.recordings.encryption import is_encrypted
from daemon.recordings.errors import MalformedRecording, RecordingNotFound, readable
from daemon.recordings.origin import Origin, origin
from daemon.recordings.recorded import PAPER, UNCERTAINTY
from daemon.recordings.replay import count_good_beats
from daemon.recordings.resampling import resampled_blocks
from daemon.recordings.signal_file import (
    Reading,
    SignalFile,
    is_edf,
    is_table,
    pick_signal,
    without_suffix,
)
from daemon.recordings.wfdb_record import WfdbRecord
from dsp.front_end import RATE_HZ

TRIED_S = 30.0
ENOUGH_BEATS = 10
ECG = re.compile(r"ecg|ekg|lead|mlii|^(i|ii|iii|v\d)$", re.IGNORECASE)
FROM_PAPER = (
    "read from paper, which is weaker evidence of who it is: by 15 % in the median of 52 people "
    "(docs/paper.md)"
)
RESPIRATION = re.compile(r"resp|breath|atmung|impedance", re.IGNORECASE)
LOGGED_RESPIRATION = ("Channel 1", "Channel 2")  # beside the ECG, on an ADS1292R


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One ECG lead of one recording."""

    name: str  # its folder and file name, such as ``Person_01/rec_1``
    path: str  # where it was read from, as given
    #: shape (n,), raw potential between the electrodes, NaN where nothing was recorded
    ecg_mv: NDArray[np.float64]
    notes: tuple[str, ...] = ()  # what had to be assumed or mended to read it, a sentence each
    #: what channel 1 saw at the same time; None if it was not recorded
    respiration_mv: NDArray[np.float64] | None = None
    lead_off_s: tuple[tuple[float, float], ...] = ()  # as that of ``OpenRecording``

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.ecg_mv) / RATE_HZ

    def blocks(self) -> Iterator[NDArray[np.float64]]:
        """Yield the ECG as one block."""
        yield self.ecg_mv


class OpenRecording:
    """One ECG lead of a file, read in blocks, so that its length does not matter.

    ``name`` and ``path`` are as those of ``Recording``; ``file`` is the file with all its signals.

    Args:
        path: a WFDB record with or without ``.hea``, an EDF or BDF file, or a text table.
        signal: the signal's name, whatever the case, or its number from 0; None for the first that
            holds an ECG.
        reading: what the file does not say.

    Raises:
        RecordingError: it is missing, malformed, empty, or without such a signal.
    """

    def __init__(
        self, path: str | Path, signal: str | None = None, reading: Reading | None = None
    ) -> None:
        where = Path(path)
        self.path = str(path)
        reading = reading or Reading()
        self._identity = reading.identity
        self.file = open_file(where, reading)
        self._note: tuple[str, ...] = ()
        if signal is not None:
            self._number = pick_signal(self.file.names, signal, where)
        else:
            self._number = _ecg_of(self.file)
            if len(self.file.names) > 1 and self._number:
                chosen = self.file.names[self._number]
                self._note = (f"signal {self._number} ({chosen}) is read, the first with an ECG",)
        stem = without_suffix(where)
        self.name = f"{stem.parent.name}/{stem.name}".lstrip("/")

    @property
    def notes(self) -> tuple[str, ...]:
        """What had to be assumed or mended, complete once the blocks have been read."""
        from_paper = (FROM_PAPER,) if self._origin.source == PAPER else ()
        return (*self.file.notes, *self._note, *from_paper)

    @property
    def lead_off_s(self) -> tuple[tuple[float, float], ...]:
        """When an electrode was off, begin and end, as far as the file says so."""
        noted = self._origin.lead_off_s or ()
        return tuple((off_s, inf if on_s is None else on_s) for off_s, on_s in noted)

    @cached_property
    def _origin(self) -> Origin:
        return origin(self.path, self._identity, self.file)

    def blocks(self) -> Iterator[NDArray[np.float64]]:
        """Yield the ECG in mV at 250 Hz, NaN where nothing was recorded.

        Raises:
            RecordingError: it is malformed, or holds nothing.
        """
        valid = False
        for block in _at_250_hz(self.file, self._number):
            valid = valid or bool(np.isfinite(block).any())
            yield block
        if not valid:
            signal = self.file.names[self._number]
            raise MalformedRecording(
                f"Signal {signal!r} of {self.path} holds not one valid sample."
            )

    def respiration_blocks(self) -> Iterator[NDArray[np.float64]] | None:
        """Return what channel 1 saw, as the ECG; None if the file has no such signal."""
        names = self.file.names
        number = next((n for n in self.file.voltages() if RESPIRATION.search(names[n])), None)
        if number is None and tuple(names[:2]) == LOGGED_RESPIRATION and self._number == 1:
            number = 0
        if number is None or number == self._number:
            return None
        return _at_250_hz(self.file, number)


def read_recording(
    path: str | Path,
    signal: str | None = "0",
    reading: Reading | None = None,
    *,
    with_respiration: bool = False,
) -> Recording:
    """Read one ECG lead into memory, and what channel 1 saw if that is wanted.

    Raises:
        RecordingError: as ``OpenRecording``.
    """
    opened = OpenRecording(path, signal, reading)
    ecg_mv = np.concatenate(list(opened.blocks()))
    notes = opened.notes
    respiration = opened.respiration_blocks() if with_respiration else None
    respiration_mv = None if respiration is None else np.concatenate(list(respiration))
    return Recording(opened.name, opened.path, ecg_mv, notes, respiration_mv)


def open_file(path: Path, reading: Reading) -> SignalFile:
    """Open a file as what its name says it is.

    Raises:
        RecordingError: it is missing or malformed.
    """
    if not path.name:
        raise RecordingNotFound(f"{path} is a folder: expected a recording.")
    kind = EdfFile if is_edf(path) else CsvRecord if is_table(path) else WfdbRecord
    if kind is WfdbRecord and is_encrypted(path):
        raise MalformedRecording(
            f"{path}: only BDF and EDF files and tables are read encrypted: age --decrypt."
        )
    with readable(path):
        return kind(path, reading)


def _at_250_hz(file: SignalFile, number: int) -> Iterator[NDArray[np.float64]]:
    return resampled_blocks(file.blocks(number), file.rate_hz(number))


def _ecg_of(file: SignalFile) -> int:
    """Return the first signal with about as many good beats as any in its first half minute."""
    numbers = [n for n in file.voltages() if file.names[n] != UNCERTAINTY]
    if len(numbers) < 2:
        return numbers[0] if numbers else 0
    beats: dict[int, int] = {}
    refused: list[MalformedRecording] = []
    for number in numbers:
        try:
            beats[number] = count_good_beats(_first_half_minute(file, number))
        except MalformedRecording as error:
            beats[number] = 0
            refused.append(error)
        if beats[number] >= ENOUGH_BEATS:
            return number
    most = max(beats.values())
    if most:
        return next(number for number in numbers if 2 * beats[number] >= most)
    if refused:
        raise refused[0]
    return next((number for number in numbers if ECG.search(file.names[number])), numbers[0])


def _first_half_minute(file: SignalFile, number: int) -> Iterator[NDArray[np.float64]]:
    """Yield a signal's first half minute of samples that were recorded."""
    wanted = round(TRIED_S * RATE_HZ)
    for block in _at_250_hz(file, number):
        recorded = block[np.isfinite(block)][:wanted]
        yield recorded
        wanted -= len(recorded)
        if wanted == 0:
            return
