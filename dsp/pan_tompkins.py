r"""Online QRS detection after Pan and Tompkins, one sample in, R peaks out.

    x --> features --> humps --> beats --> R peaks
      \____________________________/ where exactly is the R?

The signal's energy in the QRS band rises to one hump per beat (``dsp.qrs_features``). Two
thresholds, which float between the levels of recent beats and of recent noise, divide the humps
into beats and noise; ``dsp.r_peak`` finds the R peak of each beat.

Departures from the paper, each for a reason. In brackets: what taking it back adds to the detection
error rate on MIT-BIH DS1, which is 0.327 %, in points (``qrsd benchmark qrs --ablate``).

* The slope is taken over 32 ms (-0.014, but strong muscle noise costs five times as many errors
  otherwise) and its square averaged over 180 ms (+0.075).
* The root of the moving mean: levels then average amplitudes, which one giant ectopic beat
  cannot spoil for the beats after it (+0.419).
* Thresholds at 0.45 and 0.40 between noise and signal, where the paper has 0.25 (-0.021, but
  recorded muscle noise costs half as many errors again).
* The noise level learns by 1/5, not 1/8: at the beginning of a short recording (0.000).
* A hump is judged once it has fallen to about half of its top or is 100 ms old, a likely beat
  sooner (-0.007, and 160 ms later). Where the haste takes a tall P wave for the R wave behind it,
  there is none for a minute (+0.511).
* A T wave has less than half the last beat's slope, or little more than half its steepness
  (+0.012); it may come later after a long RR interval, and search-back doubts longer still
  (-0.012, but tall T waves that are 360 ms late are then counted).
* A beat is overdue after 1.4 RR intervals, not 1.66 (+0.111), and the search-back threshold never
  falls below the noise level (0.000, but noise is not searched for beats).
* The R peak is the most sharply bent extremum (+0.019), rather one that points up (-0.005): the
  largest deflection of a paced or wide beat can be 160 ms away from its R wave, and R and S of
  equal size would change places from beat to beat.
* With no beat for 2.5 s the signal level decays (+0.014). As published, a drop of the gain to a
  quarter leaves the thresholds out of reach for ever.
* A hump eight times as high as the signal level is an artefact, not a beat, unless it is not alone:
  then the gain has risen, and the signal level is set from it at once (0.000: electrode pops).
* What a QRS of some 60 uV would not reach is no beat, however low the thresholds have sunk: after
  asystole they would find beats in the noise (0.000).
* The humps of the learning phase are judged when it ends, so the first beats are not lost, and the
  signal level starts at 0.8 of the largest of them (0.000: the first seconds of a recording).

Source: J. Pan, W. J. Tompkins, "A Real-Time QRS Detection Algorithm", IEEE Trans. Biomed. Eng.
32(3):230-236, 1985.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from dsp import r_peak
from dsp.qrs_features import HISTORY, MASK, Hump, QrsFeatures, band_pass_delay

LEARNING_S = 2.0
LEARNT_SIGNAL = 0.8  # first signal level, as a part of the largest hump seen while learning
SETTLING_S = 0.3  # after a short gap the levels are known, and only the filters have to settle
LEARNT_NOISE = 0.5  # first noise level, as a part of the mean seen while learning

REFRACTORY_S = 0.200  # no heart beats twice within this time
T_WAVE_SLOPE = 0.5  # a hump with less than this part of the last beat's slope is its T wave,
T_WAVE_STEEPNESS = 0.55  # or with less than this part of its steepness,
T_WAVE_RR = 0.42  # within this part of the mean RR interval of that beat,
T_WAVE_S = (0.360, 0.440)  # but no less and no more than this; the most, with RR unknown
T_DOUBT_S = 0.500  # search-back doubts more: it takes no hump within this time of a beat
T_DOUBT_SLOPE = 0.35  # with less than this part of its slope

ENERGY_THRESHOLD = 0.45  # place of the threshold between noise level 0 and signal level 1
BAND_THRESHOLD = 0.40
CLEAR_THRESHOLD = 0.80  # above this on both features a beat need not wait for its hump to end,
CLEAR_WAIT_S = 0.052  # only this long past its top in the band-passed signal;
LIKELY_ENERGY = 0.50  # above these, somewhat longer
LIKELY_BAND = 0.45
LIKELY_WAIT_S = 0.128
REGRET = 1.2  # a wave larger than the last beat by so much, on its heels, should have been it:
PATIENT_S = 60.0  # for so long no beat is declared before its hump has ended
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


@dataclass(frozen=True, slots=True)
class Detection:
    """An R peak."""

    position: int  # its place, counted in samples pushed before it
    amplitude_mv: float  # the signal there
    search_back: bool  # whether it was found late, by search-back


@dataclass(slots=True)
class Level:
    """Where beats and noise have lately been in one feature, and the thresholds between."""

    signal: float
    noise: float

    def at(self, place: float) -> float:
        """Return the value at ``place`` between the noise level (0) and the signal level (1)."""
        return self.noise + place * (self.signal - self.noise)

    def place(self, value: float) -> float:
        """Return where a value is: the inverse of ``at``."""
        return (value - self.noise) / (self.signal - self.noise)

    def in_search_back(self, place: float) -> float:
        """Return what an overdue beat must reach: less, but no less than the noise level."""
        return max(SEARCH_BACK_THRESHOLD * self.at(place), self.noise)


class PanTompkins:
    """The detector: ``push`` each sample of the conditioned ECG in mV, get the R peaks.

    A gap that is not bridged calls for a new detector: a short one for :meth:`resumed`.
    """

    def __init__(self, rate_hz: float) -> None:
        def samples(seconds: float) -> int:
            return round(seconds * rate_hz)

        self._rate_hz = rate_hz
        self._learning = samples(LEARNING_S)
        self._refractory = samples(REFRACTORY_S)
        self._t_wave_least, self._t_wave_most = map(samples, T_WAVE_S)
        self._t_doubt = samples(T_DOUBT_S)
        self._clear_wait = samples(CLEAR_WAIT_S)
        self._likely_wait = samples(LIKELY_WAIT_S)
        self._patient = samples(PATIENT_S)
        self._artefact = samples(ARTEFACT_S)
        self._artefact_memory = samples(ARTEFACT_MEMORY_S)
        self._decay_after = samples(DECAY_AFTER_S)
        self._decay = 1 - 1 / (DECAY_S * rate_hz)
        self._curvature = samples(r_peak.CURVATURE_S)
        self._look_before = samples(r_peak.LOOK_BEFORE_S)
        self._look_after = samples(r_peak.LOOK_AFTER_S)

        self._features = QrsFeatures(rate_hz)
        self._band_delay = band_pass_delay(rate_hz)
        self._energy = Level(0.0, 0.0)
        self._band = Level(0.0, 0.0)
        self._waiting: list[Hump] = []  # humps since the last beat that were not beats
        self._last_top = -HISTORY
        self._last_band = 0.0
        self._last_slope = 0.0
        self._last_steepness = 0.0
        self._last_r: int | None = None
        self._rr: deque[int] = deque(maxlen=RR_MEMORY)
        self._t_wave = self._t_wave_most
        self._overdue_at = -1
        self._declared_early = False
        self._look_at = 0  # when to look again whether a beat can be declared early
        self._patient_until = 0
        self._artefact_at = -HISTORY  # the first of the newest artefacts

    def resumed(self) -> PanTompkins:
        """Return a detector for the same heart after a short gap: filters anew, levels kept."""
        detector = PanTompkins(self._rate_hz)
        now = self._features.now
        if now < self._learning:
            return detector
        detector._learning = round(SETTLING_S * self._rate_hz)
        detector._energy, detector._band = self._energy, self._band
        detector._last_band = self._last_band
        detector._last_slope, detector._last_steepness = self._last_slope, self._last_steepness
        detector._rr, detector._t_wave = self._rr, self._t_wave
        detector._patient_until = self._patient_until - now
        return detector

    def push(self, ecg_mv: float) -> tuple[Detection, ...]:
        """Take one sample in mV and return the R peaks it made certain: most often none."""
        features = self._features
        hump_ended = features.push(ecg_mv)
        now = features.now
        if now <= self._learning:
            if hump_ended:
                self._waiting.append(features.hump())
            return self._end_learning() if now == self._learning else ()
        if now - self._last_top > self._decay_after:
            self._energy.signal *= self._decay
            self._band.signal *= self._decay
        if hump_ended:
            return self._judge_hump()
        if now >= self._look_at and features.energy > self._energy.at(LIKELY_ENERGY):
            return self._declare_early(now)
        if now == self._overdue_at:
            return self._search_back()
        return ()

    def _end_learning(self) -> tuple[Detection, ...]:
        """Set the levels from the humps seen so far, unless known, then judge these."""
        seen, self._waiting = self._waiting, []
        if seen and not self._energy.signal:
            for level, values in (
                (self._energy, [hump.energy for hump in seen]),
                (self._band, [hump.band for hump in seen]),
            ):
                level.signal = LEARNT_SIGNAL * max(values)
                level.noise = LEARNT_NOISE * min(values)
        return tuple(found for hump in seen for found in self._judge(hump))

    def _judge_hump(self) -> tuple[Detection, ...]:
        """Decide on a hump that has just ended."""
        hump = self._features.hump()
        self._look_at = 0
        if self._declared_early:
            self._declared_early = False
            self._regret_haste(hump)
            self._learn_beat(hump, SIGNAL_GAIN)
            return ()
        return self._judge(hump)

    def _judge(self, hump: Hump) -> tuple[Detection, ...]:
        """Call the hump a beat or noise, and learn from it."""
        since_beat = hump.top - self._last_top
        if since_beat < self._refractory:
            self._regret_haste(hump)
            return ()
        if self._is_artefact(hump):
            return ()
        if since_beat < self._t_wave and self._is_flat(hump):
            self._learn_noise(hump)
            return ()
        could_be_a_beat = hump.band >= SMALLEST_BAND_MV
        if (
            could_be_a_beat
            and hump.energy > self._energy.at(ENERGY_THRESHOLD)
            and hump.band > self._band.at(BAND_THRESHOLD)
        ):
            self._learn_beat(hump, SIGNAL_GAIN)
            return (self._declare(hump, search_back=False),)
        self._learn_noise(hump)
        doubtful = since_beat < self._t_doubt and hump.slope < T_DOUBT_SLOPE * self._last_slope
        if could_be_a_beat and not doubtful:
            self._waiting.append(hump)
        return self._search_back() if self._features.now > self._overdue_at else ()

    def _is_flat(self, hump: Hump) -> bool:
        """Tell whether a hump is too flat for a beat like the last one."""
        return (
            hump.slope < T_WAVE_SLOPE * self._last_slope
            or hump.steepness < T_WAVE_STEEPNESS * self._last_steepness
        )

    def _is_artefact(self, hump: Hump) -> bool:
        """Tell whether a hump is too high for a beat, or learn from it that beats have grown."""
        if hump.energy < ARTEFACT * self._energy.signal:
            return False
        since_first = hump.top - self._artefact_at
        if since_first > self._artefact_memory:
            self._artefact_at = hump.top
            return True
        if since_first < self._artefact:
            return True
        self._learn_beat(hump, LEARNT_SIGNAL)
        return False

    def _declare_early(self, now: int) -> tuple[Detection, ...]:
        """Declare a beat that is clear enough before its hump has ended."""
        if self._declared_early or now < self._patient_until:
            return ()
        hump = self._features.hump()
        if (
            hump.band < max(self._band.at(LIKELY_BAND), SMALLEST_BAND_MV)
            or hump.energy >= ARTEFACT * self._energy.signal
            or hump.top - self._last_top <= self._t_wave
        ):
            return ()
        clear = min(self._energy.place(hump.energy), self._band.place(hump.band)) > CLEAR_THRESHOLD
        if now < hump.top + (self._clear_wait if clear else self._likely_wait):
            self._look_at = hump.top + self._clear_wait
            return ()
        self._declared_early = True
        return (self._declare(hump, search_back=False),)

    def _regret_haste(self, hump: Hump) -> None:
        """Stop declaring early for a while if this hump, and not the one declared, was the beat.

        So it is with a P wave that stands as high as the R wave before which it was taken for one.
        """
        if hump.band > REGRET * self._last_band and hump.energy < ARTEFACT * self._energy.signal:
            self._patient_until = self._features.now + self._patient

    def _search_back(self) -> tuple[Detection, ...]:
        """Look for an overdue beat among the humps that were passed over."""
        best = max(self._waiting, key=lambda hump: hump.energy, default=None)
        if best is None:
            return ()
        if best.energy < self._energy.in_search_back(ENERGY_THRESHOLD):
            return ()
        if best.band < self._band.in_search_back(BAND_THRESHOLD):
            return ()
        self._learn_beat(best, SEARCH_BACK_GAIN)
        return (self._declare(best, search_back=True),)

    def _learn_beat(self, beat: Hump, gain: float) -> None:
        self._energy.signal += gain * (beat.energy - self._energy.signal)
        self._band.signal += gain * (beat.band - self._band.signal)
        self._last_slope, self._last_steepness = beat.slope, beat.steepness

    def _learn_noise(self, noise: Hump) -> None:
        self._energy.noise += NOISE_GAIN * (noise.energy - self._energy.noise)
        self._band.noise += NOISE_GAIN * (noise.band - self._band.noise)

    def _declare(self, beat: Hump, search_back: bool) -> Detection:
        """Make the hump a beat: find its R peak and start waiting for the next one."""
        position = self._r_peak(beat.top - self._band_delay)
        if self._last_r is not None:
            self._rr.append(position - self._last_r)
        self._last_r = position
        self._last_top, self._last_band = beat.top, beat.band
        self._last_slope, self._last_steepness = beat.slope, beat.steepness
        self._waiting = [hump for hump in self._waiting if hump.top - beat.top >= self._refractory]
        if self._rr:
            mean_rr = sum(self._rr) / len(self._rr)
            self._overdue_at = beat.top + round(SEARCH_BACK_RR * mean_rr)
            self._t_wave = max(
                self._t_wave_least, min(round(T_WAVE_RR * mean_rr), self._t_wave_most)
            )
        return Detection(position, self._features.ecg[position & MASK], search_back)

    def _r_peak(self, about: int) -> int:
        """Return where the R peak is of a beat that is about there."""
        first = max(about - self._look_before, self._curvature)
        if self._last_r is not None:
            first = max(first, self._last_r + self._refractory)
        last = min(about + self._look_after, self._features.now - self._curvature)
        places = range(first, last + 1)
        return r_peak.sharpest_bend(self._features.ecg, places, self._curvature, about)
