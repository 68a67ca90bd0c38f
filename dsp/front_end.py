"""The whole signal chain behind one call: millivolts in, R peaks and beat windows out.

    Sample --> pulse hold --> bridge --> conditioner --> Pan-Tompkins --> segmenter --> quality
                                              |               |                            |
              what detector and network see: conditioned_mv   RPeak, heart rate       BeatWindow

The service, training and every benchmark run this same object, so that no model ever meets a
signal that was prepared otherwise than its training's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from statistics import median
from typing import Any

from dsp import conditioner, qrs_features, segmenter
from dsp.bridge import BRIDGED_SAMPLES, Bridge
from dsp.conditioner import Conditioner, conditioning_delay
from dsp.contact import Contact
from dsp.options import FrontEndOptions
from dsp.pacing import PulseHold
from dsp.pan_tompkins import Detection, PanTompkins
from dsp.quality import QualityJudge
from dsp.segmenter import Segmenter
from dsp.signals import (
    BeatWindow,
    ContactRestored,
    Event,
    Interruption,
    LeadOffContradicted,
    RPeak,
    Sample,
)

#: Of the beats that the chain cuts: one more whenever any rule changes them, be it the placement of
#: the R peak, the pulse hold, the bridge or the quality. A model fits the beats it was trained on.
CHAIN_VERSION = 2

RATE_HZ = segmenter.RATE_HZ
HEART_RATE_BEATS = 8
NAN = float("nan")
NOT_YET = -1  # no sample has come
HEART_RATE_FORGET_S = 3.0  # no beat for so long: no heart rate
CONTRADICTING_BEATS = 10  # good ones in a row, while the electrodes are said to be off


class FrontEnd:
    """Takes samples at 250 Hz one by one and returns what they made certain.

    A gap of a few samples is bridged. After a longer one no filter rings across it, and no beat
    window spans it. Lead-off, and a gap in which the electrodes may have changed hands, reset all
    that was learnt as well.
    """

    def __init__(self, options: FrontEndOptions | None = None) -> None:
        self._options = options or FrontEndOptions()
        self._mains_hz = self._options.mains_hz
        self.delay = conditioning_delay(self._mains_hz, RATE_HZ)
        self._bridge = Bridge()
        self._contact = Contact()
        self._lead_off: bool | None = None
        self._unbelieved: FrontEnd | None = None
        self._beats_while_off = 0
        self._restart(NOT_YET)

    def _restart(self, index: int) -> None:
        """Begin afresh with the sample of this index: somebody else's heart, perhaps."""
        self._detector = PanTompkins(RATE_HZ)
        self._quality = QualityJudge()
        self._rr_s: deque[float] = deque(maxlen=HEART_RATE_BEATS)
        self._in_contact = True
        self._start_filters(index)

    def _resume(self, index: int) -> None:
        """Go on with the same heart after a short gap: only filters and windows begin anew."""
        self._detector = self._detector.resumed()
        self._start_filters(index)

    def _start_filters(self, index: int) -> None:
        self._origin = self._due = index
        self._pulse_hold = PulseHold()
        self._conditioner = Conditioner(self._mains_hz, RATE_HZ)
        self._segmenter = Segmenter()
        self._last_r: int | None = None
        self._last_mv = 0.0
        self._saturated_at = -1
        self.conditioned_mv = NAN

    @staticmethod
    def description() -> dict[str, Any]:
        """Return what a model's passport must agree with."""
        return {
            "chain_version": CHAIN_VERSION,
            "rate_hz": RATE_HZ,
            "highpass_hz": conditioner.HIGHPASS_HZ,
            "notch_q": conditioner.NOTCH_Q,
            "lowpass_hz": conditioner.LOWPASS_HZ,
            "window": [segmenter.BEFORE_R, segmenter.FROM_R],
            "detector_band_hz": list(qrs_features.BAND_HZ),
        }

    @property
    def lead_off(self) -> bool | None:
        """Whether an electrode is off, flickers of the bits left out; None if nobody can tell."""
        return self._contact.off if self._lead_off is not None else None

    @property
    def lead_off_flickers(self) -> int:
        """How often a lead-off bit was set too briefly to mean anything."""
        return self._contact.flickers

    @property
    def heart_rate_bpm(self) -> float | None:
        """The median rate of the last beats per minute; None before two beats and without any."""
        if not self._rr_s:
            return None
        last_beat = self._origin + (self._last_r or 0)
        if self._due - last_beat > HEART_RATE_FORGET_S * RATE_HZ:
            return None
        return 60 / median(self._rr_s)

    def push(self, sample: Sample) -> tuple[Event, ...]:
        """Take one sample and return the events it completed, most often none.

        Raises:
            ValueError: the index did not grow.
        """
        self._lead_off = sample.lead_off
        if not self._contact.push(bool(sample.lead_off)):
            self.conditioned_mv = NAN
            return self._without_contact(sample) if self._contact.off else ()
        events: tuple[Event, ...] = () if sample.index == self._due else self._jump(sample.index)
        if not self._in_contact:
            self._restart(sample.index)
            self._unbelieved = None
            events += (ContactRestored(sample.index),)
        if sample.saturated:
            self._saturated_at = sample.index - self._origin
        ecg_mv = self._pulse_hold.push(sample.ecg_mv)
        if sample.index != self._due:
            gap = range(self._due, sample.index)
            for made_up_mv in self._bridge.across(gap, self._last_mv, ecg_mv):
                events += self._process(made_up_mv)
        return events + self._process(ecg_mv)

    def _jump(self, index: int) -> tuple[Event, ...]:
        """Prepare for the first sample of all, or tell of a gap and whether to begin anew."""
        if self._due == NOT_YET:
            self._restart(index)
            return ()
        gap = Interruption(index, "gap", index - self._due)
        if gap.lost < 0:
            raise ValueError(f"sample {index} came where {self._due} or later was expected")
        if not self._in_contact:
            return ()  # there is nothing that a gap could interrupt
        if gap.wearer_may_differ:
            self._restart(index)
        elif gap.lost > BRIDGED_SAMPLES:
            self._resume(index)
        return (gap,)

    def _without_contact(self, sample: Sample) -> tuple[Event, ...]:
        events: tuple[Event, ...] = ()
        if self._in_contact:
            events = (Interruption(sample.index, "lead_off", 0),)
            self._restart(sample.index)
            self._in_contact = False
            self._unbelieved, self._beats_while_off = FrontEnd(self._options), 0
        self._due = sample.index + 1
        if self._unbelieved is not None:
            for event in self._unbelieved.push(replace(sample, lead_off=None)):
                if isinstance(event, BeatWindow):
                    self._beats_while_off = self._beats_while_off + 1 if event.quality.good else 0
                    if self._beats_while_off == CONTRADICTING_BEATS:
                        events += (LeadOffContradicted(sample.index),)
        return events

    def _process(self, ecg_mv: float) -> tuple[Event, ...]:
        self._due += 1
        self._last_mv = ecg_mv
        conditioned_mv = self._conditioner.push(ecg_mv)
        before_origin = self._due - self._origin <= self.delay
        self.conditioned_mv = NAN if before_origin else conditioned_mv
        window_complete = self._segmenter.push(conditioned_mv)
        detections = self._detector.push(conditioned_mv)
        if not (detections or window_complete):
            return ()
        peaks = [self._r_peak(detection) for detection in detections]
        return (*peaks, *self._beats())

    def _r_peak(self, detection: Detection) -> RPeak:
        position = detection.position
        rr_s = None if self._last_r is None else (position - self._last_r) / RATE_HZ
        if rr_s is not None:
            self._rr_s.append(rr_s)
        self._last_r = position
        self._segmenter.expect(position, rr_s)
        index = self._index(position)
        return RPeak(index, detection.amplitude_mv, rr_s, detection.search_back)

    def _beats(self) -> Iterator[BeatWindow]:
        for position, rr_s, ecg_mv in self._segmenter.complete():
            r_index = self._index(position)
            saturated = self._saturated_at >= position - segmenter.BEFORE_R
            quality = self._quality.judge(ecg_mv, saturated, self._bridge.spoils(r_index), rr_s)
            yield BeatWindow(r_index, rr_s, ecg_mv, quality)

    def _index(self, position: int) -> int:
        """Return the raw sample that a position in the conditioned signal stands for."""
        return self._origin + position - self.delay
