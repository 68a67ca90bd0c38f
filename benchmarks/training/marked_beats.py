"""Recordings whose beats experts have marked, and those of healthy people, whose beats are normal.

A data set is one of these: WFDB records with reference annotations (.atr), as MIT-BIH's databases;
WFDB records without, of healthy people (LUDB); a folder for each healthy person (ECG-ID); or the
.npz files of the CinC Challenge 2017, of which the records called normal are taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from benchmarks.qrs.records import PREFERRED_SIGNAL
from benchmarks.training.one_each import labelled
from daemon.offline.analysis import HUM_S, Workers, analyse_recording, side_by_side
from daemon.offline.scoring import TOLERANCE_S, Scope, pair
from daemon.recordings.annotations import AAMI_CLASSES, Annotations, read_annotations
from daemon.recordings.person_folders import find_records
from daemon.recordings.recording import Recording, open_file, read_recording
from daemon.recordings.signal_file import Reading
from dsp.front_end import RATE_HZ
from dsp.hum import GRIDS_HZ, hum_mv
from dsp.signals import Event
from model.training.kind_data import KINDS, NOBODY_MARKED, MarkedBeats, cold_starts, judged_inputs

#: Of a record with several signals the first of these is taken, else its first.
SIGNALS = (PREFERRED_SIGNAL, "i")
PACED = ("102", "104", "107", "217")  # records of mitdb that AAMI EC57 leaves out


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A recording, and what is known of it."""

    where: str | Recording  # its path, or what was read already
    record: str  # unique among all
    patient: str  # unique among all
    group: str  # the data set
    annotated: bool = False  # whether experts marked its beats; else they are all normal


def find_sources(data: Path) -> list[Source]:
    """Find the recordings of a data set."""
    name = data.name
    if any(data.glob("*.npz")):
        return [
            Source(each, f"{name}/{each.name}", f"{name}/{each.name}", name)
            for each, label in labelled(data)
            if label == "N"
        ]
    headers = sorted(data.glob("*.hea"))
    if not headers:
        return [
            Source(each.path, each.path, f"{name}/{each.person}", name)
            for each in find_records([data])
        ]
    return [
        Source(str(path), f"{name}/{path.name}", f"{name}/{path.name}", name, annotated)
        for path in (header.with_suffix("") for header in headers)
        for annotated in [path.with_suffix(".atr").is_file()]
        if path.name not in PACED
    ]


def gather_marked(
    data: Sequence[Path], bars: Progress, jobs: Workers = None
) -> tuple[MarkedBeats, MarkedBeats]:
    """Return the beats of all data sets, and those of more beginnings to learn from."""
    sources = [source for place in data for source in find_sources(place)]
    found = side_by_side(_marked, sources, jobs)
    marked = list(bars.track(found, len(sources), description="Finding heartbeats"))
    whole, cold = zip(*marked, strict=True)
    return MarkedBeats.join(whole), MarkedBeats.join(cold)


def _marked(source: Source) -> tuple[MarkedBeats, MarkedBeats]:
    recording = source.where if isinstance(source.where, Recording) else _read(source.where)
    events = analyse_recording(recording, _grid_hz(recording)).events
    annotations = read_annotations(recording.path, "atr") if source.annotated else None
    return mark(events, annotations, source)


def _read(path: str) -> Recording:
    names = open_file(Path(path), Reading()).names
    return read_recording(path, next((name for name in SIGNALS if name in names), "0"))


def _grid_hz(recording: Recording) -> int:
    """Return the grid that a recording hums of more."""
    ecg_mv = np.nan_to_num(recording.ecg_mv[: round(HUM_S * RATE_HZ)])
    time_s = np.arange(len(ecg_mv)) / RATE_HZ
    return max(GRIDS_HZ, key=lambda grid_hz: hum_mv(ecg_mv, time_s, grid_hz))


def mark(
    events: Sequence[Event], annotations: Annotations | None, source: Source
) -> tuple[MarkedBeats, MarkedBeats]:
    """Say of each beat of a recording what experts call it.

    Args:
        events: of the signal chain.
        annotations: the experts'; None if all beats are normal.
        source: what is known of the recording.

    Returns:
        The beats of the whole recording, and those of beginnings cut out of it.
    """
    whole = _mark_judged(events, annotations, source)
    beginnings = cold_starts(events) if annotations else []
    cold = [_mark_judged(each, annotations, source) for each in beginnings]
    nothing = whole.where(np.zeros(len(whole.kinds), dtype=bool))
    return whole, MarkedBeats.join([nothing, *cold])


def _mark_judged(
    events: Sequence[Event], annotations: Annotations | None, source: Source
) -> MarkedBeats:
    beats, inputs, shapes = judged_inputs(events)
    found = np.array([beat.r_index for beat in beats], dtype=np.int64)
    kinds, missed = np.zeros(len(found), dtype=np.int64), np.zeros(len(KINDS), dtype=np.int64)
    scored = np.ones(len(found), dtype=bool)
    if annotations:
        kinds, missed, scored = _experts(annotations, found)
    marked = MarkedBeats(
        inputs,
        shapes,
        np.array([beat.kind == "Q" for beat in beats], dtype=bool),
        kinds,
        np.full(len(found), source.record),
        np.full(len(found), source.patient),
        np.full(len(found), source.group),
        {source.record: missed},
    )
    return marked.where(scored)


def _experts(
    annotations: Annotations, found: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return each found beat's kind, how many of each were missed, and which beats are scored."""
    kind_of = {symbol: KINDS.index(kind) for kind, all_ in AAMI_CLASSES.items() for symbol in all_}
    beats = np.isin(annotations.symbols, list(kind_of))
    places = annotations.indices[beats]
    kinds = np.array([kind_of[symbol] for symbol in annotations.symbols[beats]], dtype=np.int64)
    scope = Scope(0, int(places.max()) + 1, annotations.flutter)
    pairs = pair(places, found, int(TOLERANCE_S * RATE_HZ))
    of_found = np.full(len(found), NOBODY_MARKED)
    of_found[pairs[:, 1]] = kinds[pairs[:, 0]]
    missed = np.ones(len(places), dtype=bool)
    missed[pairs[:, 0]] = False
    counts = np.bincount(kinds[missed & scope.covers(places)], minlength=len(KINDS))
    return of_found, counts, scope.covers(found)
