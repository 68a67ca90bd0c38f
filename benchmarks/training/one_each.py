"""Large sets of one recording a person, from a device of their own.

A folder of .npz files with the PhysioNet/CinC Challenge 2017's records: ``names``, ``labels``,
``lengths`` and ``codes`` (300 Hz, 1000 a mV, one record after the other). A record of a regular or
otherwise usable rhythm (N or O) stands for one person. Atrial fibrillation and noise are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from rich.progress import Progress

from benchmarks.training.records import gather_beats
from daemon.offline.analysis import Workers, analyse_recording, side_by_side
from daemon.recordings.errors import RecordingNotFound
from daemon.recordings.person_folders import PersonRecord
from daemon.recordings.recording import Recording
from daemon.recordings.resampling import to_250_hz
from dsp.qrs_shape import upright
from model.training.datasets import Beats, Purpose, purpose

RATE_HZ = 300.0
CODES_PER_MV = 1000
USABLE = ("N", "O")


def labelled(folder: Path) -> Iterator[tuple[Recording, str]]:
    """Yield every record with its label: N, A (atrial fibrillation), O (other) or ~ (noise)."""
    for path in sorted(folder.glob("*.npz")):
        part = np.load(path, allow_pickle=False)
        signals = np.split(part["codes"], np.cumsum(part["lengths"])[:-1])
        for name, label, codes in zip(part["names"].tolist(), part["labels"], signals, strict=True):
            yield Recording(name, name, to_250_hz(codes / CODES_PER_MV, RATE_HZ)), str(label)


def find_recordings(folder: Path, wanted: Purpose) -> list[Recording]:
    """Read the records of all who are for this purpose."""
    found = [
        recording
        for recording, label in labelled(folder)
        if label in USABLE and purpose(recording.name) == wanted
    ]
    if not found:
        raise RecordingNotFound(
            f"{folder} holds no .npz files with records for {wanted}: expected names, labels, "
            "lengths and codes of some 20 records or more of the PhysioNet/CinC Challenge 2017"
        )
    return found


def gather_one_each(
    folder: Path,
    bars: Progress,
    mains_hz: int,
    wanted: Purpose,
    jobs: Workers = None,
) -> Beats:
    """Return the beats of everybody whose record is not upside down."""
    beats = analyse_all(find_recordings(folder, wanted), mains_hz, bars, jobs)
    rows = {name: beats.good & (beats.persons == name) for name in beats.names}
    return beats.of(
        [name for name, good in rows.items() if good.any() and upright(beats.windows_mv[good])]
    )


def analyse_all(
    recordings: Sequence[Recording],
    mains_hz: int,
    bars: Progress,
    jobs: Workers = None,
) -> Beats:
    """Return the beats of recordings that are named after their persons."""
    outcomes = side_by_side(partial(analyse_recording, mains_hz=mains_hz), recordings, jobs)
    analyses = list(
        bars.track(outcomes, len(recordings), description="Finding heartbeats, a record each")
    )
    records = [PersonRecord(each.name, each.path, day="") for each in recordings]
    return gather_beats(records, analyses)
