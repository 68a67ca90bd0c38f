"""A made-up ECG with ectopic beats, and what the signal chain makes of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dsp.front_end import RATE_HZ, FrontEnd
from dsp.signals import Event, Sample
from tests.dsp.heartbeats import WAVES, ecg

#: A ventricular beat: no P, a wide QRS, and a T wave that points the other way.
WIDE = ((1.2, 0.0, 0.035), (-0.6, 0.09, 0.04), (-0.45, 0.30, 0.06))
RR_S, EARLY_S = 0.80, 0.48


def rhythm(
    beats: int, ectopic: Sequence[int] = (), *, wide: bool = False, seed: int = 0
) -> tuple[list[int], NDArray[np.float64]]:
    """Return the samples of the R peaks, and the ECG in mV at 250 Hz.

    Args:
        beats: how many.
        ectopic: the numbers of those that come early; a pause follows each.
        wide: whether these are ventricular ones, or else as narrow as the others.
        seed: of the noise, and of the intervals, which vary by 2 %.
    """
    rng = np.random.default_rng(seed)
    intervals_s = RR_S * (1 + 0.02 * rng.standard_normal(beats))
    for beat in ectopic:
        intervals_s[beat] = EARLY_S
        intervals_s[beat + 1] = 2 * RR_S - EARLY_S if wide else 1.1 * RR_S
    r_peaks = np.rint(RATE_HZ * (0.5 - RR_S + np.cumsum(intervals_s))).astype(int)
    count = int(r_peaks[-1] + 2 * RATE_HZ)
    others = np.isin(np.arange(beats), ectopic) & wide
    ecg_mv = ecg(r_peaks[~others], count, WAVES) + ecg(r_peaks[others], count, WIDE)
    return r_peaks.tolist(), ecg_mv + 0.005 * rng.standard_normal(count)


def events_of(ecg_mv: NDArray[np.float64], lost: range = range(0)) -> list[Event]:
    """Run the signal chain over an ECG of which some samples are lost."""
    front_end = FrontEnd()
    return [
        event
        for index, value in enumerate(ecg_mv.tolist())
        if index not in lost
        for event in front_end.push(Sample(index, value, None))
    ]
