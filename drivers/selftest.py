"""Self tests: what the chip can measure of itself, with figures to hold it to.

    test            input                           expected
    analog supply   MUX 3 on channel 1, x 1/2       2.7 to 5.25 V
    digital supply  MUX 3 on channel 2, x 1/4       1.7 to 3.6 V
    temperature     MUX 4, 145.3 mV at 25 C         0 to 70 C
    noise           MUX 1, inputs shorted           under 10 uV peak to peak
    test amplitude  MUX 5, VREF/2400 square wave    (2^23 - 1) x gain / 2400 within 2 %
    test frequency  the same                        1 Hz within 1 %

The test signal's codes do not depend on the reference. Respiration is off meanwhile, since its
demodulator distorts channel 1. Source: datasheet SBAS502, "Input Multiplexer", "Test Signals",
"Temperature Sensor", "Supply Measurements".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Protocol

from drivers import registers as reg
from drivers.chip_setup import ChipSetup
from drivers.frame import FULL_SCALE_COUNTS, Frame, millivolts
from drivers.registers import Mux, Register

#: The test signal stands at +- full scale / 2400, with gain 6 +-20972 counts.
TEST_SIGNAL_SHARE = 1 / 2400
AMPLITUDE_TOLERANCE = 0.02
FREQUENCY_TOLERANCE = 0.01
#: The datasheet has 4.1 uV peak to peak at gain 6; a Pi's supply may add to it.
NOISE_UV = 10.0

_NO_RESPIRATION = {Register.RESP1: 0}


@dataclass(frozen=True, slots=True)
class SelfTestLine:
    """The outcome of one self test."""

    name: str  # what was tested
    passed: bool  # whether ``measured`` is as ``expected``
    measured: float  # the figure, in ``unit``
    expected: str  # the bounds, for reading
    unit: str  # of ``measured``
    advice: str  # what to check if it failed


class Measuring(Protocol):
    """What the tests ask of the chip."""

    @property
    def setup(self) -> ChipSetup:
        """What the chip is."""

    def measure(self, changes: Mapping[Register, int], count: int) -> list[Frame]:
        """Return frames taken with some registers changed."""


def run_self_tests(chip: Measuring) -> tuple[SelfTestLine, ...]:
    """Run every test, in the order in which a fault is best understood."""
    return (*_supplies(chip), _temperature(chip), _noise(chip), *_test_signal(chip))


def _supplies(chip: Measuring) -> tuple[SelfTestLine, ...]:
    supply = reg.GAIN_CODES[1] << reg.GAIN_SHIFT | Mux.SUPPLY
    changes = {**_NO_RESPIRATION, Register.CH1SET: supply, Register.CH2SET: supply}
    frames = chip.measure(changes, count=50)
    volts = [
        median(millivolts(frame.counts[n], 1, chip.setup.vref_v) for frame in frames) / 1000
        for n in (0, 1)
    ]
    return (
        _between(
            "analog supply", 2 * volts[0], (2.7, 5.25), unit="V", advice="check AVDD and AVSS"
        ),
        _between("digital supply", 4 * volts[1], (1.7, 3.6), unit="V", advice="check DVDD"),
    )


def _temperature(chip: Measuring) -> SelfTestLine:
    frames = chip.measure({Register.CH2SET: _ecg_gain(chip) | Mux.TEMPERATURE}, count=50)
    microvolts = 1000 * median(_ch2_millivolts(chip, frames))
    celsius = (microvolts - 145_300) / 490 + 25
    return _between(
        "temperature", celsius, (0, 70), unit="C", advice="check the capacitor at VREFP"
    )


def _noise(chip: Measuring) -> SelfTestLine:
    rate_hz = round(chip.setup.rate_hz)
    frames = chip.measure({Register.CH2SET: _ecg_gain(chip) | Mux.SHORTED}, count=2 * rate_hz)
    millivolt = _ch2_millivolts(chip, frames)
    peak_to_peak_uv = 1000 * (max(millivolt) - min(millivolt))
    return SelfTestLine(
        name="noise, inputs shorted",
        passed=0 < peak_to_peak_uv < NOISE_UV,
        measured=peak_to_peak_uv,
        expected=f"over 0, under {NOISE_UV:.0f}",
        unit="uV peak to peak",
        advice="check the supply's ripple, the ground and the capacitors at VREFP and VCAP1",
    )


def _test_signal(chip: Measuring) -> tuple[SelfTestLine, ...]:
    changes = {
        **_NO_RESPIRATION,
        Register.CONFIG2: chip.setup.registers[Register.CONFIG2] | reg.INT_TEST | reg.TEST_FREQ,
        Register.CH2SET: _ecg_gain(chip) | Mux.TEST_SIGNAL,
    }
    frames = chip.measure(changes, count=round(4 * chip.setup.rate_hz))
    gain = reg.gain_of(_ecg_gain(chip))
    expected = FULL_SCALE_COUNTS * TEST_SIGNAL_SHARE * gain
    return (
        _within(
            "test signal, amplitude",
            square_amplitude([frame.counts[1] for frame in frames]),
            expected,
            AMPLITUDE_TOLERANCE,
            unit="counts",
            advice="the gain or the converter is wrong: check the supply and chip.gain",
        ),
        _within(
            "test signal, frequency",
            square_frequency_hz(frames, chip.setup.rate_hz),
            1.0,
            FREQUENCY_TOLERANCE,
            unit="Hz",
            advice="samples are lost or repeated: run qrsd run and look at its counters",
        ),
    )


def square_amplitude(counts: Sequence[int]) -> float:
    """Return half the distance between the two levels of a square wave."""
    middle = (max(counts) + min(counts)) / 2
    high = [count for count in counts if count > middle]
    low = [count for count in counts if count <= middle]
    return (median(high) - median(low)) / 2 if high else 0.0


def square_frequency_hz(frames: Sequence[Frame], rate_hz: float) -> float:
    """Return the frequency of a square wave on channel 2 by its rising edges, 0 without two."""
    counts = [frame.counts[1] for frame in frames]
    middle = (max(counts) + min(counts)) / 2
    rising = [
        after.index
        for before, after in pairwise(frames)
        if before.counts[1] <= middle < after.counts[1]
    ]
    if len(rising) < 2:
        return 0.0
    return rate_hz * (len(rising) - 1) / (rising[-1] - rising[0])


def _ecg_gain(chip: Measuring) -> int:
    """Return the gain bits of the ECG channel, for use on channel 2."""
    ecg = Register.CH1SET if chip.setup.ecg_channel == 1 else Register.CH2SET
    return chip.setup.registers[ecg] & reg.GAIN_MASK


def _ch2_millivolts(chip: Measuring, frames: Sequence[Frame]) -> list[float]:
    gain = reg.gain_of(_ecg_gain(chip))
    return [millivolts(frame.counts[1], gain, chip.setup.vref_v) for frame in frames]


def _between(name: str, measured: float, bounds: tuple[float, float], **line: str) -> SelfTestLine:
    low, high = bounds
    return SelfTestLine(
        name, low <= measured <= high, measured, expected=f"{low:g} to {high:g}", **line
    )


def _within(name: str, measured: float, wanted: float, share: float, **line: str) -> SelfTestLine:
    passed = abs(measured - wanted) <= share * wanted
    return SelfTestLine(name, passed, measured, expected=f"{wanted:.6g} within {share:.0%}", **line)
