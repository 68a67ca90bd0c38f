"""Watches for channels without a signal: saturated, stuck on one code, or zero."""

from __future__ import annotations

from collections import deque

from drivers import registers as reg
from drivers.chip_setup import ChipSetup
from drivers.errors import ChannelFlat, ChannelSaturated, ChannelZero, Condition
from drivers.frame import FULL_SCALE_COUNTS, MIN_COUNTS
from drivers.registers import Register

#: Noise moves the code by about 15 counts rms, so a tenth of a second of one code is no signal.
_RUN_S = 0.1


class SignalMonitor:
    """Remembers the newest codes, and counts those at the end of the range.

    Attributes:
        repeated: frames with the same codes as the one before.
        saturated: frames in which the ECG channel was at the end of its range.
    """

    def __init__(self, setup: ChipSetup) -> None:
        self._ecg = setup.ecg_channel - 1
        self._newest: deque[tuple[int, int]] = deque(maxlen=round(_RUN_S * setup.rate_hz))
        settings = setup.registers[Register.CH1SET], setup.registers[Register.CH2SET]
        self._watched = [n for n, value in enumerate(settings) if not value & reg.POWER_DOWN]
        self.repeated = 0
        self.saturated = 0

    def push(self, counts: tuple[int, int]) -> None:
        """Take the counts of one frame."""
        newest = self._newest
        if newest and counts == newest[-1]:
            self.repeated += 1
        if not MIN_COUNTS < counts[self._ecg] < FULL_SCALE_COUNTS:
            self.saturated += 1
        newest.append(counts)

    def conditions(self) -> tuple[Condition, ...]:
        """Return what is wrong with the channels now."""
        if len(self._newest) != self._newest.maxlen:
            return ()
        codes = tuple(map(set, zip(*self._newest, strict=True)))
        return tuple(
            _condition(channel + 1, *codes[channel])
            for channel in self._watched
            if len(codes[channel]) == 1
        )


def _condition(channel: int, code: int) -> Condition:
    if code >= FULL_SCALE_COUNTS or code <= MIN_COUNTS:
        return ChannelSaturated(
            f"Channel {channel} is at the end of its range: an electrode is off or dry, or the "
            "offset is over full scale; check the electrodes, or lower chip.gain."
        )
    if code == 0:
        return ChannelZero(
            f"Channel {channel} reads exactly zero: it is powered down or its data are lost; "
            "run qrsd selftest."
        )
    return ChannelFlat(
        f"Channel {channel} repeats the code {code}: the chip no longer converts or its input is "
        "stuck; run qrsd selftest."
    )
