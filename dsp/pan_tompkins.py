r"""Online QRS detection after Pan and Tompkins, one sample in, R peaks out.

    x --> band-pass --> slope --> square --> moving mean --> root --> candidates --> R peaks
      \___________________________ where exactly is the R? ___________________________/

The signal's energy in the QRS band rises to one hump per beat. Each hump is a *candidate*; two
thresholds, which float between the levels of recent beats and of recent noise, divide candidates
into beats and noise.

Departures from the paper, each for a reason:

* 7 to 20 Hz instead of 5 to 15 Hz: less T wave, less wander of wide beats.
* The root of the moving mean: levels then average amplitudes, which one giant ectopic beat
  cannot spoil for the beats after it.
* A hump is judged once it has fallen to half of its top or is 120 ms old, and a clear one sooner.
* The R peak is the most sharply bent extremum: the largest deflection of a paced or wide beat can
  be 160 ms away from its R wave.
* With no beat for 2.5 s the signal level decays. As published, a drop of the gain to a quarter
  leaves the thresholds out of reach for ever.
* A hump eight times as high as the signal level is an artefact, not a beat, unless it is not alone:
  then the gain has risen, and the signal level is set from it at once.
* What a QRS of some 60 uV would not reach is no beat, however low the thresholds have sunk: after
  asystole they would find beats in the noise.
* The search-back threshold never falls below the noise level.
* The candidates of the learning phase are judged when it ends, so the first beats are not lost.

Source: J. Pan, W. J. Tompkins, "A Real-Time QRS Detection Algorithm", IEEE Trans. Biomed. Eng.
32(3):230-236, 1985.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np

from dsp.biquads import Cascade
from dsp.moving_mean import MovingMean

BAND_HZ = (7.0, 20.0)
INTEGRATION_S = 0.150
LEARNING_S = 2.0
LEARNT_SIGNAL = 0.8  # first signal level, as a part of the largest hump seen while learning
SETTLING_S = 0.3  # after a short gap the levels are known, and only the filters have to settle
LEARNT_NOISE = 0.5  # first noise level, as a part of the mean seen while learning

HUMP_END = 0.5  # a hump is over when it has fallen to this part of its top,
HUMP_MAX_S = 0.120  # or this long after its top
REFRACTORY_S = 0.200  # no heart beats twice within this time
T_WAVE_S = 0.360  # within this time of a beat, a hump with
T_WAVE_SLOPE = 0.5  # less than this part of the beat's slope is its T wave

ENERGY_THRESHOLD = 0.45  # place of the threshold between noise level 0 and signal level 1
BAND_THRESHOLD = 0.40
CLEAR_THRESHOLD = 0.80  # above this on both features a beat need not wait for its hump to end,
CLEAR_WAIT_S = 0.060  # only this long past its top in the band-passed signal
SIGNAL_GAIN = 0.125  # how far a beat moves the signal level towards itself
NOISE_GAIN = 0.2
SEARCH_BACK_GAIN = 0.25
SEARCH_BACK_RR = 1.4  # a beat is overdue after so many mean RR intervals
SEARCH_BACK_THRESHOLD = 0.5  # part of the threshold that an overdue beat must reach
RR_MEMORY = 8

ARTEFACT = 8.0  # a hump this many times the signal level is no beat,
ARTEFACT_S = 0.6  # nor are more of them for so long: an electrode's step rings;
ARTEFACT_MEMORY_S = 3.0  # but more of them later, up to here, are grown beats
SMALLEST_BAND_MV = 0.03  # the least band-passed deflection of a beat, a tenth gain's included

DECAY_AFTER_S = 2.5  # with no beat for so long,
DECAY_S = 2.0  # the signal level decays with this time constant

CURVATURE_S = 0.040  # spacing of the three points that measure curvature; it nulls 50 Hz
LOOK_BEFORE_S = 0.140
LOOK_AFTER_S = 0.060
UPRIGHT = 1.8  # an upward bend counts for more: equal R and S must not take turns as the R peak

HISTORY = 2048  # samples kept for search-back and localisation; a power of two, over 8 s


@dataclass(frozen=True, slots=True)
class Detection:
    """An R peak.

    Attributes:
        position: its place, counted in samples pushed before it.
        amplitude_mv: the signal there.
        search_back: whether it was found late, by search-back.
    """

    position: int
    amplitude_mv: float
    search_back: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A hump of the energy: perhaps a beat.

    Attributes:
        top: position of the largest band-passed deflection under the hump.
        energy: the hump's height.
        band: the size of that deflection.
        slope: the steepest slope under the hump.
    """

    top: int
    energy: float
    band: float
    slope: float


