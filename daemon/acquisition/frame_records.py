"""Frames on the pipe between the acquisition process and the pipeline: 28 bytes each.

    0        8            16        20          24        28
    | index  | edge in s  | status  | channel 1 | channel 2 |      little-endian
       u64      f64          u32       i32         i32

The pipe is the queue: its 64 KiB hold nine seconds. A record is shorter than PIPE_BUF, so that it
is written as a whole or, into a full pipe, not at all; its index is then missing at the reader.
"""

from __future__ import annotations

import struct

from drivers.frame import Frame, frame_of

RECORD = struct.Struct("<QdIii")
RECORD_BYTES = RECORD.size


def pack(frame: Frame) -> bytes:
    """Return the record of a frame."""
    index, time_s, status, (first, second) = frame
    return RECORD.pack(index, time_s, status, first, second)


class RecordReader:
    """Cuts the byte stream into frames, wherever its chunks end."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes and return the frames that they complete."""
        data = self._rest + data
        whole = len(data) - len(data) % RECORD_BYTES
        self._rest = data[whole:]
        return [
            frame_of((index, time_s, status, (first, second)))
            for index, time_s, status, first, second in RECORD.iter_unpack(data[:whole])
        ]
