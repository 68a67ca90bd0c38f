"""WFDB records with reference beats, on the grid of the signal chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.qrs.errors import NothingToScore
from daemon.offline.scoring import Scope
from daemon.recordings.annotations import read_annotations
from daemon.recordings.errors import SignalNotFound
from daemon.recordings.recording import Recording, read_recording
from dsp.front_end import RATE_HZ

PREFERRED_SIGNAL = "MLII"


@dataclass(frozen=True, slots=True)
class Protocol:
    """What is scored, and against which annotations."""

    #: name or number of the signal; None for MLII where there is one and else the first
    signal: str | None = None
    annotator: str = "atr"  # suffix of the annotation files
    from_s: float = 300.0  # what comes earlier is not scored
    #: score only from the first annotation to the last, whatever they mark
    between_annotations: bool = False
    mains_hz: int = 50  # frequency of the grid where the recordings were made, 50 or 60


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceRecord:
    """A recording whose beats are known."""

    recording: Recording  # the signal at 250 Hz
    beats: NDArray[np.int64]  # sample of each annotated beat, ascending
    scope: Scope  # what of it is scored

    def until(self, time_s: float) -> ReferenceRecord:
        """Return its beginning, and a second more in which to decide on the last beats."""
        stop = round(time_s * RATE_HZ)
        return ReferenceRecord(
            replace(self.recording, ecg_mv=self.recording.ecg_mv[: stop + round(RATE_HZ)]),
            self.beats[self.beats < stop + RATE_HZ],
            replace(self.scope, stop=min(self.scope.stop, stop)),
        )


def find_records(folder: Path, annotator: str, names: Sequence[str] = ()) -> list[Path]:
    """Return the records of a folder that have annotations, in the order of their names.

    With ``names`` only these.
    """
    headers = sorted(folder.glob("*.hea"))
    records = [path.with_suffix("") for path in headers]
    annotated = [path for path in records if path.with_name(f"{path.name}.{annotator}").is_file()]
    if not annotated:
        raise NothingToScore(
            f"{folder} holds no WFDB record (.hea) with annotations (.{annotator}) beside it"
        )
    missing = sorted(set(names) - {path.name for path in annotated})
    if missing:
        raise NothingToScore(
            f"{folder} holds no record {', '.join(missing)} with annotations (.{annotator})"
        )
    return [path for path in annotated if not names or path.name in names]


def read_reference(path: Path, protocol: Protocol) -> ReferenceRecord:
    """Read a record and its annotations."""
    recording = _read_signal(path, protocol.signal)
    annotations = read_annotations(path, protocol.annotator)
    start, stop = round(protocol.from_s * RATE_HZ), len(recording.ecg_mv)
    scope = Scope(start, stop, annotations.flutter)
    if protocol.between_annotations and len(annotations.indices):
        first, last = annotations.indices[[0, -1]].tolist()
        scope = replace(scope, start=max(start, first), stop=last + 1)
    return ReferenceRecord(recording, annotations.beats, scope)


def _read_signal(path: Path, signal: str | None) -> Recording:
    if signal is not None:
        return read_recording(path, signal)
    try:
        return read_recording(path, PREFERRED_SIGNAL)
    except SignalNotFound:
        return read_recording(path, "0")
