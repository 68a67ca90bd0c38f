"""Takes a pacemaker's pulses out of the raw ECG, before any filter can smear them into a QRS.

A pulse of 700 mV and 0.1 to 2 ms fills one to three samples, since the ADS1292R's sinc filter
averages three conversions. No QRS climbs anywhere near as fast as its edges do.
"""

from __future__ import annotations

PULSE_STEP_MV = 5.0  # from one sample to the next; QRS complexes of three databases reach 1.9
PULSE_SAMPLES = 3  # what stays away for longer is an electrode's new offset


class PulseHold:
    """Repeats the last sample for as long as a pulse lasts; lets all else through at once."""

    __slots__ = ("_held", "_last")

    def __init__(self) -> None:
        self._last: float | None = None
        self._held = 0

    def push(self, ecg_mv: float) -> float:
        """Take a raw sample in mV and return the one to go on with."""
        last = self._last
        if (
            last is not None
            and not -PULSE_STEP_MV < ecg_mv - last < PULSE_STEP_MV
            and self._held < PULSE_SAMPLES
        ):
            self._held += 1
            return last
        self._held = 0
        self._last = ecg_mv
        return ecg_mv
