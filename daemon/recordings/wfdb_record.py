"""Reading WFDB records, PhysioNet's format of a header beside its data files, in blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daemon.recordings.errors import MalformedRecording
from daemon.recordings.sample_clock import LEAST_RATE_HZ, MOST_RATE_HZ
from daemon.recordings.signal_file import (
    MV_PER_UNIT,
    Reading,
    contradictions,
    voltage_unit,
    without_suffix,
)
from daemon.recordings.wfdb_header import NO_DATA, NO_RATE, Header, import_wfdb, read_header

BLOCK_SAMPLES = 1 << 18  # of all signals


class WfdbRecord:
    """The signals of a record of one segment or several (see ``SignalFile``)."""

    def __init__(self, path: Path, reading: Reading) -> None:
        self._record = without_suffix(path)
        self._reading = reading
        if reading.gain or reading.unit == "code":
            raise MalformedRecording(f"{path} is no table of codes: --gain does not apply to it.")
        self._header = read_header(self._record)
        self._segments = self._header.segments or ((self._record.name, self._header.frames),)
        self._layout = self._first_segment()
        self.names = list(self._layout.names)
        self.notes: list[str] = []
        self._tell((*self._header.notes, *self._layout.notes))

    def _tell(self, notes: Sequence[str]) -> None:
        """Note what was not noted yet; that a rate is missing does not matter if it is told."""
        told = NO_RATE if self._reading.rate_hz else None
        self.notes += [each for each in dict.fromkeys(notes) if each not in (*self.notes, told)]

    def _first_segment(self) -> Header:
        """Return the header that names the signals: the layout's, or the first with data."""
        for name, _ in self._segments:
            if name != NO_DATA:
                return self._segment(name)
        raise MalformedRecording(f"{self._record} has no segment with data.")

    def _segment(self, name: str) -> Header:
        if not self._header.segments:
            return self._header
        header = read_header(self._record.with_name(name))
        if header.segments:
            raise MalformedRecording(f"{self._record}: its segment {name} has segments again.")
        if header.frame_hz != self._header.frame_hz:
            raise MalformedRecording(
                f"{self._record}: its segment {name} has {header.frame_hz:g} frames/s; expected "
                f"{self._header.frame_hz:g}, as the record has."
            )
        return header

    def voltages(self) -> list[int]:
        """Return the signals in a unit of voltage."""
        units = enumerate(self._layout.units)
        return [n for n, unit in units if self._reading.unit or voltage_unit(unit)]

    def rate_hz(self, number: int) -> float:
        """Return a signal's samples per second: those of a frame times the frames."""
        if self._reading.rate_hz:
            return self._reading.rate_hz
        rate_hz = self._said_hz(number)
        if not LEAST_RATE_HZ <= rate_hz <= MOST_RATE_HZ:
            raise MalformedRecording(
                f"{self._record}.hea gives a rate of {rate_hz:g} Hz; expected {LEAST_RATE_HZ:g} to "
                f"{MOST_RATE_HZ:g}."
            )
        return rate_hz

    def _said_hz(self, number: int) -> float:
        return self._header.frame_hz * self._layout.samples_per_frame[number]

    def blocks(self, number: int) -> Iterator[NDArray[np.float64]]:
        """Yield one signal in mV, NaN for samples marked invalid and for segments without it."""
        name, in_frame = self.names[number], self._layout.samples_per_frame[number]
        unit = voltage_unit(self._layout.units[number])
        if NO_RATE not in self._header.notes:
            self._tell(contradictions(self._reading, self._said_hz(number), unit))
        for segment, frames in self._segments:
            header = self._segment(segment) if frames and segment != NO_DATA else None
            there = 0
            if header:
                self._tell(header.notes)
            if header and name in header.names:
                alike = header.names == self._layout.names  # two signals may share a name
                there = min(frames, header.frames)
                yield from self._read(header, number if alike else header.names.index(name), there)
            yield from _nothing((frames - there) * in_frame)

    def _read(self, header: Header, number: int, frames: int) -> Iterator[NDArray[np.float64]]:
        unit = voltage_unit(self._reading.unit or header.units[number])
        if unit is None:
            raise MalformedRecording(
                f"Signal {header.names[number]!r} of {self._record} is in {header.units[number]}, "
                "not in mV, uV or V."
            )
        step = max(1, BLOCK_SAMPLES // sum(header.samples_per_frame))
        wfdb = import_wfdb(self._record)
        with header.opened() as readable:
            for begin in range(0, frames, step):
                try:
                    read = wfdb.rdrecord(
                        readable,
                        channels=[number],
                        sampfrom=begin,
                        sampto=min(begin + step, frames),
                        smooth_frames=False,
                    )
                except Exception as error:  # the parser raises whatever it trips over
                    raise MalformedRecording(
                        f"The data of {self._record} do not fit its header: {error}."
                    ) from error
                yield np.asarray(read.e_p_signal[0], dtype=np.float64) * MV_PER_UNIT[unit]


def _nothing(samples: int) -> Iterator[NDArray[np.float64]]:
    for begin in range(0, samples, BLOCK_SAMPLES):
        yield np.full(min(BLOCK_SAMPLES, samples - begin), np.nan)
