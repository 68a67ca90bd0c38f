"""The chip's set-up: as asked for (ChipOptions), and as its registers were read back (ChipSetup).

    channel   respiration on                        respiration off
    1         respiration, gain 3 or 4              the ECG, if asked for; else powered down
    2         the ECG                               the ECG, unless channel 1 has it

With respiration on, channel 1 carries the demodulator and cannot be used for ECG (datasheet,
"Respiration"). Everything downstream uses ChipSetup, never ChipOptions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from drivers import registers as reg
from drivers.frame import millivolts_per_count
from drivers.registers import Register

RATES_HZ = (125, 250, 500, 1000)
VREFS_V = (reg.VREF_LOW_V, reg.VREF_HIGH_V)
RESPIRATION_GAINS = (3, 4)

#: 112.5 degrees at 32 kHz, the least noisy phase of the datasheet's "Respiration" table.
_RESPIRATION_PHASE = 10
_NO_RESPIRATION_PARTS = ("ADS1292",)


@dataclass(frozen=True, slots=True)
class ChipOptions:
    """How the chip is to be set up."""

    ecg_channel: int = 2  # the channel wired to the ECG electrodes
    respiration: bool = True  # measure respiration on channel 1 (ADS1292R only)
    gain: int = 6  # of the ECG channel
    respiration_gain: int = 4  # of channel 1 while it measures respiration
    vref_v: float = reg.VREF_LOW_V  # internal reference in volts; 4.033 needs a 5 V analog supply
    rate_hz: int = 250  # samples per second
    lead_off: bool = True  # detect electrodes that are off, with a direct current of 6 nA
    #: ``rdata`` asks for each sample, ``rdatac`` has the chip send each one unasked
    read_mode: Literal["rdata", "rdatac"] = "rdata"

    def __post_init__(self) -> None:
        """Refuse with a ValueError what the chip cannot be."""
        for name, choices in (
            ("ecg_channel", (1, 2)),
            ("gain", tuple(sorted(reg.GAIN_CODES))),
            ("respiration_gain", RESPIRATION_GAINS),
            ("vref_v", VREFS_V),
            ("rate_hz", RATES_HZ),
            ("read_mode", ("rdata", "rdatac")),
        ):
            value = getattr(self, name)
            if value not in choices:
                raise ValueError(f"{name}: {value} is not one of {', '.join(map(str, choices))}")
        if self.respiration and self.ecg_channel == 1:
            raise ValueError(
                "ecg_channel: 1 cannot carry the ECG while respiration is on; "
                "set it to 2 or respiration to false"
            )


@dataclass(frozen=True, slots=True)
class ChipSetup:
    """What the chip is, read back from its registers."""

    part: str  # name by the ID register
    rate_hz: float  # nominal samples per second (the oscillator may be off by 1.5 %)
    gains: tuple[int, int]  # of channels 1 and 2
    vref_v: float  # reference in volts
    ecg_channel: int  # 1 or 2
    respiration_channel: int | None  # 1, or None without respiration
    lead_off_known: bool  # whether the lead-off bits mean anything
    lead_off_mask: int  # bits of the status word that concern the ECG electrodes
    registers: tuple[int, ...]  # all twelve, by address
    simulated: bool  # True if the simulator said so

    @property
    def mv_per_count(self) -> tuple[float, float]:
        """Size of a count in channels 1 and 2 at the electrodes."""
        first, second = (millivolts_per_count(gain, self.vref_v) for gain in self.gains)
        return first, second

    def lead_off(self, status: int) -> bool | None:
        """Return whether an ECG electrode is off by a frame's status word, None if unknown."""
        return bool(status & self.lead_off_mask) if self.lead_off_known else None


def planned_registers(options: ChipOptions, part: str) -> dict[Register, int]:
    """Return what to write for ``options``, in the order of writing, must-be bits included.

    CONFIG2 comes first, since the reference needs time to start.
    """
    config2 = reg.PDB_REFBUF | (reg.VREF_4V if options.vref_v == reg.VREF_HIGH_V else 0)
    respiration = reg.DEMOD_EN | reg.MOD_EN | _RESPIRATION_PHASE << reg.PHASE_SHIFT
    inputs = reg.CHANNEL_INPUTS[options.ecg_channel]
    # The ADS1292 has no respiration and wants the bit that is RESP_FREQ in the R to be 1.
    resp2 = reg.RLDREF_INT | (reg.RESP_FREQ if part in _NO_RESPIRATION_PARTS else 0)
    planned = {
        Register.CONFIG2: config2 | (reg.PDB_LOFF_COMP if options.lead_off else 0),
        Register.CONFIG1: reg.RATE_CODES[options.rate_hz],
        Register.LOFF: 0,
        Register.CH1SET: _channel_setting(1, options),
        Register.CH2SET: _channel_setting(2, options),
        Register.RLD_SENS: reg.PDB_RLD | inputs,
        Register.LOFF_SENS: inputs if options.lead_off else 0,
        Register.LOFF_STAT: 0,
        Register.RESP1: respiration if options.respiration else 0,
        Register.RESP2: resp2,
        Register.GPIO: 0x0C,
    }
    return {register: reg.legal(register, value) for register, value in planned.items()}


def setup_from(registers: tuple[int, ...], options: ChipOptions, *, simulated: bool) -> ChipSetup:
    """Return what all twelve registers, as read back, make of the chip.

    No register knows which channel the electrodes are wired to: for that there are the options.
    """
    ecg = options.ecg_channel
    return ChipSetup(
        part=reg.PARTS[registers[Register.ID]],
        rate_hz=float(reg.rate_of(registers[Register.CONFIG1])),
        gains=(reg.gain_of(registers[Register.CH1SET]), reg.gain_of(registers[Register.CH2SET])),
        vref_v=reg.vref_of(registers[Register.CONFIG2]),
        ecg_channel=ecg,
        respiration_channel=1 if registers[Register.RESP1] & reg.DEMOD_EN else None,
        lead_off_known=_lead_off_known(registers, ecg),
        # Status bits 16..15 are IN1N and IN1P, 18..17 IN2N and IN2P.
        lead_off_mask=reg.CHANNEL_INPUTS[ecg] << 15,
        registers=registers,
        simulated=simulated,
    )


def _channel_setting(channel: int, options: ChipOptions) -> int:
    if channel == options.ecg_channel:
        return reg.GAIN_CODES[options.gain] << reg.GAIN_SHIFT
    if options.respiration:
        return reg.GAIN_CODES[options.respiration_gain] << reg.GAIN_SHIFT
    return reg.POWER_DOWN | reg.Mux.SHORTED


def _lead_off_known(registers: tuple[int, ...], ecg_channel: int) -> bool:
    """Tell whether comparators, inputs and a direct current are all on ("Lead-Off Detection")."""
    inputs = reg.CHANNEL_INPUTS[ecg_channel]
    comparators = registers[Register.CONFIG2] & reg.PDB_LOFF_COMP
    sensed = registers[Register.LOFF_SENS] & inputs == inputs
    direct_current = not registers[Register.LOFF] & reg.FLEAD_OFF
    return bool(comparators and sensed and direct_current)
