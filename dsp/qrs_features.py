"""The detector's features: one hump of energy for each wave in the QRS's frequency band.

    x --> band-pass --> slope --> square --> moving mean --> root --> energy --> humps

Source: J. Pan, W. J. Tompkins, "A Real-Time QRS Detection Algorithm", IEEE Trans. Biomed. Eng.
32(3):230-236, 1985, II; the root is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from operator import sub

import numpy as np

from dsp.biquads import Cascade
from dsp.filter_design import band_pass, response

BAND_HZ = (5.0, 15.0)
SLOPE_S = 0.032  # the slope is taken over so long: it is deaf to muscle noise of 30 Hz and more
STEEP_S = 0.016  # the steepness of the ECG itself is taken over so long
INTEGRATION_S = 0.180
HUMP_END = 0.55  # a hump is over when it has fallen to this part of its top,
HUMP_MAX_S = 0.100  # or this long after its top

HISTORY = 2048  # samples kept for search-back and localisation; a power of two, over 8 s
MASK = HISTORY - 1


@dataclass(frozen=True, slots=True)
class Hump:
    """A hump of the energy: perhaps a beat."""

    top: int  # position of the largest band-passed deflection under the hump
    energy: float  # the hump's height
    band: float  # the size of that deflection
    slope: float  # the steepest slope under the hump
    #: the most that the ECG itself rises or falls within 16 ms there: a pointed T wave has a QRS's
    #: slope, but not its steepness
    steepness: float


@lru_cache
def band_pass_delay(rate_hz: float) -> int:
    """Return the group delay of the band-pass at its centre, in samples."""
    centre_hz = sqrt(BAND_HZ[0] * BAND_HZ[1])
    around_hz = [centre_hz - 0.1, centre_hz + 0.1]
    before, after = response(band_pass(BAND_HZ, rate_hz), around_hz, rate_hz)
    phase_rad = float(np.angle(after / before))
    return round(-phase_rad / (2 * np.pi * 0.2) * rate_hz)


class MovingMean:
    """The mean of the newest ``length`` samples, at the same cost however many they are."""

    __slots__ = ("_at", "_length", "_ring", "_sum")

    def __init__(self, length: int) -> None:
        self._length = length
        self._ring = [0.0] * length
        self._at = 0
        self._sum = 0.0

    def push(self, x: float) -> float:
        """Take one sample and return the mean."""
        ring, at = self._ring, self._at
        total = self._sum + x - ring[at]
        ring[at] = x
        at += 1
        if at == self._length:  # once a round, afresh: rounding errors must not add up
            at = 0
            total = sum(ring)
        self._at = at
        self._sum = total
        return total / self._length if total > 0 else 0.0


class QrsFeatures:
    """Runs the filters and follows the energy from hump to hump.

    Attributes:
        now: position of the newest sample.
        energy: of the newest sample.
        ecg: the newest samples; that of position p is at ``p & MASK``.
    """

    __slots__ = (
        "_band",
        "_band_pass",
        "_delay",
        "_floor",
        "_hump_max",
        "_integration",
        "_mean",
        "_rising",
        "_slope",
        "_span",
        "_steep_span",
        "_top",
        "_top_at",
        "ecg",
        "energy",
        "now",
    )

    def __init__(self, rate_hz: float) -> None:
        self._integration = round(INTEGRATION_S * rate_hz)
        self._hump_max = round(HUMP_MAX_S * rate_hz)
        self._span = round(SLOPE_S * rate_hz)
        self._steep_span = round(STEEP_S * rate_hz)
        self._delay = band_pass_delay(rate_hz)
        self._band_pass = Cascade(band_pass(BAND_HZ, rate_hz))
        self._mean = MovingMean(self._integration)
        self.ecg = [0.0] * HISTORY
        self._band = [0.0] * HISTORY
        self._slope = [0.0] * HISTORY
        self._rising = True
        self._floor = 0.0
        self._top = 0.0
        self._top_at = 0
        self.energy = 0.0
        self.now = -1

    def push(self, ecg_mv: float) -> bool:
        """Take one sample; True when a hump has just ended."""
        self.now = now = self.now + 1
        at, span, band = now & MASK, self._span, self._band
        self.ecg[at] = ecg_mv
        band[at] = newest = self._band_pass.push(ecg_mv)
        slope = 2 * (newest - band[at - span]) + band[at - 1] - band[at - span + 1]
        self._slope[at] = slope
        self.energy = energy = sqrt(self._mean.push(slope * slope))
        return self._follow(energy, now)

    def _follow(self, energy: float, now: int) -> bool:
        if not self._rising:
            if energy <= self._floor:
                self._floor = energy
                return False
            self._rising = True
            self._top = 0.0
        if energy > self._top:
            self._top = energy
            self._top_at = now
            return False
        if energy < HUMP_END * self._top or now - self._top_at >= self._hump_max:
            self._rising = False
            self._floor = energy
            return True
        return False

    def hump(self) -> Hump:
        """Measure the newest hump: its features lie up to one integration before its top."""
        start, stop = max(self._top_at - self._integration, 0), self._top_at + 1
        bands, slopes = stretch(self._band, start, stop), stretch(self._slope, start, stop)
        highest, lowest = max(bands), min(bands)
        band = max(highest, -lowest)
        top = start + bands.index(highest if highest == band else lowest)
        slope = max(*slopes, -min(slopes))
        return Hump(top, self._top, band, slope, self._steepness(start, stop))

    def _steepness(self, start: int, stop: int) -> float:
        """Return the ECG's steepness under a hump: earlier, by what the band-pass delays."""
        span = self._steep_span
        start, stop = max(start - self._delay, span), stop - self._delay
        later = stretch(self.ecg, start, stop)
        earlier = stretch(self.ecg, start - span, stop - span)
        return max(map(abs, map(sub, later, earlier)), default=0.0)


def stretch(history: list[float], start: int, stop: int) -> list[float]:
    """Return the samples from one position up to another."""
    if start >= stop:
        return []
    first, last = start & MASK, stop & MASK
    return history[first:last] if first < last else history[first:] + history[:last]
