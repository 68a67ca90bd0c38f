"""Recordings of 12 leads, as hearts that can be looked at from every side.

The signal chain hears lead I, and says where the beats are. Its filters are linear, so that the
dipole, filtered by the same, gives what the chain would have made of any other lead.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from daemon.offline.analysis import Workers, analyse_recording, side_by_side
from daemon.recordings.errors import RecordingNotFound
from daemon.recordings.recording import Recording, read_recording
from dsp.conditioner import Conditioner, conditioning_delay
from dsp.front_end import RATE_HZ
from dsp.segmenter import BEFORE_R, FROM_R
from model.training.datasets import Hearts
from model.training.views import LEAD_I, LEADS, MARGIN, vectorcardiogram


def find_twelve_leads(data: Path) -> list[str]:
    """Find the WFDB records of a folder, each of another person."""
    if records := sorted(str(header.with_suffix("")) for header in data.glob("*.hea")):
        return records
    raise RecordingNotFound(
        f"{data} holds no WFDB records: expected one of 12 leads for each person, such as LUDB's"
    )


def gather_hearts(data: Path, bars: Progress, mains_hz: int, jobs: Workers = None) -> Hearts:
    """Return the beats of every heart of 12 leads, to train with."""
    paths = find_twelve_leads(data)
    dipoles = side_by_side(partial(_beat_dipoles, mains_hz=mains_hz), paths, jobs)
    hearts = list(bars.track(dipoles, len(paths), description="Looking from all sides"))
    return Hearts(np.concatenate(hearts), np.repeat(paths, [len(beats) for beats in hearts]))


def read_vectorcardiogram(path: str) -> NDArray[np.float64]:
    """Return the heart's dipole at 250 Hz in mV, shape (3, n)."""
    return vectorcardiogram(np.stack([read_recording(path, lead).ecg_mv for lead in LEADS]))


def _beat_dipoles(path: str, mains_hz: int) -> NDArray[np.float64]:
    """Return the good beats of a heart as dipoles (see ``Hearts``)."""
    dipole_mv = read_vectorcardiogram(path)
    analysis = analyse_recording(Recording(path, path, LEAD_I @ dipole_mv), mains_hz)
    conditioned_mv = np.array(
        [list(map(Conditioner(mains_hz, RATE_HZ).push, axis_mv)) for axis_mv in dipole_mv]
    )
    delay = conditioning_delay(mains_hz, RATE_HZ)
    before, after = BEFORE_R + MARGIN, FROM_R + MARGIN
    places = [beat.r_index + delay for beat in analysis.beats if beat.quality.good]
    beats_mv = [
        conditioned_mv[:, place - before : place + after]
        for place in places
        if before <= place <= dipole_mv.shape[1] - after
    ]
    return np.array(beats_mv).reshape(-1, len(dipole_mv), before + after)