@dataclass(slots=True)
class Level:
    """Where beats and noise have lately been in one feature, and the thresholds between."""

    signal: float
    noise: float

    def at(self, place: float) -> float:
        """Return the value at ``place`` between the noise level (0) and the signal level (1)."""
        return self.noise + place * (self.signal - self.noise)


@lru_cache
def band_pass_sections(rate_hz: float) -> tuple[tuple[float, ...], ...]:
    """Return the QRS band-pass as second-order sections."""
    from scipy import signal

    sos = signal.butter(2, BAND_HZ, "bandpass", fs=rate_hz, output="sos")
    return tuple(tuple(map(float, row)) for row in sos)


@lru_cache
def band_pass_delay(rate_hz: float) -> int:
    """Return the group delay of the band-pass at its centre, in samples."""
    from scipy import signal

    centre_hz = sqrt(BAND_HZ[0] * BAND_HZ[1])
    around_hz = [centre_hz - 0.1, centre_hz + 0.1]
    _, response = signal.sosfreqz(band_pass_sections(rate_hz), around_hz, fs=rate_hz)
    phase_rad = float(np.angle(response[1] / response[0]))
    return round(-phase_rad / (2 * np.pi * 0.2) * rate_hz)


class HumpFinder:
    """Follows the energy and tells when a hump is over."""

    __slots__ = ("_floor", "_max_age", "_rising", "top", "top_at")

    def __init__(self, max_age: int) -> None:
        self._max_age = max_age
        self._rising = True
        self._floor = 0.0
        self.top = 0.0
        self.top_at = 0

    def push(self, energy: float, now: int) -> bool:
        """Take the energy of position ``now``; True when the hump of ``top`` has just ended."""
        if not self._rising:
            if energy <= self._floor:
                self._floor = energy
                return False
            self._rising = True
            self.top = 0.0
        if energy > self.top:
            self.top = energy
            self.top_at = now
            return False
        if energy < HUMP_END * self.top or now - self.top_at >= self._max_age:
            self._rising = False
            self._floor = energy
            return True
        return False


