"""Recordings of 12 leads, heard as other electrodes would have heard them.

Each view of a heart goes through the signal chain like a recording of its own, so that its R
peaks and beats are the detector's.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from benchmarks.training.records import TrainingRecord, gather_beats, readable
from daemon.offline.hearing import Heard, hear_recording, side_by_side
from daemon.recordings.errors import RecordingError, RecordingNotFound
from daemon.recordings.recording import Recording, read_recording
from model.training.datasets import Beats
from model.training.views import LEADS, View, draw_views, vectorcardiogram

SEED = 12  # of the directions: the same recordings always give the same views


def find_twelve_leads(data: Path) -> list[str]:
    """Find the WFDB records of a folder, each of another person.

    Raises:
        RecordingNotFound: there are none.
    """
    if records := sorted(str(header.with_suffix("")) for header in data.glob("*.hea")):
        return records
    raise RecordingNotFound(
        f"{data} holds no WFDB records: expected one of 12 leads for each person, such as LUDB's"
    )


def gather_views(data: Path, bars: Progress, mains_hz: int) -> Beats:
    """Return the beats of every heart of 12 leads as other electrodes see it, to train with.

    Raises:
        RecordingError: there are none, or one cannot be read.
    """
    paths = find_twelve_leads(data)
    outcomes = hear_views(paths, mains_hz)
    views = readable(bars.track(outcomes, len(paths), description="Looking from all sides"))
    return gather_beats(*zip(*(view for heart in views for view in heart), strict=True))


def hear_views(
    paths: list[str], mains_hz: int = 50
) -> Iterator[list[tuple[TrainingRecord, Heard]] | RecordingError]:
    """Yield what each recording sounds like from all of its views, or why it cannot be read.

    A direction counts as a person and its views as that person's records.
    """
    return side_by_side(partial(_hear_all_views, mains_hz=mains_hz), paths)


def read_vectorcardiogram(path: str) -> NDArray[np.float64]:
    """Return the heart's dipole at 250 Hz in mV, shape (3, n).

    Raises:
        RecordingError: a lead is missing or cannot be read.
    """
    return vectorcardiogram(np.stack([read_recording(path, lead).ecg_mv for lead in LEADS]))


def _hear_all_views(
    path: str, mains_hz: int
) -> list[tuple[TrainingRecord, Heard]] | RecordingError:
    try:
        dipole_mv = read_vectorcardiogram(path)
    except RecordingError as error:
        return error
    rng = np.random.default_rng([SEED, *Path(path).name.encode()])
    return [_hear_view(path, dipole_mv, view, mains_hz) for view in draw_views(rng)]


def _hear_view(
    path: str, dipole_mv: NDArray[np.float64], view: View, mains_hz: int
) -> tuple[TrainingRecord, Heard]:
    person = f"{path}~{view.identity}"
    record = TrainingRecord(person, f"{person}/{view.number}", day="")
    recording = Recording(record.path, record.path, view.direction @ dipole_mv)
    return record, hear_recording(recording, mains_hz)
