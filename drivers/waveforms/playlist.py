"""Who wears the simulated electrodes, and for how long: recordings and hearts one after another."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import floor, isnan

import numpy as np
from numpy.typing import NDArray

from drivers.waveforms import Contact
from drivers.waveforms.hearts import Heart
from drivers.waveforms.interference import Interference
from drivers.waveforms.noise import RATE_HZ
from drivers.waveforms.options import InterferenceOptions

NOBODY = "electrodes off"
OFF = Contact(0.0, 0.0, True)
SAME_SAMPLE = 1e-6  # k / rate * rate need not be k exactly


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """One stretch of a playlist."""

    name: str  # what is played
    samples: int  # how long, at 250 Hz
    #: shape (n,), repeated if the segment is longer, NaN where an electrode is off; None if they
    #: are off all the time
    ecg_mv: NDArray[np.float64] | None = None
    respiration_mv: NDArray[np.float64] | None = None  # the same of channel 1; None for a flat line
    interference: Interference | None = None  # what is added to the ECG; None for nothing

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ValueError(f"samples: {self.samples} is not 1 or more")

    def at(self, sample: int) -> Contact:
        """Return what the electrodes see at a sample of this segment."""
        if self.ecg_mv is None:
            return OFF
        ecg_mv = self.ecg_mv.item(sample % len(self.ecg_mv))
        if isnan(ecg_mv):
            return OFF
        if self.interference is not None:
            ecg_mv += self.interference.at(sample)
        if self.respiration_mv is None:
            return Contact(0.0, ecg_mv, False)
        respiration_mv = self.respiration_mv.item(sample % len(self.respiration_mv))
        return Contact(respiration_mv, ecg_mv, False)


def play_recording(
    name: str,
    ecg_mv: NDArray[np.float64],
    seconds: float | None = None,
    from_s: float = 0.0,
    respiration_mv: NDArray[np.float64] | None = None,
) -> Segment:
    """Play a recording of 250 Hz to its end, or for ``seconds``, again and again if it is shorter.

    ``ecg_mv`` is NaN where nothing was recorded; channel 1 sees ``respiration_mv``, as long.

    Raises:
        ValueError: it ends before ``from_s``.
    """
    duration_s = len(ecg_mv) / RATE_HZ
    if not 0 <= from_s < duration_s:
        raise ValueError(f"from_s: {from_s:g} is not within the {duration_s:g} s played")
    first = round(from_s * RATE_HZ)
    ecg_mv = ecg_mv[first:]
    if respiration_mv is not None:
        respiration_mv = np.nan_to_num(respiration_mv[first:])
    length = len(ecg_mv) if seconds is None else round(seconds * RATE_HZ)
    return Segment(name, length, ecg_mv, respiration_mv)


def play_heart(
    heart: Heart,
    seconds: float,
    from_s: float = 0.0,
    interference: InterferenceOptions | None = None,
) -> Segment:
    """Play a synthetic heart, with what electrodes pick up besides."""
    first = round(from_s * RATE_HZ)
    return Segment(
        heart.name,
        round(seconds * RATE_HZ),
        np.roll(heart.ecg_mv, -first),
        np.roll(heart.respiration_mv, -first),
        None if interference is None else Interference(interference),
    )


def electrodes_off(seconds: float) -> Segment:
    """Nobody wears the electrodes."""
    return Segment(NOBODY, round(seconds * RATE_HZ))


class Playlist:
    """Electrodes (see ``drivers.waveforms``) that see segments in turn, once or forever."""

    def __init__(self, segments: Sequence[Segment], repeat: bool = False) -> None:
        if not segments:
            raise ValueError("segments: there is nothing to play")
        self._segments = tuple(segments)
        self._starts = [0, *accumulate(segment.samples for segment in segments)]
        self._repeat = repeat

    @property
    def duration_s(self) -> float | None:
        """Seconds until the end, or None if it begins again forever."""
        return None if self._repeat else self._starts[-1] / RATE_HZ

    def playing(self, time_s: float) -> str:
        """Name what is played at ``time_s``; empty after the end."""
        place = self._find(floor(time_s * RATE_HZ + SAME_SAMPLE))
        return "" if place is None else place[0].name

    def at(self, time_s: float) -> Contact:
        """Return what the electrodes see, between two samples on the line that joins them."""
        position = time_s * RATE_HZ
        sample = round(position)
        if abs(position - sample) < SAME_SAMPLE:
            return self._contact(sample)
        sample = floor(position)
        before, after = self._contact(sample), self._contact(sample + 1)
        if before.lead_off or after.lead_off:
            return before
        part = position - sample
        return Contact(
            before.ch1_mv + part * (after.ch1_mv - before.ch1_mv),
            before.ch2_mv + part * (after.ch2_mv - before.ch2_mv),
            False,
        )

    def _contact(self, sample: int) -> Contact:
        place = self._find(sample)
        if place is None:
            return OFF
        segment, sample_of_segment = place
        return segment.at(sample_of_segment)

    def _find(self, sample: int) -> tuple[Segment, int] | None:
        """Return the segment that plays at a sample, and the sample's number in it."""
        end = self._starts[-1]
        if sample >= end:
            if not self._repeat:
                return None
            sample %= end
        number = bisect_right(self._starts, sample) - 1
        return self._segments[number], sample - self._starts[number]