class PanTompkins:
    """The detector: ``push`` each sample of the conditioned ECG in mV, get the R peaks.

    A gap in the signal calls for a new detector: a short one for :meth:`resumed`.
    """

    def __init__(self, rate_hz: float) -> None:
        def samples(seconds: float) -> int:
            return round(seconds * rate_hz)

        self._rate_hz = rate_hz
        self._learning = samples(LEARNING_S)
        self._integration = samples(INTEGRATION_S)
        self._refractory = samples(REFRACTORY_S)
        self._t_wave = samples(T_WAVE_S)
        self._clear_wait = samples(CLEAR_WAIT_S)
        self._artefact = samples(ARTEFACT_S)
        self._artefact_memory = samples(ARTEFACT_MEMORY_S)
        self._decay_after = samples(DECAY_AFTER_S)
        self._decay = 1 - 1 / (DECAY_S * rate_hz)
        self._curvature = samples(CURVATURE_S)
        self._look_before = samples(LOOK_BEFORE_S)
        self._look_after = samples(LOOK_AFTER_S)

        self._band_pass = Cascade(band_pass_sections(rate_hz))
        self._band_delay = band_pass_delay(rate_hz)
        self._mean = MovingMean(self._integration)
        self._humps = HumpFinder(samples(HUMP_MAX_S))
        self._ecg = [0.0] * HISTORY
        self._band = [0.0] * HISTORY
        self._slope = [0.0] * HISTORY

        self._now = -1  # position of the newest sample
        self._energy = Level(0.0, 0.0)
        self._deflection = Level(0.0, 0.0)
        self._waiting: list[Candidate] = []  # humps since the last beat that were not beats
        self._last_top = -HISTORY
        self._last_slope = 0.0
        self._last_r: int | None = None
        self._rr: deque[int] = deque(maxlen=RR_MEMORY)
        self._declared_early = False
        self._artefact_at = -HISTORY  # the first of the newest artefacts

    def resumed(self) -> PanTompkins:
        """Return a detector for the same heart after a short gap: filters anew, levels kept."""
        if self._now < self._learning:
            return PanTompkins(self._rate_hz)
        detector = PanTompkins(self._rate_hz)
        detector._learning = round(SETTLING_S * self._rate_hz)
        detector._energy, detector._deflection = self._energy, self._deflection
        detector._last_slope = self._last_slope
        detector._rr = self._rr
        return detector

    def push(self, ecg_mv: float) -> tuple[Detection, ...]:
        """Take one sample in mV and return the R peaks it made certain: most often none."""
        self._now = now = self._now + 1
        energy = self._extract(ecg_mv, now)
        hump_ended = self._humps.push(energy, now)
        if now <= self._learning:
            if hump_ended:
                self._waiting.append(self._candidate())
            return self._end_learning() if now == self._learning else ()
        if now - self._last_top > self._decay_after:
            self._energy.signal *= self._decay
            self._deflection.signal *= self._decay
        if hump_ended:
            return self._judge_hump()
        if energy > self._energy.at(CLEAR_THRESHOLD):
            return self._declare_early()
        if now == self._overdue_at():
            return self._search_back()
        return ()

    def _extract(self, ecg_mv: float, now: int) -> float:
        """Run the filters and return the energy feature of the newest sample."""
        at = now & (HISTORY - 1)
        band = self._band
        self._ecg[at] = ecg_mv
        band[at] = newest = self._band_pass.push(ecg_mv)
        slope = 2 * (newest - band[at - 4]) + band[at - 1] - band[at - 3]
        self._slope[at] = slope
        return sqrt(self._mean.push(slope * slope))

    def _candidate(self) -> Candidate:
        """Measure the hump: its features lie up to one integration before its top."""
        humps, mask = self._humps, HISTORY - 1
        start = max(humps.top_at - self._integration, 0)
        top, band, slope = start, 0.0, 0.0
        for position in range(start, humps.top_at + 1):
            deflection = abs(self._band[position & mask])
            if deflection > band:
                top, band = position, deflection
            slope = max(slope, abs(self._slope[position & mask]))
        return Candidate(top, humps.top, band, slope)

    def _end_learning(self) -> tuple[Detection, ...]:
        """Set the levels from the candidates seen so far, unless known, then judge these."""
        seen, self._waiting = self._waiting, []
        if seen and not self._energy.signal:
            for level, values in (
                (self._energy, [c.energy for c in seen]),
                (self._deflection, [c.band for c in seen]),
            ):
                level.signal = LEARNT_SIGNAL * max(values)
                level.noise = LEARNT_NOISE * min(values)
        return tuple(found for candidate in seen for found in self._judge(candidate))

    def _judge_hump(self) -> tuple[Detection, ...]:
        """Decide on a hump that has just ended."""
        candidate = self._candidate()
        if self._declared_early:
            self._declared_early = False
            self._learn_beat(candidate, SIGNAL_GAIN)
            return ()
        return self._judge(candidate)

    def _judge(self, candidate: Candidate) -> tuple[Detection, ...]:
        """Call the candidate a beat or noise, and learn from it."""
        since_beat = candidate.top - self._last_top
        if since_beat < self._refractory or self._is_artefact(candidate):
            return ()
        if since_beat < self._t_wave and candidate.slope < T_WAVE_SLOPE * self._last_slope:
            self._learn_noise(candidate)
            return ()
        could_be_a_beat = candidate.band >= SMALLEST_BAND_MV
        if (
            could_be_a_beat
            and candidate.energy > self._energy.at(ENERGY_THRESHOLD)
            and candidate.band > self._deflection.at(BAND_THRESHOLD)
        ):
            self._learn_beat(candidate, SIGNAL_GAIN)
            return (self._declare(candidate, search_back=False),)
        self._learn_noise(candidate)
        if could_be_a_beat:
            self._waiting.append(candidate)
        return self._search_back() if self._now > self._overdue_at() else ()

    def _is_artefact(self, candidate: Candidate) -> bool:
        """Tell whether a hump is too high for a beat, or learn from it that beats have grown."""
        if candidate.energy < ARTEFACT * self._energy.signal:
            return False
        since_first = candidate.top - self._artefact_at
        if since_first > self._artefact_memory:
            self._artefact_at = candidate.top
            return True
        if since_first < self._artefact:
            return True
        self._learn_beat(candidate, LEARNT_SIGNAL)
        return False

    def _declare_early(self) -> tuple[Detection, ...]:
        """Declare a beat that is clear before its hump has ended."""
        if self._declared_early:
            return ()
        candidate = self._candidate()
        if (
            candidate.band > max(self._deflection.at(CLEAR_THRESHOLD), SMALLEST_BAND_MV)
            and candidate.energy < ARTEFACT * self._energy.signal
            and self._now - candidate.top >= self._clear_wait
            and candidate.top - self._last_top > self._t_wave
        ):
            self._declared_early = True
            return (self._declare(candidate, search_back=False),)
        return ()

    def _overdue_at(self) -> int:
        """Return the position at which the next beat is overdue."""
        if not self._rr:
            return -1
        return self._last_top + round(SEARCH_BACK_RR * sum(self._rr) / len(self._rr))

    def _search_back(self) -> tuple[Detection, ...]:
        """Look for an overdue beat among the humps that were passed over."""
        best = max(self._waiting, key=lambda c: c.energy, default=None)
        if best is None:
            return ()
        for level, value, place in (
            (self._energy, best.energy, ENERGY_THRESHOLD),
            (self._deflection, best.band, BAND_THRESHOLD),
        ):
            if value < max(SEARCH_BACK_THRESHOLD * level.at(place), level.noise):
                return ()
        self._learn_beat(best, SEARCH_BACK_GAIN)
        return (self._declare(best, search_back=True),)

    def _learn_beat(self, beat: Candidate, gain: float) -> None:
        self._energy.signal += gain * (beat.energy - self._energy.signal)
        self._deflection.signal += gain * (beat.band - self._deflection.signal)
        self._last_slope = beat.slope

    def _learn_noise(self, noise: Candidate) -> None:
        self._energy.noise += NOISE_GAIN * (noise.energy - self._energy.noise)
        self._deflection.noise += NOISE_GAIN * (noise.band - self._deflection.noise)

    def _declare(self, beat: Candidate, search_back: bool) -> Detection:
        """Make the candidate a beat: find its R peak and start waiting for the next one."""
        r_peak = self._localise(beat.top - self._band_delay)
        if self._last_r is not None:
            self._rr.append(r_peak - self._last_r)
        self._last_r = r_peak
        self._last_top = beat.top
        self._last_slope = beat.slope
        self._waiting = [c for c in self._waiting if c.top - beat.top >= self._refractory]
        return Detection(r_peak, self._ecg[r_peak & (HISTORY - 1)], search_back)

    def _localise(self, about: int) -> int:
        """Return the position of the R peak: the local extremum with the sharpest bend."""
        ecg, mask, k = self._ecg, HISTORY - 1, self._curvature

        def sharpness(i: int) -> float:
            before, here, after = ecg[(i - 1) & mask], ecg[i & mask], ecg[(i + 1) & mask]
            bend = 2 * here - ecg[(i - k) & mask] - ecg[(i + k) & mask]
            if bend > 0:
                return bend * UPRIGHT if before <= here >= after else 0.0
            return -bend if before >= here <= after else 0.0

        first = max(about - self._look_before, k)
        if self._last_r is not None:
            first = max(first, self._last_r + self._refractory)
        last = min(about + self._look_after, self._now - k)
        return max(range(first, last + 1), key=sharpness, default=about)
