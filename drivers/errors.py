"""What can go wrong between the Raspberry Pi and the electrodes, one class for each symptom.

DriverError
├── PackageMissing (ImportError)         spidev, gpiozero or gpiod is not installed
├── BusError (OSError)                   a transfer failed
│   ├── NoSpiDevice                      /dev/spidevB.D is not there
│   └── SpiNotPermitted                  ... or not ours to open
├── GpioUnavailable (OSError)            a pin cannot be had
│   └── GpioNotPermitted                 ... by this user
├── BringUpError (OSError)               the chip was never ready
│   ├── MisoConstantLow                  every bit read is 0
│   ├── MisoConstantHigh                 every bit read is 1
│   ├── StillStreaming                   register reads return conversion data
│   ├── UnstableId                       a different ID each time
│   ├── WrongPart                        a valid ID of another member of the family
│   ├── UnknownId                        an ID that no member of the family has
│   ├── RegistersNotReset                not the reset values before the first write
│   ├── ReadBackMismatch                 a register does not hold what was written
│   └── ReferenceNotSettled              the reference voltage still drifts
├── StreamError (OSError)                the chip was ready once and is no longer
│   ├── ChipWasReset                     registers back at their reset values (brown-out)
│   ├── ReadyNeverFell                   no edge, DRDY high
│   ├── ReadyStuckLow                    no edge, DRDY low
│   ├── WrongSampleRate                  edges far from the rate that was set
│   ├── FrameOutOfSync                   frames shifted by bytes or bits
│   ├── AllZeroFrames                    nothing but zeros though registers read well
│   └── ReaderTooSlow                    every read comes after its deadline
└── Condition (UserWarning)              the stream goes on; reported, not raised
    ├── ClockOff                         a sample rate outside the oscillator's tolerance
    ├── ChannelSaturated                 the converter is at the end of its range
    ├── ChannelFlat                      one and the same code, sample after sample
    ├── ChannelZero                      codes of exactly zero
    ├── LeadOffUnknown                   the chip was not set up to tell
    ├── SamplesLost                      a count, with what took them
    └── LateReads                        reads that came close to their deadline
"""

from __future__ import annotations


class DriverError(Exception):
    """The chip, its bus or its pins failed."""


class PackageMissing(DriverError, ImportError):
    """A Python package that the board needs is not installed."""


class BusError(DriverError, OSError):
    """The operating system failed an SPI transfer."""


class NoSpiDevice(BusError):
    """The SPI device does not exist."""


class SpiNotPermitted(BusError):
    """The SPI device may not be opened by this user."""


class GpioUnavailable(DriverError, OSError):
    """A GPIO pin cannot be used."""


class GpioNotPermitted(GpioUnavailable):
    """The GPIO chip may not be opened by this user."""


class BringUpError(DriverError, OSError):
    """The chip did not pass its power-up sequence."""


class MisoConstantLow(BringUpError):
    """Every bit read from the chip is 0."""


class MisoConstantHigh(BringUpError):
    """Every bit read from the chip is 1."""


class StillStreaming(BringUpError):
    """Register reads return conversion data: SDATAC was not taken."""


class UnstableId(BringUpError):
    """The ID register reads differently each time."""


class WrongPart(BringUpError):
    """Another member of the family answered, or one that cannot do what is asked."""


class UnknownId(BringUpError):
    """The ID belongs to no member of the family."""


class RegistersNotReset(BringUpError):
    """Registers do not hold their reset values before the first write."""


class ReadBackMismatch(BringUpError):
    """A register does not hold what was written to it."""


class ReferenceNotSettled(BringUpError):
    """The reference voltage still drifts when conversions should begin."""


class StreamError(DriverError, OSError):
    """The stream broke down and bounded recovery did not bring it back."""


class ChipWasReset(StreamError):
    """Registers are back at their reset values."""


class ReadyNeverFell(StreamError):
    """DRDY stays high: no conversions."""


class ReadyStuckLow(StreamError):
    """DRDY stays low: samples are never seen to arrive."""


class WrongSampleRate(StreamError):
    """DRDY falls at a rate far from the one that was set."""


class FrameOutOfSync(StreamError):
    """The fixed status bits are not where they belong."""


class AllZeroFrames(StreamError):
    """Frames are all zeros though the registers read back right."""


class ReaderTooSlow(StreamError):
    """Every sample is overwritten before it has been read."""


class Condition(DriverError, UserWarning):
    """Something the stream survives; it is reported beside the samples."""


class ClockOff(Condition):
    """The sample rate is outside the oscillator's tolerance."""


class ChannelSaturated(Condition):
    """A channel's converter is at the end of its range."""


class ChannelFlat(Condition):
    """A channel repeats one and the same code."""


class ChannelZero(Condition):
    """A channel's codes are exactly zero."""


class LeadOffUnknown(Condition):
    """The chip is not set up to tell whether an electrode is off."""


class SamplesLost(Condition):
    """Samples were lost."""


class LateReads(Condition):
    """Reads come close to, or after, the moment the sample is overwritten."""
