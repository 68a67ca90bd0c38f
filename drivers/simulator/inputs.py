"""The analog half of the simulated chip: input, gain, reference, filter steps, noise, clipping.

All times here are seconds of the chip's own oscillator. With settled inputs and no noise a channel
gives ``round(mV / LSB)``, clipped to 24 bits. The sinc3 filter acts where the chip itself makes the
input jump (multiplexer, gain, test square wave); what the electrodes play is taken as sampled.
Source: ADS1292R datasheet SBAS502, "Theory of Operation" and "Noise Measurements".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from random import Random

from drivers.registers import Register
from drivers.simulator.faults import FaultBox
from drivers.simulator.register_file import RegisterFile
from drivers.waveforms import Contact, Electrodes

FULL_SCALE_COUNTS = (1 << 23) - 1
_RAIL_COUNTS = float(1 << 24)

_SUPPLY_MV = 3300.0
_ROOM_TEMPERATURE_MV = 145.3
#: Assumed: how much of the test square wave the respiration demodulator leaves on channel 1.
_DEMODULATED_SHARE = 0.5
#: Assumed: what respiration settings do to the data of a part that knows no respiration.
_ABNORMAL_COUNTS = 100_000.0


class MuxInput(Enum):
    """What a channel's multiplexer lets in."""

    ELECTRODES = "electrodes"
    TEST = "test signal"
    CONSTANT = "constant"
    POWERED_DOWN = "powered down"


@dataclass(frozen=True, slots=True)
class Selection:
    """What a CHnSET register selects."""

    input: MuxInput
    gain: int
    constant_mv: float = 0.0  # the input of CONSTANT


def step_response(periods: float) -> float:
    """Return the sinc3 filter's answer to a unit step, ``periods`` data periods after it.

    The impulse response is the convolution of three boxes, so this is the cubic that integrates it:
    1/6, 5/6 and 1 after one, two and three periods.
    """
    if periods >= 3:
        return 1.0
    if periods < 1:
        return max(periods, 0.0) ** 3 / 6
    if periods < 2:
        return (((-2 * periods + 9) * periods - 9) * periods + 3) / 6
    return 1 - (3 - periods) ** 3 / 6


def noise_uv(gain: int, rate_hz: int) -> float:
    """Return the input-referred noise in uV rms: 0.7 at gain 6 and 250 Hz, 0.9 at 500 Hz.

    The split between amplifier and converter, which makes low gains noisier, is assumed.
    """
    return float(math.hypot(0.6, 2.2 / gain) * (rate_hz / 250) ** 0.363)


class Reference:
    """VREF, which creeps to its value when its buffer is switched on: 0.2 % left after 100 ms."""

    _TIME_CONSTANT_S = 0.100 / math.log(500)
    #: After 148 ms less than 0.01 % is missing and the rest is taken as settled.
    _SETTLED_TIME_CONSTANTS = 9.2
    _OFF_V = 0.001

    def __init__(self, slowness: float) -> None:
        self._time_constant_s = self._TIME_CONSTANT_S * slowness
        self._from_v = self._target_v = self._OFF_V
        self._since_s = -math.inf

    def set(self, config2: int, time_s: float) -> None:
        """Follow PDB_REFBUF and VREF_4V of CONFIG2."""
        target_v = (4.033 if config2 & 0x10 else 2.42) if config2 & 0x20 else self._OFF_V
        if target_v != self._target_v:
            self._from_v = self.volts(time_s)
            self._target_v, self._since_s = target_v, time_s

    def volts(self, time_s: float) -> float:
        """Return VREF at ``time_s``."""
        elapsed = (time_s - self._since_s) / self._time_constant_s
        if elapsed > self._SETTLED_TIME_CONSTANTS:
            return self._target_v
        return self._target_v + (self._from_v - self._target_v) * math.exp(-elapsed)


def select(registers: RegisterFile, channel: int) -> Selection:
    """Read a CHnSET register."""
    setting, gain = registers[Register.CH1SET + channel], registers.gain(channel)
    if setting & 0x80:
        return Selection(MuxInput.POWERED_DOWN, gain)
    match setting & 0x0F:
        case 0:
            return Selection(MuxInput.ELECTRODES, gain)
        case 3:
            return Selection(MuxInput.CONSTANT, gain, _SUPPLY_MV / (2 if channel == 0 else 4))
        case 4:
            return Selection(MuxInput.CONSTANT, gain, _ROOM_TEMPERATURE_MV)
        case 5:
            return Selection(MuxInput.TEST, gain)
        case _:  # shorted, or to the right-leg drive and IN3, which rest at mid-supply
            return Selection(MuxInput.CONSTANT, gain)


