"""WFDB records with reference beats, on the grid of the signal chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.qrs.errors import BenchmarkError, NothingToScore
from benchmarks.qrs.scoring import Scope
from daemon.recordings.errors import SignalNotFound
from daemon.recordings.recording import Recording, read_recording
from dsp.front_end import RATE_HZ

#: The labels of beats; all others mark rhythm, noise, waves or comments. Source: wfdb's annotation
#: codes (``isqrs`` in ecgmap.h of the WFDB library).
BEAT_LABELS = frozenset("NLRBAaJSVrFejnE/fQ?")
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

    Raises:
        NothingToScore: there are none, or not these.
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
    annotations = _read_annotations(path, protocol.annotator)
    grid = RATE_HZ / annotations.fs
    places = np.rint(np.asarray(annotations.sample) * grid).astype(np.int64)
    labels = np.array(annotations.symbol)
    start, stop = round(protocol.from_s * RATE_HZ), len(recording.ecg_mv)
    if protocol.between_annotations and len(places):
        start, stop = max(start, int(places[0])), int(places[-1]) + 1
    scope = Scope(start, stop, _flutter(places, labels, stop))
    return ReferenceRecord(recording, np.sort(places[np.isin(labels, list(BEAT_LABELS))]), scope)


def _read_signal(path: Path, signal: str | None) -> Recording:
    if signal is not None:
        return read_recording(path, signal)
    try:
        return read_recording(path, PREFERRED_SIGNAL)
    except SignalNotFound:
        return read_recording(path, "0")


def _read_annotations(path: Path, annotator: str) -> Any:
    import wfdb

    try:
        annotations = wfdb.rdann(str(path), annotator)
    except Exception as error:  # the parser raises whatever it trips over
        raise BenchmarkError(f"{path}.{annotator} cannot be read: {error}") from error
    if annotations.fs is None:
        annotations.fs = wfdb.rdheader(str(path)).fs
    return annotations


def _flutter(
    places: NDArray[np.int64], labels: NDArray[np.str_], stop: int
) -> tuple[tuple[int, int], ...]:
    """Return the stretches from ``[`` to ``]``: flutter or fibrillation without single beats."""
    stretches = []
    for first in places[labels == "["]:
        ends = places[(labels == "]") & (places > first)]
        stretches.append((int(first), int(ends[0]) if len(ends) else stop))
    return tuple(stretches)
