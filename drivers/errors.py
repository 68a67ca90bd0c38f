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


def reason(error: Exception) -> str:
    """Return what the operating system said, or the kind of error where it said nothing."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


class DriverError(Exception):
    """The chip, its bus or its pins failed."""

    code: str = "driver_failed"


class PackageMissing(DriverError, ImportError):
    """A Python package that the board needs is not installed."""

    code = "package_missing"


class BusError(DriverError, OSError):
    """The operating system failed an SPI transfer."""

    code = "bus_failed"


class NoSpiDevice(BusError):
    """The SPI device does not exist."""

    code = "no_spi_device"


class SpiNotPermitted(BusError):
    """The SPI device may not be opened by this user."""

    code = "spi_not_permitted"


class GpioUnavailable(DriverError, OSError):
    """A GPIO pin cannot be used."""

    code = "gpio_unavailable"


class GpioNotPermitted(GpioUnavailable):
    """The GPIO chip may not be opened by this user."""

    code = "gpio_not_permitted"


class BringUpError(DriverError, OSError):
    """The chip did not pass its power-up sequence."""


class MisoConstantLow(BringUpError):
    """Every bit read from the chip is 0."""

    code = "miso_low"


class MisoConstantHigh(BringUpError):
    """Every bit read from the chip is 1."""

    code = "miso_high"


class StillStreaming(BringUpError):
    """Register reads return conversion data: SDATAC was not taken."""

    code = "still_streaming"


class UnstableId(BringUpError):
    """The ID register reads differently each time."""

    code = "unstable_id"


class WrongPart(BringUpError):
    """Another member of the family answered, or one that cannot do what is asked."""

    code = "wrong_part"


class UnknownId(BringUpError):
    """The ID belongs to no member of the family."""

    code = "unknown_id"


class RegistersNotReset(BringUpError):
    """Registers do not hold their reset values before the first write."""

    code = "registers_not_reset"


class ReadBackMismatch(BringUpError):
    """A register does not hold what was written to it."""

    code = "read_back_mismatch"


class ReferenceNotSettled(BringUpError):
    """The reference voltage still drifts when conversions should begin."""

    code = "reference_not_settled"


class StreamError(DriverError, OSError):
    """The stream broke down and bounded recovery did not bring it back."""


class ChipWasReset(StreamError):
    """Registers are back at their reset values."""

    code = "chip_was_reset"


class ReadyNeverFell(StreamError):
    """DRDY stays high: no conversions."""

    code = "chip_silent"


class ReadyStuckLow(StreamError):
    """DRDY stays low: samples are never seen to arrive."""

    code = "ready_stuck_low"


class WrongSampleRate(StreamError):
    """DRDY falls at a rate far from the one that was set."""

    code = "wrong_sample_rate"


class FrameOutOfSync(StreamError):
    """The fixed status bits are not where they belong."""

    code = "frame_out_of_sync"


class AllZeroFrames(StreamError):
    """Frames are all zeros though the registers read back right."""

    code = "all_zero_frames"


class ReaderTooSlow(StreamError):
    """Every sample is overwritten before it has been read."""

    code = "reader_too_slow"


class Condition(DriverError, UserWarning):
    """Something the stream survives; it is reported beside the samples."""


class ClockOff(Condition):
    """The sample rate is outside the oscillator's tolerance."""

    code = "clock_off"


class ChannelSaturated(Condition):
    """A channel's converter is at the end of its range."""

    code = "channel_saturated"


class ChannelFlat(Condition):
    """A channel repeats one and the same code."""

    code = "channel_flat"


class ChannelZero(Condition):
    """A channel's codes are exactly zero."""

    code = "channel_zero"


class LeadOffUnknown(Condition):
    """The chip is not set up to tell whether an electrode is off."""

    code = "lead_off_unknown"


class SamplesLost(Condition):
    """Samples were lost."""

    code = "samples_lost"


class LateReads(Condition):
    """Reads come close to, or after, the moment the sample is overwritten."""

    code = "late_reads"
