"""Sets of long WFDB records, one of each person: parts of these, each a recording of its own.

How the parts differ is how one person's heart differs from itself, in rate, posture and noise.
Records of a minute cannot tell it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np
from rich.progress import Progress

from benchmarks.training.one_each import analyse_all
from daemon.offline.analysis import Workers
from daemon.recordings.errors import RecordingNotFound
from daemon.recordings.recording import Recording, read_recording
from dsp.front_end import RATE_HZ
from dsp.segmenter import WINDOW_SAMPLES
from model.tensor import normalise
from model.training.datasets import Beats

LEARNT_SAMPLES = int(20 * RATE_HZ)
LEARNT_FROM = range(0, int(1800 * RATE_HZ), int(200 * RATE_HZ))  # nine parts of half an hour
USUAL = 0.85  # least correlation with the part's median beat; of svdb's good beats 95 % are above


def is_half_hours(folder: Path) -> bool:
    """Tell whether a folder holds such a set."""
    return any(folder.glob("*.hea"))


def learnt_whole(folders: Iterable[Path], learnt: Collection[str]) -> list[str]:
    """Return which of these sets have taught a network, given what has: nobody is left to test."""
    return [each.name for each in folders if is_half_hours(each) and each.name in learnt]


def parts(folder: Path, begins: Iterable[int], samples: int) -> list[Recording]:
    """Return what of each WFDB record begins at one of these samples, as far as it has so many."""
    found = []
    for header in sorted(folder.glob("*.hea")):
        whole = read_recording(header)
        for begin in begins:
            part_mv = whole.ecg_mv[begin : begin + samples]
            if len(part_mv) == samples:
                found.append(Recording(header.stem, f"{header.stem}/{begin}", part_mv))
    return found


def gather_half_hours(folder: Path, bars: Progress, mains_hz: int, jobs: Workers = None) -> Beats:
    """Return everybody's usual good beats, of nine parts of half an hour, to learn from.

    Raises:
        RecordingError: no record has 20 s, or one cannot be read.
    """
    found = parts(folder, LEARNT_FROM, LEARNT_SAMPLES)
    if not found:
        raise RecordingNotFound(f"{folder} holds no WFDB record of 20 s or more to learn from")
    return usual(analyse_all(found, mains_hz, bars, jobs))


def usual(beats: Beats) -> Beats:
    """Keep the good beats that look like most of their recording: no extrasystoles."""
    good = beats.where(beats.good)
    shapes = normalise(good.windows_mv)
    likeness = np.empty(len(good))
    for record in np.unique(good.records):
        rows = good.records == record
        median = normalise(np.median(shapes[rows], axis=0)[None])[0]
        likeness[rows] = shapes[rows] @ median / WINDOW_SAMPLES
    return good.where(likeness > USUAL)
