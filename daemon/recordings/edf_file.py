"""Reading EDF and BDF files, plain ones and those with annotations (EDF+, BDF+), in blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from math import inf, isfinite
from os import SEEK_END
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daemon.recordings import edf_annotations
from daemon.recordings.edf_header import EdfSignal, read_header
from daemon.recordings.encryption import open_content
from daemon.recordings.errors import MalformedRecording, RecordingNotFound
from daemon.recordings.recorded import LOST, LOST_SAMPLES, THE_END, Annotation, RecordedSignal
from daemon.recordings.sample_clock import LEAST_RATE_HZ, MOST_RATE_HZ
from daemon.recordings.signal_file import MV_PER_UNIT, Reading, contradictions, voltage_unit

BLOCK_BYTES = 1 << 20
LONGEST_GAP_S = 86400.0
MOST_OVERLAP_S = 0.02  # of records: less is jitter of the clock that wrote when they begin
ADS1292R = re.compile(r"ADS1292R, gain (\d+), reference (\d+\.?\d*) V")


class EdfFile:
    """The signals of one file (see ``SignalFile``), and its annotations.

    Attributes:
        signals: what the header says of each.
        begin_utc: when its first sample was taken, if the file is in UTC as qrsd's own are.
        recording: what the header says of what recorded it.
        fastest_hz: samples per second of that signal.
    """

    def __init__(self, path: Path, reading: Reading) -> None:
        if not path.is_file():
            what = "is no regular file" if path.exists() else "is not there"
            raise RecordingNotFound(f"{path} {what}; expected an EDF or BDF file.")
        if reading.gain or reading.unit == "code":
            raise MalformedRecording(f"{path} is no table of codes: --gain does not apply to it.")
        self._path = path
        self._reading = reading
        with open_content(path, reading.identity) as file:
            self._header = header = read_header(file, path)
            there = (file.seek(0, SEEK_END) - header.header_bytes) // header.record_bytes
        self._records = min(header.records or there, there)  # 0 until a recorder ends well
        self.notes: list[str] = []
        if header.records is not None and there != header.records:
            self.notes.append(f"its header tells {header.records} records, {there} are there")
        self.recording = header.recording
        self.signals = [signal for signal in header.signals if not signal.is_annotations]
        self.names = [signal.label for signal in self.signals]
        if not self.signals:
            raise MalformedRecording(f"{path} holds annotations only, no signal.")
        self.fastest_hz = max(signal.samples for signal in self.signals) / header.record_s
        self._read_times()

    def _read_times(self) -> None:
        """Find out when each record begins, and where samples were lost."""
        self._begins_s = np.arange(self._records) * self._header.record_s  # of each record
        found: list[tuple[float, float, str]] = []
        first_s = 0.0
        for number, begin_s, some in self._annotated():
            found += (each for each in some if each[2] in (LOST_SAMPLES, THE_END))
            if begin_s is not None:
                first_s = first_s if number else begin_s
                if self._header.kind.endswith("+D"):
                    self._begins_s[number] = begin_s - first_s
        self._first_s = first_s
        self.begin_utc = self._header.begin + timedelta(seconds=first_s)
        self._lost_s = [(at - first_s, at - first_s + s) for at, s, t in found if t == LOST_SAMPLES]
        self._end_s = min((at - first_s for at, _, t in found if t == THE_END), default=inf)

    def annotations(self) -> Iterator[Annotation]:
        """Yield them in the order of the file, by samples of the fastest signal."""
        for _, _, some in self._annotated():
            for at_s, for_s, text in some:
                sample = round((at_s - self._first_s) * self.fastest_hz)
                yield Annotation(sample, text, round(for_s * self.fastest_hz))

    def _annotated(self) -> Iterator[tuple[int, float | None, list[tuple[float, float, str]]]]:
        """Yield of each record its number, when it begins and what was annotated in it."""
        for signal, columns in self._columns():
            for number, record in self._records_of(columns) if signal.is_annotations else ():
                yield number, *edf_annotations.decode(record)

    def voltages(self) -> list[int]:
        """Return the signals in a unit of voltage."""
        signals = enumerate(self.signals)
        return [n for n, signal in signals if self._reading.unit or voltage_unit(signal.unit)]

    def rate_hz(self, number: int) -> float:
        """Return a signal's samples per second."""
        rate_hz = self._reading.rate_hz or self.signals[number].samples / self._header.record_s
        if not LEAST_RATE_HZ <= rate_hz <= MOST_RATE_HZ:
            raise MalformedRecording(
                f"{self._path} gives signal {self.names[number]!r} a rate of {rate_hz:g} Hz; "
                f"expected {LEAST_RATE_HZ:g} to {MOST_RATE_HZ:g}."
            )
        return rate_hz

    def blocks(self, number: int) -> Iterator[NDArray[np.float64]]:
        """Yield one signal in mV, NaN where samples were lost."""
        step_mv, zero_mv = self._scale(number)
        signal = self.signals[number]
        said_hz = signal.samples / self._header.record_s
        against = contradictions(self._reading, said_hz, voltage_unit(signal.unit))
        self.notes += [note for note in against if note not in self.notes]
        for codes, lost in self.codes(number):
            mv = codes * step_mv + zero_mv
            mv[lost] = np.nan
            yield mv

    def codes(self, number: int) -> Iterator[tuple[NDArray[np.int32], NDArray[np.bool_]]]:
        """Yield one signal's codes, and which of them stand for samples that are not there."""
        signal = self.signals[number]
        rate_hz = signal.samples / self._header.record_s
        end = self._end_s * rate_hz
        _, columns = [pair for pair in self._columns() if not pair[0].is_annotations][number]
        least = -(1 << (8 * self._header.sample_bytes - 1))  # in place of a lost sample
        at = 0
        for first, raw in self._read(columns):
            told = np.rint(self._begins_s[first : first + len(raw)] * rate_hz).astype(int) - at
            contiguous = np.arange(len(raw)) * signal.samples
            begins = np.maximum.accumulate(np.maximum(told - contiguous, 0)) + contiguous
            places = begins[:, np.newaxis] + np.arange(signal.samples)
            if (begins - told).max() > MOST_OVERLAP_S * rate_hz:
                raise MalformedRecording(f"{self._path}: its records overlap in time.")
            if places[-1, -1] > len(raw) * signal.samples + LONGEST_GAP_S * rate_hz:
                raise MalformedRecording(f"{self._path}: its records are over a day apart.")
            codes = np.full(places[-1, -1] + 1, LOST, np.int32)
            lost = np.ones(len(codes), np.bool_)
            codes[places] = _numbers(raw, self._header.sample_bytes)
            lost[places] = False
            for begin_s, end_s in self._lost_s:
                some = slice(*(max(0, round(s * rate_hz) - at) for s in (begin_s, end_s)))
                lost[some] |= codes[some] == least
            left = int(max(0, min(len(codes), end - at + 0.5)))
            yield codes[:left], lost[:left]
            at += len(codes)

    def recorded_signal(self, number: int) -> RecordedSignal | None:
        """Return what qrsd recorded a signal with, without the header's rounding; or None."""
        signal = self.signals[number]
        ours = ADS1292R.fullmatch(signal.transducer)
        return RecordedSignal(signal.label, int(ours[1]), float(ours[2])) if ours else None

    def _scale(self, number: int) -> tuple[float, float]:
        """Return how many mV a code is, and how many mV code 0 is."""
        signal = self.signals[number]
        ours = self.recorded_signal(number)
        if ours and self._header.sample_bytes == 3:
            return ours.mv_per_code, 0.0
        unit = voltage_unit(self._reading.unit or signal.unit)
        if unit is None:
            raise MalformedRecording(
                f"Signal {signal.label!r} of {self._path} is in {signal.unit or 'no unit'}, not in "
                "mV, uV or V: say --unit if it is."
            )
        if not signal.step or not isfinite(signal.step):
            low, high = signal.physical
            raise MalformedRecording(
                f"Signal {signal.label!r} of {self._path} has codes from {signal.digital[0]} to "
                f"{signal.digital[1]} for {low:g} to {high:g} {signal.unit}: no range to scale by."
            )
        zero = signal.physical[0] - signal.digital[0] * signal.step
        return signal.step * MV_PER_UNIT[unit], zero * MV_PER_UNIT[unit]

    def _columns(self) -> Iterator[tuple[EdfSignal, slice]]:
        """Yield where in a record each signal's bytes are."""
        at = 0
        for signal in self._header.signals:
            size = signal.samples * self._header.sample_bytes
            yield signal, slice(at, at + size)
            at += size

    def _records_of(self, columns: slice) -> Iterator[tuple[int, bytes]]:
        for first, raw in self._read(columns):
            yield from enumerate((record.tobytes() for record in raw), first)

    def _read(self, columns: slice) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Yield one signal's bytes of some records after others, each block with its first."""
        size = self._header.record_bytes
        step = max(1, BLOCK_BYTES // size)
        with open_content(self._path, self._reading.identity) as file:
            file.seek(self._header.header_bytes)
            for first in range(0, self._records, step):
                block = np.frombuffer(file.read(size * min(step, self._records - first)), np.uint8)
                yield first, block.reshape(-1, size)[:, columns]


def _numbers(raw: NDArray[np.uint8], sample_bytes: int) -> NDArray[np.int32]:
    """Return little-endian numbers of two or three bytes, a row for each record."""
    padded = np.zeros((len(raw), raw.shape[1] // sample_bytes, 4), np.uint8)
    padded[:, :, 4 - sample_bytes :] = raw.reshape(len(raw), -1, sample_bytes)
    numbers: NDArray[np.int32] = padded.view("<i4")[:, :, 0] >> (32 - 8 * sample_bytes)
    return numbers
