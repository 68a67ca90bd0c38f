"""Measures what the heart of a recording does, of any length: its variability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from daemon.offline.hearing import ChainRun
from daemon.recordings.recording import OpenRecording
from daemon.recordings.signal_file import Reading
from dsp.front_end import RATE_HZ
from dsp.hrv import Hrv, Method, hrv
from dsp.rr_correction import RrSeries
from dsp.signals import RPeak


@dataclass(frozen=True, slots=True)
class Variability:
    """The heart rate variability of one recording."""

    path: str  # the recording, as given
    duration_s: float  # its length
    notes: tuple[str, ...]  # what had to be assumed or mended to read it
    nothing_because: str | None  # why there is not one good beat; None if there is
    hrv: Hrv  # of its R peaks


def measure_variability(
    path: str,
    signal: str | None = None,
    mains_hz: int = 50,
    reading: Reading | None = None,
    method: Method = "welch",
) -> Variability:
    """Find the heartbeats of a recording and measure how their intervals vary.

    Raises:
        RecordingError: it cannot be read.
    """
    run = ChainRun(OpenRecording(path, signal, reading), mains_hz)
    rows = [(event.index, event.rr_s is None) for event in run.events() if isinstance(event, RPeak)]
    indices, after_break = np.array(sorted(rows)).reshape(-1, 2).T
    series = RrSeries.of_beats(indices / RATE_HZ, after_break.astype(bool))
    found = hrv(series, method)
    return Variability(path, run.duration_s, run.notes(), run.nothing_because(), found)
