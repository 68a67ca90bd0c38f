"""Records streams of Lab Streaming Layer as XDF 1.0, as its specification has it.

    [length of length: 1 byte][length][tag: uint16][content]      XDF, "Chunks"

Source: https://github.com/sccn/xdf/wiki/Specifications.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pylsl

FILE_HEADER, STREAM_HEADER, SAMPLES, CLOCK_OFFSET, STREAM_FOOTER = 1, 2, 3, 4, 6


def sized(content: bytes) -> bytes:
    return b"\x04" + struct.pack("<I", len(content)) + content


def chunk(tag: int, content: bytes) -> bytes:
    return sized(struct.pack("<H", tag) + content)


class XdfRecorder:
    """Writes what inlets hear.

    Args:
        path: of the file.
        inlets: opened ones.
    """

    def __init__(self, path: Path, inlets: Sequence[pylsl.StreamInlet]) -> None:
        self._inlets = inlets
        self._file = path.open("wb")
        self._file.write(b"XDF:")
        self._write(FILE_HEADER, b"<?xml version='1.0'?><info><version>1.0</version></info>")
        for number, inlet in enumerate(inlets, 1):
            self._write(STREAM_HEADER, self._number(number) + inlet.info(5).as_xml().encode())

    def step(self) -> int:
        """Write what has come, and return how many samples that is."""
        written = 0
        for number, inlet in enumerate(self._inlets, 1):
            samples, stamps_s = inlet.pull_chunk(max_samples=100_000)
            if not stamps_s:
                continue
            written += len(stamps_s)
            encoded = b"".join(
                b"\x08" + struct.pack("<d", at_s) + self._values(sample)
                for sample, at_s in zip(samples, stamps_s, strict=True)
            )
            count = b"\x04" + struct.pack("<I", len(stamps_s))
            self._write(SAMPLES, self._number(number) + count + encoded)
            offset_s = struct.pack("<dd", pylsl.local_clock(), inlet.time_correction())
            self._write(CLOCK_OFFSET, self._number(number) + offset_s)
        return written

    def close(self) -> None:
        for number in range(1, len(self._inlets) + 1):
            self._write(STREAM_FOOTER, self._number(number) + b"<?xml version='1.0'?><info/>")
        self._file.close()

    def _write(self, tag: int, content: bytes) -> None:
        self._file.write(chunk(tag, content))

    @staticmethod
    def _number(number: int) -> bytes:
        return struct.pack("<I", number)

    @staticmethod
    def _values(sample: Sequence[object]) -> bytes:
        if isinstance(sample[0], str):
            return b"".join(sized(str(each).encode()) for each in sample)
        return np.asarray(sample, "<f4").tobytes()
