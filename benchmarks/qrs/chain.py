"""The product's own signal chain on a recording: which beats, how late, at what cost."""

from __future__ import annotations

from dataclasses import dataclass
from time import process_time

import numpy as np
from numpy.typing import NDArray

from daemon.recordings.recording import Recording
from daemon.recordings.replay import samples
from dsp.conditioner import Conditioner
from dsp.front_end import RATE_HZ, FrontEnd
from dsp.options import FrontEndOptions
from dsp.pan_tompkins import PanTompkins
from dsp.signals import RPeak


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What a detector found in one recording."""

    places: NDArray[np.int64]  # sample of each R peak, ascending
    cpu_s: float  # processor time that it took
    #: samples from each R peak to the one with which it was told; None if the detector needs the
    #: whole recording at once
    late_by: NDArray[np.int64] | None = None
    #: which of them were found by search-back; None likewise
    search_back: NDArray[np.bool_] | None = None


def detect(recording: Recording, mains_hz: int) -> Detections:
    """Push a recording, as 24-bit codes, through a fresh signal chain as the service does."""
    front_end = FrontEnd(FrontEndOptions(mains_hz=mains_hz))
    given = list(samples(recording.blocks()))
    began_s = process_time()
    told = [
        (event.index, sample.index, event.search_back)
        for sample in given
        for event in front_end.push(sample)
        if isinstance(event, RPeak)
    ]
    cpu_s = process_time() - began_s
    places, told_at, search_back = np.array(sorted(told), dtype=np.int64).reshape(-1, 3).T
    return Detections(places, cpu_s, told_at - places, search_back.astype(bool))


def detector_cpu_s(recording: Recording, mains_hz: int) -> float:
    """Return the processor time of the detector alone, on the conditioned signal."""
    conditioner = Conditioner(mains_hz, RATE_HZ)
    conditioned_mv = [conditioner.push(sample.ecg_mv) for sample in samples(recording.blocks())]
    detector = PanTompkins(RATE_HZ)
    began_s = process_time()
    for ecg_mv in conditioned_mv:
        detector.push(ecg_mv)
    return process_time() - began_s
