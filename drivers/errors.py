"""What can go wrong between the Raspberry Pi and the electrodes, one class for each symptom.

``code`` is the word that messages, metrics and the journal have for it.
"""

from __future__ import annotations


def reason(error: Exception) -> str:
    """Return what the operating system said, or the kind of error where it said nothing."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


class DriverError(Exception):
    """The chip, its bus or its pins failed."""

    code: str = "driver_failed"

    def __init_subclass__(cls, code: str | None = None) -> None:
        cls.code = code or cls.code


class PackageMissing(DriverError, ImportError, code="package_missing"):
    """A Python package that the board needs is not installed."""


class BusError(DriverError, OSError, code="bus_failed"):
    """The operating system failed an SPI transfer."""


class NoSpiDevice(BusError, code="no_spi_device"):
    """The SPI device does not exist."""


class SpiNotPermitted(BusError, code="spi_not_permitted"):
    """The SPI device may not be opened by this user."""


class GpioUnavailable(DriverError, OSError, code="gpio_unavailable"):
    """A GPIO pin cannot be used."""


class GpioNotPermitted(GpioUnavailable, code="gpio_not_permitted"):
    """The GPIO chip may not be opened by this user."""


class BringUpError(DriverError, OSError):
    """The chip did not pass its power-up sequence."""


class MisoConstantLow(BringUpError, code="miso_low"):
    """Every bit read from the chip is 0."""


class MisoConstantHigh(BringUpError, code="miso_high"):
    """Every bit read from the chip is 1."""


class StillStreaming(BringUpError, code="still_streaming"):
    """Register reads return conversion data: SDATAC was not taken."""


class UnstableId(BringUpError, code="unstable_id"):
    """The ID register reads differently each time."""


class WrongPart(BringUpError, code="wrong_part"):
    """Another member of the family answered, or one that cannot do what is asked."""


class UnknownId(BringUpError, code="unknown_id"):
    """The ID belongs to no member of the family."""


class RegistersNotReset(BringUpError, code="registers_not_reset"):
    """Registers do not hold their reset values before the first write."""


class ReadBackMismatch(BringUpError, code="read_back_mismatch"):
    """A register does not hold what was written to it."""


class ReferenceNotSettled(BringUpError, code="reference_not_settled"):
    """The reference voltage still drifts when conversions should begin."""


class StreamError(DriverError, OSError):
    """The stream broke down and bounded recovery did not bring it back."""


class ChipWasReset(StreamError, code="chip_was_reset"):
    """Registers are back at their reset values."""


class ReadyNeverFell(StreamError, code="chip_silent"):
    """DRDY stays high: no conversions."""


class ReadyStuckLow(StreamError, code="ready_stuck_low"):
    """DRDY stays low: samples are never seen to arrive."""


class WrongSampleRate(StreamError, code="wrong_sample_rate"):
    """DRDY falls at a rate far from the one that was set."""


class FrameOutOfSync(StreamError, code="frame_out_of_sync"):
    """The fixed status bits are not where they belong."""


class AllZeroFrames(StreamError, code="all_zero_frames"):
    """Frames are all zeros though the registers read back right."""


class ReaderTooSlow(StreamError, code="reader_too_slow"):
    """Every sample is overwritten before it has been read."""


class Condition(DriverError, UserWarning):
    """Something the stream survives; it is reported beside the samples."""


class ClockOff(Condition, code="clock_off"):
    """The sample rate is outside the oscillator's tolerance."""


class ChannelSaturated(Condition, code="channel_saturated"):
    """A channel's converter is at the end of its range."""


class ChannelFlat(Condition, code="channel_flat"):
    """A channel repeats one and the same code."""


class ChannelZero(Condition, code="channel_zero"):
    """A channel's codes are exactly zero."""


class LeadOffUnknown(Condition, code="lead_off_unknown"):
    """The chip is not set up to tell whether an electrode is off."""


class SamplesLost(Condition, code="samples_lost"):
    """Samples were lost."""


class LateReads(Condition, code="late_reads"):
    """Reads come close to, or after, the moment the sample is overwritten."""
