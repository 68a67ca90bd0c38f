"""The newest of what the recorder wrote, as one recording, though it lies in files of an hour."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from pathlib import Path
from time import time
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from daemon.recordings.errors import MalformedRecording, RecordingNotFound
from daemon.recordings.origin import Origin, origin
from daemon.recordings.recorded import HOUR_S
from daemon.recordings.recording import OpenRecording
from daemon.recordings.signal_file import Reading
from dsp.front_end import RATE_HZ

#: How the recorder names its files: the time, and a number where there are several of it.
NAMED = re.compile(r"(?:.*-)?(\d{4}-\d\d-\d\dT\d{6}Z)(?:-(\d+))?\.(?:bdf|hea|csv)(?:\.age)?")
#: By how much the chip's clock may be off in an hour, after which a file has the computer's time.
CLOCK_OFF_S = 0.02 * HOUR_S
PAUSE_SAMPLES = 1 << 20  # at a time

Blocks: TypeAlias = Iterator[NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Part:
    """What is taken of one file: its end, or all of it. Counts are samples at 250 Hz."""

    recording: OpenRecording
    origin: Origin
    skipped: int  # at its begin
    taken: int
    pause: int  # nothing recorded, until the next file begins


class Excerpt:
    """The newest stretch of a folder of recordings; it is read as an ``OpenRecording``.

    Args:
        folder: the recorder's.
        last_s: how long it is; less if the folder holds less.
        signal: as for ``OpenRecording``.
        reading: what the files do not say.

    Raises:
        RecordingError: there is nothing to read.
    """

    def __init__(
        self, folder: Path, last_s: float, signal: str | None = None, reading: Reading | None = None
    ) -> None:
        self.path = str(folder)
        self._left_out: list[str] = []
        self._parts: list[Part] = []
        room = round(last_s * RATE_HZ)
        for path in newest_first(folder):
            try:
                recording = OpenRecording(path, signal, reading)
                samples = sum(map(len, recording.blocks()))
            except MalformedRecording as error:
                self._left_out.append(f"{path.name} is left out: {error}")
                continue
            told = origin(str(path), reading.identity if reading else None)
            pause = self._pause_after(told, samples)
            taken = min(samples, room - pause)
            if taken <= 0:
                break
            self._parts.insert(0, Part(recording, told, samples - taken, taken, pause))
            room -= pause + taken
        if not self._parts:
            raise RecordingNotFound(
                f"{folder} has no recording of qrsd record's with a sample in it"
                f"{''.join(f' ({each})' for each in self._left_out)}: is something being recorded?"
            )

    def _pause_after(self, told: Origin, samples: int) -> int:
        """Return how many samples are missing between a file and the one after it, if any."""
        after = self._parts[0].origin.begin if self._parts else None
        if after is None or told.begin is None:
            return 0
        pause_s = (after - told.begin).total_seconds() - samples / RATE_HZ
        goes_on = samples >= HOUR_S * RATE_HZ and abs(pause_s) < CLOCK_OFF_S
        return 0 if goes_on else max(0, round(pause_s * RATE_HZ))

    @property
    def notes(self) -> tuple[str, ...]:
        """What it is made of, and what had to be assumed or mended."""
        names = ", ".join(Path(part.recording.path).name for part in self._parts)
        length_s = sum(part.taken + part.pause for part in self._parts) / RATE_HZ
        of_files = (note for part in self._parts for note in part.recording.notes)
        return (f"the newest {length_s:.0f} s: {names}", *self._left_out, *dict.fromkeys(of_files))

    @property
    def lead_off_s(self) -> tuple[tuple[float, float], ...]:
        """When an electrode was off: begin and end."""
        noted = self.origin().lead_off_s or ()
        return tuple((off_s, inf if on_s is None else on_s) for off_s, on_s in noted)

    def blocks(self) -> Blocks:
        """Yield the ECG in mV at 250 Hz, NaN where nothing was recorded."""
        return self._joined(OpenRecording.blocks)

    def respiration_blocks(self) -> Blocks | None:
        """Return what channel 1 saw, as the ECG; None if a file has no such signal."""
        if any(part.recording.respiration_blocks() is None for part in self._parts):
            return None
        return self._joined(lambda recording: recording.respiration_blocks() or iter(()))

    def _joined(self, blocks_of: Callable[[OpenRecording], Blocks]) -> Blocks:
        for part in self._parts:
            skipped = part.skipped
            for block in blocks_of(part.recording):
                yield block[skipped:]
                skipped = max(0, skipped - len(block))
            for begin in range(0, part.pause, PAUSE_SAMPLES):
                yield np.full(min(PAUSE_SAMPLES, part.pause - begin), np.nan)

    def origin(self) -> Origin:
        """Return what made it, when it begins, and when an electrode was off."""
        first = self._parts[0]
        begin = first.origin.begin
        lead_off_s: list[tuple[float, float | None]] = []
        at = 0
        for part in self._parts:
            ends_s, later_s = (at + part.taken) / RATE_HZ, (at - part.skipped) / RATE_HZ
            for off_s, on_s in part.origin.lead_off_s or ():
                until_s = ends_s if on_s is None else on_s + later_s
                if until_s > at / RATE_HZ:
                    lead_off_s.append((max(off_s + later_s, at / RATE_HZ), until_s))
            at += part.taken + part.pause
        return Origin(
            first.origin.source,
            begin and begin + timedelta(seconds=first.skipped / RATE_HZ),
            tuple(lead_off_s),
        )


def newest_first(folder: Path) -> list[Path]:
    """Return the recorder's files by when they were written to last, the newest first.

    Their names do not tell that once the clock was set back.

    Raises:
        RecordingNotFound: the folder cannot be read.
    """
    try:
        named = [(NAMED.fullmatch(path.name), path) for path in folder.iterdir()]
        ages = {
            (found[1], found[2]): (*_age(path, found[1]), int(found[2] or 1), path)
            for found, path in named
            if found
        }
    except OSError as error:
        raise RecordingNotFound(
            f"{folder}, where qrsd record puts its files, cannot be read: {error.strerror}; those "
            "of qrsd-record.service belong to the service's user: sudo -u qrsd qrsd ..., or "
            "set record.folder."
        ) from error
    return [path for *_, path in sorted(ages.values(), reverse=True)]


def _age(path: Path, begin: str) -> tuple[bool, float]:
    """Return what orders files by age, the newest last.

    What was written to later than now is older than the rest: the clock was set back since. And a
    file that was written to long after its hour is a copy, of which only the begin is known.
    """
    begin_s = datetime.strptime(begin, "%Y-%m-%dT%H%M%S%z").timestamp()
    samples = path.with_suffix(".dat")  # of a WFDB record
    written_s = (samples if samples.exists() else path).stat().st_mtime
    is_a_copy = written_s > begin_s + HOUR_S + CLOCK_OFF_S
    return written_s <= time(), begin_s if is_a_copy else written_s
