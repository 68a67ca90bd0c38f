"""The samples of a recording as a chip at gain 6 with its 2.42 V reference would deliver them.

They are clipped at the ends of the converter's range and come in its steps, so that offline
commands and training work on what the service would; and what the signal chain makes of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import inf
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from drivers.frame import FULL_SCALE_COUNTS, MIN_COUNTS, millivolts_per_count
from dsp.front_end import FrontEnd
from dsp.options import FrontEndOptions
from dsp.signals import BeatWindow, Event, Sample

#: Where an electrode was off: the first sample, and the first after it.
LeadOff: TypeAlias = Sequence[tuple[float, float]]
#: A sample, and what it completed.
Step: TypeAlias = tuple[Sample, tuple[Event, ...]]

GAIN = 6
VREF_V = 2.42
LISTED = 10_000  # samples at a time, since Python's numbers take ten times the room of numpy's


def samples(blocks: Iterable[NDArray[np.float64]]) -> Iterator[Sample]:
    """Yield the samples of an ECG that comes in blocks, in mV at 250 Hz.

    Those that were not recorded (NaN) are lost, so that the index jumps. Whether the electrodes
    touched the skin is not known of a recording: ``lead_off`` is None.
    """
    mv_per_count = millivolts_per_count(GAIN, VREF_V)
    begin = 0
    for ecg_mv in blocks:
        with np.errstate(over="ignore"):  # what is endless in counts is cut off too
            codes = np.clip(np.rint(ecg_mv / mv_per_count), MIN_COUNTS, FULL_SCALE_COUNTS)
        saturated = (codes == MIN_COUNTS) | (codes == FULL_SCALE_COUNTS)
        recorded = np.flatnonzero(~np.isnan(codes))
        for some in np.array_split(recorded, len(recorded) // LISTED + 1):
            rows = zip(
                (begin + some).tolist(),
                (codes[some] * mv_per_count).tolist(),
                saturated[some].tolist(),
                strict=True,
            )
            for index, sample_mv, is_saturated in rows:
                yield Sample(index, sample_mv, None, is_saturated)
        begin += len(ecg_mv)


def chain_steps(
    blocks: Iterable[NDArray[np.float64]], mains_hz: int, lead_off: LeadOff = ()
) -> Iterator[Step]:
    """Yield each sample of an ECG that comes in blocks, with what a fresh chain makes of it."""
    front_end = FrontEnd(FrontEndOptions(mains_hz=mains_hz))
    coming = iter((*lead_off, (inf, inf)))
    off, on = next(coming)
    for sample in samples(blocks):
        if sample.index >= off:
            while sample.index >= on:
                off, on = next(coming)
            if sample.index >= off:
                sample.lead_off = True
        yield sample, front_end.push(sample)


def chain_events(
    blocks: Iterable[NDArray[np.float64]], mains_hz: int, lead_off: LeadOff = ()
) -> Iterator[Event]:
    """Yield what a fresh signal chain makes of an ECG that comes in blocks."""
    for _, completed in chain_steps(blocks, mains_hz, lead_off):
        yield from completed


def count_good_beats(blocks: Iterable[NDArray[np.float64]], mains_hz: int = 50) -> int:
    """Count the beats of an ECG that the service would count."""
    events = chain_events(blocks, mains_hz)
    return sum(isinstance(event, BeatWindow) and event.quality.good for event in events)
