"""Annotated records through the whole chain: what experts said of them, and what qrsd says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from benchmarks.qrs.errors import NothingToScore
from benchmarks.qrs.records import Protocol, find_records, read_reference
from benchmarks.training.marked_beats import PACED
from daemon.offline.analysis import ChainRun
from daemon.offline.rhythm import watch
from daemon.offline.scoring import Scope
from daemon.recordings.annotations import read_annotations
from dsp.front_end import RATE_HZ
from model.beat_kinds import BeatKind
from model.beat_network import BeatNetwork
from model.rhythm import Episode


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One record."""

    name: str
    scope: Scope  # what of it is scored: flutter is not
    places: NDArray[np.int64]  # sample of each annotated beat, ascending, shape (n,)
    symbols: NDArray[np.str_]  # its WFDB symbol, shape (n,)
    rhythms: tuple[tuple[str, int, int], ...]  # as ``Annotations.rhythms`` has them
    beats: tuple[BeatKind, ...]  # that were found
    episodes: tuple[Episode, ...]  # that were found; each has an end

    @property
    def hours(self) -> float:
        """How much of it is scored."""
        return float(self.covered.sum()) / RATE_HZ / 3600

    @property
    def covered(self) -> NDArray[np.bool_]:
        """Which of its samples are scored, up to the last of these."""
        return self.scope.covers(np.arange(self.scope.stop))

    def since(self, time_s: float) -> Self:
        """Return the same, scored from a time on."""
        return replace(self, scope=replace(self.scope, start=round(time_s * RATE_HZ)))


def scored_records(folder: Path, annotator: str) -> tuple[list[Path], list[str]]:
    """Return a folder's records, and the names of those that EC57 leaves out: hearts with pacers.

    Raises:
        NothingToScore: it holds no annotated record.
    """
    found = find_records(folder, annotator)
    records = [path for path in found if path.name not in PACED]
    if not records:
        raise NothingToScore(f"{folder} holds only records that EC57 leaves out: give others")
    return records, [path.name for path in found if path.name in PACED]


def judge(path: Path, protocol: Protocol) -> Judged:
    """Run a record through a fresh chain, as the service would."""
    reference = read_reference(path, protocol)
    annotations = read_annotations(path, protocol.annotator)
    told = watch(ChainRun(reference.recording, protocol.mains_hz).steps(), BeatNetwork())
    return Judged(
        path.name,
        reference.scope,
        annotations.indices[annotations.is_beat],
        annotations.symbols[annotations.is_beat],
        annotations.rhythms,
        tuple(sorted(told.beats, key=lambda beat: beat.r_index)),
        tuple(episode for episode in told.episodes if episode.end is not None),
    )
