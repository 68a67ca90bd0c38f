"""Bytes to numbers: the 72-bit ADS1292R frame and the meaning of its counts.

    byte      0         1         2        3  4  5     6  7  8
          1100LLLL  LGG00000  00000000   channel 1   channel 2     most significant byte first
              |     ||
              |     |+ GPIO2, GPIO1
              +-----+ lead-off: RLD, IN2N, IN2P, IN1N, IN1P

Source: ADS1292R datasheet SBAS502, "Data Retrieval" and "Data Format".
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

FRAME_BYTES = 9
FULL_SCALE_COUNTS = (1 << 23) - 1
MIN_COUNTS = -(1 << 23)

#: The 17 of the 24 status bits that never change, and what they must be.
FIXED_STATUS_MASK = 0xF01FFF
FIXED_STATUS_BITS = 0xC00000


#: The two high bytes of each of the three numbers, with its sign, and the low byte.
_STATUS_AND_CHANNELS = struct.Struct(">HBhBhB")


class Frame(NamedTuple):
    """One conversion of both channels."""

    #: the sample's number since streaming began; a jump means lost samples
    index: int  # type: ignore[assignment]  # hides a method of tuples that nobody needs here
    time_s: float  # when DRDY fell, in seconds of the monotonic clock
    status: int  # the 24 status bits
    counts: tuple[int, int]  # signed 24-bit codes of channel 1 and channel 2


#: Makes a frame of a tuple of its fields, for a fourth of what the constructor costs.
frame_of: Callable[[tuple[int, float, int, tuple[int, int]]], Frame] = partial(tuple.__new__, Frame)


def status_is_valid(status: int) -> bool:
    """Tell whether the 17 fixed status bits are as the datasheet fixes them."""
    return status & FIXED_STATUS_MASK == FIXED_STATUS_BITS


def decode(data: bytes) -> tuple[int, tuple[int, int]]:
    """Return the status word and the two channels' counts of a frame, the last nine bytes."""
    status, low, first, first_low, second, second_low = _STATUS_AND_CHANNELS.unpack_from(
        data, len(data) - FRAME_BYTES
    )
    return status << 8 | low, (first << 8 | first_low, second << 8 | second_low)


def millivolts_per_count(gain: int, vref_v: float) -> float:
    """Return the size of one count at the electrodes in mV (datasheet, "Data Format")."""
    return vref_v * 1000 / (gain * FULL_SCALE_COUNTS)


def millivolts(counts: int, gain: int, vref_v: float) -> float:
    """Convert a signed 24-bit code to mV at the electrodes."""
    return counts * millivolts_per_count(gain, vref_v)
