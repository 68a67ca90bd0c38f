"""The header of EDF and BDF files, 16 and 24 bits a sample, and of their EDF+ and BDF+ kinds.

    256 bytes                what the file is: when it begins, how many records it has, how long
                             each is. At byte 236, 8 digits: the number of records
    256 bytes a signal       label, transducer, unit, ranges, filter, samples in each record

Sources: Kemp et al. 1992 (EDF), Kemp & Olivan 2003 (EDF+), BioSemi's page on BDF.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import BinaryIO

from daemon.recordings.errors import MalformedRecording

COUNT_OFFSET, COUNT_DIGITS = 236, 8
FIXED_BYTES = 256  # and as many for each signal
MOST_SIGNALS = 1024
VERSIONS = {b"0       ": 2, b"\xffBIOSEMI": 3}  # bytes of a sample
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
EARLIEST_YEAR, LATEST_YEAR = 1985, 2084  # that two digits can mean
#: The fields of a signal, each for all signals before the next, and their bytes.
FIELDS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)


@dataclass(frozen=True, slots=True)
class EdfSignal:
    """One signal of a file, or its annotations."""

    label: str
    transducer: str
    unit: str
    physical: tuple[float, float]  # in its unit, at the ends of the digital range
    digital: tuple[int, int]
    samples: int  # in each record

    @property
    def is_annotations(self) -> bool:
        """Tell whether it holds annotations instead of samples."""
        return self.label in ("EDF Annotations", "BDF Annotations")

    @property
    def step(self) -> float:
        """How much of its unit one code is; infinite without a range of codes."""
        codes = self.digital[1] - self.digital[0]
        return (self.physical[1] - self.physical[0]) / codes if codes else inf


@dataclass(frozen=True, slots=True)
class EdfHeader:
    """What a file says of itself."""

    sample_bytes: int  # 2 for EDF, 3 for BDF
    recording: str  # the local recording identification
    begin: datetime  # to the second, UTC where qrsd wrote it
    kind: str  # ``BDF+C`` and the like
    records: int | None  # how many; None if the file does not say
    record_s: float  # length of each
    signals: tuple[EdfSignal, ...]

    @property
    def header_bytes(self) -> int:
        """Where the first record begins."""
        return FIXED_BYTES * (1 + len(self.signals))

    @property
    def record_bytes(self) -> int:
        """The size of a record."""
        return self.sample_bytes * sum(signal.samples for signal in self.signals)

    def encode(self) -> bytes:
        """Return the bytes of the header, with a count of no records yet."""
        bits = {2: "EDF", 3: "BDF"}[self.sample_bytes]
        version = {size: text for text, size in VERSIONS.items()}[self.sample_bytes]
        known = EARLIEST_YEAR <= self.begin.year <= LATEST_YEAR
        fixed = [
            (80, "X X X X"),
            (80, f"Startdate {_day(self.begin) if known else 'X'} {self.recording}"),
            (8, f"{self.begin:%d.%m.%y}" if known else "01.01.85"),
            (8, f"{self.begin:%H.%M.%S}"),
            (8, str(self.header_bytes)),
            (44, f"{bits}+C"),
            (COUNT_DIGITS, growing_count(0).decode()),
            (8, eight(self.record_s)),
            (4, str(len(self.signals))),
        ]
        columns = [
            (
                signal.label,
                signal.transducer,
                signal.unit,
                *map(eight, signal.physical),
                *map(str, signal.digital),
                "",
                str(signal.samples),
                "",
            )
            for signal in self.signals
        ]
        fixed += [(size, column[field]) for field, size in enumerate(FIELDS) for column in columns]
        return version + b"".join(
            text.encode("ascii", "replace")[:size].ljust(size) for size, text in fixed
        )


def growing_count(records: int) -> bytes:
    """Return the count of a file that grows, zeros first.

    Half of one number and half of a later one are then never less than the first of them, so that
    a power cut while the count is written can make no record uncertain that was certain before.
    """
    return b"%0*d" % (COUNT_DIGITS, records)


def final_count(records: int) -> bytes:
    """Return the count of a file that is complete, as the format wants it."""
    return str(records).encode().ljust(COUNT_DIGITS)


def read_header(file: BinaryIO, path: Path) -> EdfHeader:
    """Read the header of an open file.

    Raises:
        MalformedRecording: it is none.
    """
    try:
        fixed = file.read(FIXED_BYTES)
        sample_bytes = VERSIONS[fixed[:8]]
        count = int(fixed[252:256])
        if not 0 < count <= MOST_SIGNALS:
            raise ValueError(f"{count} signals")
        described = file.read(FIXED_BYTES * count)
        header = EdfHeader(
            sample_bytes,
            _text(fixed[88:168]),
            _begin(fixed[168:184]),
            _text(fixed[192:236]),
            _count(fixed[COUNT_OFFSET : COUNT_OFFSET + COUNT_DIGITS]),
            float(fixed[244:252]),
            tuple(_signals(described, count)),
        )
        if not (0 < header.record_s < inf and header.record_bytes > 0):
            raise ValueError(f"records of {header.record_s:g} s and {header.record_bytes} bytes")
    except (KeyError, ValueError, IndexError) as error:
        why = "its first bytes are of neither" if isinstance(error, KeyError) else error
        why = "it ends within the header" if len(fixed) < FIXED_BYTES else why
        raise MalformedRecording(f"{path} is no EDF or BDF file: {why}.") from error
    return header


def eight(number: float) -> str:
    """Return a number in at most 8 characters, as many digits as they hold."""
    texts = (f"{number:.{decimals}f}" for decimals in range(7, -1, -1))
    text = next(text for text in texts if len(text) <= 8)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _signals(described: bytes, count: int) -> list[EdfSignal]:
    columns: list[list[str]] = []
    at = 0
    for size in FIELDS:
        columns.append([_text(described[at + size * n :][:size]) for n in range(count)])
        at += size * count
    if len(described) < at:
        raise ValueError("it ends within the header")
    return [
        EdfSignal(
            label,
            transducer,
            unit,
            (float(low.replace(",", ".")), float(high.replace(",", "."))),
            (int(lowest), int(highest)),
            _positive(int(samples)),
        )
        for label, transducer, unit, low, high, lowest, highest, _, samples, _ in zip(
            *columns, strict=True
        )
    ]


def _positive(samples: int) -> int:
    if samples < 1:
        raise ValueError(f"a signal with {samples} samples in a record")
    return samples


def _text(field: bytes) -> str:
    """Return a field's text: ASCII by the format, but units often have a micro sign."""
    try:
        return field.decode().strip("\0 ")
    except UnicodeDecodeError:
        return field.decode("latin-1").strip("\0 ")


def _count(field: bytes) -> int | None:
    """Return the number of records; a file that grew to its end says -1, or half a number."""
    text = field.strip()
    return int(text) if text.isdigit() else None


def _begin(field: bytes) -> datetime:
    """Return date and time; 1985 where the file says nothing that is one."""
    found = re.fullmatch(rb"(\d\d)\.(\d\d)\.(\d\d)(\d\d)[.:](\d\d)[.:](\d\d)", field)
    try:
        day, month, year, hour, minute, second = map(int, found.groups() if found else ())
        century = 1900 if year >= EARLIEST_YEAR - 1900 else 2000
        return datetime(century + year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return datetime(EARLIEST_YEAR, 1, 1, tzinfo=UTC)


def _day(date: datetime) -> str:
    return f"{date.day:02d}-{MONTHS[date.month - 1]}-{date.year}"