class Channel:
    """One channel: what is selected, what was selected before, and its noise."""

    def __init__(self, number: int, noise: float, seed: int) -> None:
        self._number = number
        self._noise = noise
        self._gauss = Random(f"{seed} noise of channel {number}").gauss
        self._selection = self._previous = Selection(MuxInput.ELECTRODES, gain=6)
        self._changed_s = -math.inf
        self._period_s = self._sigma_mv = self._test_share = self._abnormal_counts = 0.0

    def set(self, registers: RegisterFile, time_s: float) -> None:
        """Follow the registers; a changed selection reaches the output through the filter."""
        selection = select(registers, self._number)
        if selection != self._selection:
            self._previous, self._selection = self._selection, selection
            self._changed_s = time_s
        self._period_s = 1 / registers.rate_hz
        self._sigma_mv = self._noise * noise_uv(selection.gain, registers.rate_hz) / 1000
        respiration = registers[Register.RESP1] & 0xC0
        distorted = self._number == 0 and respiration & 0x80
        self._test_share = _DEMODULATED_SHARE if distorted else 1.0
        knows_respiration = registers[Register.ID] & 0xE0 == 0x60
        self._abnormal_counts = _ABNORMAL_COUNTS if respiration and not knows_respiration else 0.0

    @property
    def input(self) -> MuxInput:
        """What is selected."""
        return self._selection.input

    def code(self, electrode_mv: float, time_s: float, vref_v: float, square: float) -> int:
        """Convert what the electrodes present (infinite while they are off), once.

        ``square`` is the test signal at the time, from -1 to 1.
        """
        counts = self._counts(self._selection, electrode_mv, vref_v, square)
        periods = (time_s - self._changed_s) / self._period_s
        if periods < 3:
            before = self._counts(self._previous, electrode_mv, vref_v, square)
            counts = before + (counts - before) * step_response(periods)
        if counts >= FULL_SCALE_COUNTS:
            return FULL_SCALE_COUNTS
        return max(round(counts), -FULL_SCALE_COUNTS - 1)

    def _counts(
        self, selection: Selection, electrode_mv: float, vref_v: float, square: float
    ) -> float:
        lsb_mv = vref_v * 1000 / (selection.gain * FULL_SCALE_COUNTS)
        if selection.input is MuxInput.ELECTRODES:
            counts = min(max(electrode_mv / lsb_mv, -_RAIL_COUNTS), _RAIL_COUNTS)
        elif selection.input is MuxInput.CONSTANT:
            counts = selection.constant_mv / lsb_mv
        elif selection.input is MuxInput.TEST:
            counts = square * self._test_share * FULL_SCALE_COUNTS * selection.gain / 2400
        else:
            return 0.0
        if self._sigma_mv:
            counts += self._gauss(0.0, self._sigma_mv / lsb_mv)
        if self._abnormal_counts:
            counts += self._gauss(0.0, self._abnormal_counts)
        return counts


class Inputs:
    """Both channels, their reference and the electrodes on them.

    The electrodes start to play when first every channel in use selects them, and play on while the
    chip is reset or measures something else, as a person does.
    """

    def __init__(self, electrodes: Electrodes, noise: float, faults: FaultBox, seed: int) -> None:
        self._electrodes = electrodes
        self._channels = (Channel(0, noise, seed), Channel(1, noise, seed))
        slow = faults.get("slow-reference")
        self._reference = Reference(slow.value if slow else 1.0)
        self._electrode_off = faults.get("electrode-off")
        self._mains = faults.get("mains")
        self._wander = faults.get("wander")
        self._playing = False
        self._first_s: float | None = None
        self._rate_hz = 500
        self._test_since_s: float | None = None
        self._test_is_square = False
        self._sensed_electrodes = 0

    def set(self, registers: RegisterFile, time_s: float) -> None:
        """Follow the registers."""
        config2 = registers[Register.CONFIG2]
        self._reference.set(config2, time_s)
        if not config2 & 0x02:
            self._test_since_s = None
        elif self._test_since_s is None:
            self._test_since_s = time_s
        self._test_is_square = bool(config2 & 0x01)
        self._rate_hz = registers.rate_hz
        # Comparators see a direct current only; the alternating one is for the host to detect.
        compared = config2 & 0x40 and not registers[Register.LOFF] & 0x01
        self._sensed_electrodes = registers[Register.LOFF_SENS] & 0x0F if compared else 0
        for channel in self._channels:
            channel.set(registers, time_s)
        selected = {channel.input for channel in self._channels} - {MuxInput.POWERED_DOWN}
        self._playing = self._first_s is not None or selected == {MuxInput.ELECTRODES}

    def convert(self, time_s: float) -> tuple[int, int, int]:
        """Return the lead-off bits IN2N, IN2P, IN1N, IN1P and the codes of both channels."""
        vref_v = self._reference.volts(time_s)
        square = 0.0 if self._test_since_s is None else self._square(time_s - self._test_since_s)
        contact = self._contact(time_s) if self._playing else Contact(0.0, 0.0, False)
        ch1_mv, ch2_mv, lead_off = contact
        return (
            self._sensed_electrodes if lead_off else 0,
            self._channels[0].code(ch1_mv, time_s, vref_v, square),
            self._channels[1].code(ch2_mv, time_s, vref_v, square),
        )

    def _contact(self, time_s: float) -> Contact:
        """Ask the electrodes at the conversion's number divided by the nominal rate."""
        if self._first_s is None:
            self._first_s = time_s
        playing_s = round((time_s - self._first_s) * self._rate_hz) / self._rate_hz
        ch1_mv, ch2_mv, lead_off = self._electrodes.at(playing_s)
        if lead_off or (self._electrode_off and self._electrode_off.active(playing_s)):
            return Contact(math.inf, math.inf, True)
        disturbance_mv = 0.0
        if self._mains and self._mains.active(playing_s):
            disturbance_mv += 0.3 * math.sin(2 * math.pi * self._mains.value * playing_s)
        if self._wander and self._wander.active(playing_s):
            disturbance_mv += self._wander.value * math.sin(2 * math.pi * 0.25 * playing_s)
        return Contact(ch1_mv + disturbance_mv, ch2_mv + disturbance_mv, False)

    def _square(self, since_s: float) -> float:
        """Return the test signal ``since_s`` after it was switched on: constant, or 1 Hz square."""
        if not self._test_is_square:
            return 1.0
        sign = 1 if since_s % 1.0 < 0.5 else -1
        return sign * (2 * step_response((since_s % 0.5) * self._rate_hz) - 1)
