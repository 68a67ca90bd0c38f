"""Takes a pacemaker's pulses out of the raw ECG, before any filter can smear them into a QRS.

A pulse of 700 mV and 0.1 to 2 ms fills one to three samples, since the ADS1292R's sinc filter
averages three conversions. No QRS climbs anywhere near as fast as its edges do.
"""

from __future__ import annotations

PULSE_STEP_MV = 5.0  # from one sample to the next; QRS complexes of three databases reach 1.9
PULSE_TO_USUAL = 8.0  # times the usual step: strong muscle noise has steps of over 5 mV, too
USUAL_GAIN = 1 / 64  # how fast the usual step is learnt
PULSE_SAMPLES = 3  # what stays away for longer is an electrode's new offset


class PulseHold:
    """Repeats the last sample for as long as a pulse lasts; lets all else through at once."""

    __slots__ = ("_held", "_last", "_usual_step")

    def __init__(self) -> None:
        self._last: float | None = None
        self._held = 0
        self._usual_step = 0.0

    def push(self, ecg_mv: float) -> float:
        """Take a raw sample in mV and return the one to go on with."""
        last = self._last
        if last is None:
            last = ecg_mv
        step = abs(ecg_mv - last)
        if step > PULSE_STEP_MV:
            if step > PULSE_TO_USUAL * self._usual_step and self._held < PULSE_SAMPLES:
                self._held += 1
                return last
            step = PULSE_STEP_MV  # a new offset says little about the steps to come
        self._usual_step += USUAL_GAIN * (step - self._usual_step)
        self._held = 0
        self._last = ecg_mv
        return ecg_mv
