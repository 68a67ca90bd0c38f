"""The header of a WFDB record, mended where the reference library trips over those of real devices.

The library reads headers as ASCII and leaves out what is not, so that a microvolt becomes a volt;
it refuses dates that are none, and names of records and data files with a folder or several dots;
and it takes a length of 0 at its word. So it is given a copy, beside links to the data files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from daemon.errors import import_extra
from daemon.recordings.errors import MalformedRecording, RecordingNotFound, RecordsExtraMissing
from daemon.recordings.sample_clock import MOST_RATE_HZ
from daemon.recordings.signal_file import MICRO

LARGEST_BYTES = 1 << 20
BYTES_PER_SAMPLE = {"8": 1, "80": 1, "212": 1.5, "310": 4 / 3, "311": 4 / 3, "24": 3, "32": 4} | (
    dict.fromkeys(("16", "61", "160"), 2)
)
NO_NUMBER = re.compile(r"(?:invalid literal for int|could not convert string to float).*?: (.*)")
COPY, LINK = "record", "signals{}.dat"  # names of the copy, and of the links beside it
NO_RATE = "the header gives no rate: 250 frames/s, as WFDB has it"
NO_DATA = "~"  # as the name of a segment
MOST_S = 366 * 86400.0  # of one record: more is a damaged number


@dataclass(frozen=True, slots=True)
class Header:
    """What the header of one record, or of one segment, says."""

    record: Path  # path without ``.hea``
    frame_hz: float  # frames per second
    frames: int  # how many
    notes: tuple[str, ...]  # what had to be assumed or mended
    #: name and frames of each segment; empty for a record of one, which alone has the rest
    segments: tuple[tuple[str, int], ...] = ()
    names: tuple[str, ...] = ()  # of the signals
    units: tuple[str, ...] = ()  # of the signals
    samples_per_frame: tuple[int, ...] = ()  # of the signals
    files: tuple[str, ...] = ()  # where the samples are
    copy: str = ""  # what the reference library is given

    @contextmanager
    def opened(self) -> Iterator[str]:
        """Provide the path of a record that the reference library can read.

        Raises:
            RecordingNotFound: a data file is missing, a pipe or a device.
        """
        paths = [self.record.parent / file for file in self.files]
        for path in paths:
            if not path.is_file():
                raise RecordingNotFound(
                    f"{self.record} names a data file that is missing, or no regular file: {path}."
                )
        with _folder_of(self.copy) as folder:
            for number, path in enumerate(paths):
                (folder / LINK.format(number)).symlink_to(path.absolute())
            yield str(folder / COPY)


def read_header(record: Path) -> Header:
    """Read a header.

    Raises:
        RecordingError: there is none, or it is none; or the wfdb package is not installed.
    """
    path = record.with_name(record.name + ".hea")
    if not path.is_file():
        raise RecordingNotFound(_nothing_there(record))
    lines = _lines(path)
    try:
        fields = lines[0].split()
        frame_hz = float(re.split(r"[/(]", fields[2])[0]) if len(fields) > 2 else 250.0
        if not 0 < frame_hz <= MOST_RATE_HZ:
            raise ValueError(f"a rate of {frame_hz:g} Hz; expected at most {MOST_RATE_HZ:g} Hz")
        notes = [] if len(fields) > 2 else [NO_RATE]
        if "/" in fields[0]:
            segments = tuple((line.split()[0], int(line.split()[1])) for line in lines[1:])
            frames = sum(length for _, length in segments)
            if min(length for _, length in segments) < 0 or frames > MOST_S * frame_hz:
                raise ValueError(f"segments of {frames} frames, which no record has")
            for name, _ in segments:
                if Path(name).name != name:
                    raise ValueError(f"{name} stands where a record of its folder is to be named")
            return Header(record, frame_hz, frames, tuple(notes), segments)
        return _with_signals(record, frame_hz, fields, lines[1:], notes)
    except RecordsExtraMissing:
        raise
    except Exception as error:  # the parser raises whatever it trips over
        why = "a line lacks a field" if isinstance(error, IndexError) else _plain(str(error))
        raise MalformedRecording(f"{path} is not a WFDB header: {why}.") from error


def _with_signals(
    record: Path, frame_hz: float, fields: list[str], lines: list[str], notes: list[str]
) -> Header:
    """Return the header of a record that describes its signals, a line each."""
    if int(fields[1]) != len(lines) or not lines:
        raise ValueError(f"signals announced: {fields[1]}, described: {len(lines)}")
    signals = [(line.split()[0], " ".join(line.split()[1:])) for line in lines]
    files = tuple(dict.fromkeys(file for file, _ in signals))
    if not _is_moment(fields[4:]):
        notes.append(f"the header's date is none and was left out: {' '.join(fields[4:])}")
    frames, of_length = _frames(record, fields, signals)
    described = [f"{LINK.format(files.index(file))} {rest}" for file, rest in signals]
    copy = "\n".join([f"{COPY} {len(lines)} {frame_hz:f} {frames}", *described, ""])
    with _folder_of(copy) as folder:
        parsed = import_wfdb(record).rdheader(str(folder / COPY))
    names = tuple(name or f"signal {number}" for number, name in enumerate(parsed.sig_name))
    without_gain = [
        f"{name} gives no gain: 200 steps/mV, as WFDB has it"
        for name, (_, rest) in zip(names, signals, strict=True)
        if not re.match(r"-?[\d.]*[1-9]", [*rest.split(), ""][1])
    ]
    return Header(
        record,
        frame_hz,
        frames,
        (*notes, *of_length, *without_gain),
        names=names,
        units=tuple(map(str, parsed.units)),
        samples_per_frame=tuple(int(samples or 1) for samples in parsed.samps_per_frame),
        files=files,
        copy=copy,
    )


def _lines(path: Path) -> list[str]:
    """Return the lines that are neither comments nor empty, with u for micro."""
    with path.open("rb") as file:
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise MalformedRecording(f"{path} has over {LARGEST_BYTES} bytes: no WFDB header.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    stripped = (line.strip() for line in re.sub(f"[{MICRO}]", "u", text).splitlines())
    return [line for line in stripped if line and not line.startswith("#")]


def _plain(complaint: str) -> str:
    """Say in the user's words what Python says of a text that is no number."""
    return NO_NUMBER.sub(r"\1 stands where a number belongs", complaint)


def _is_moment(fields: list[str]) -> bool:
    """Tell whether the time and the date at the end of a header's first line, if any, are such."""
    try:
        for text, form in zip(fields, ("%H:%M:%S", "%d/%m/%Y"), strict=False):
            datetime.strptime(re.sub(r"(:\d+)\.\d+$", r"\1", text), form)
    except ValueError:
        return False
    return True


def _frames(
    record: Path, fields: list[str], signals: list[tuple[str, str]]
) -> tuple[int, list[str]]:
    """Return how many frames there are, by the header or the data file, and what to note of it."""
    length = int(fields[3]) if len(fields) > 3 else 0
    held = _frames_held(record, signals)
    if length <= 0 and held is not None:
        return held, ["the header gives no length: taken from the size of the data file"]
    if length <= 0 and any(file != NO_DATA for file, _ in signals):
        raise ValueError("it gives no length, which compressed data do not tell")
    if held is not None and held < length:
        return held, [f"its data end early: {held} frames of {length} are there"]
    return length, []


def _frames_held(record: Path, signals: list[tuple[str, str]]) -> int | None:
    """Return how many whole frames every data file holds; None if no format tells that."""
    a_frame: dict[Path, float] = {}  # bytes of each file
    offset: dict[Path, int] = {}
    for file, rest in signals:
        path = record.parent / file
        parts = re.fullmatch(r"(\d+)(?:x(\d+))?(?::\d+)?(?:\+(\d+))?", rest.split()[0])
        if parts and parts[1] in BYTES_PER_SAMPLE and path.is_file():
            a_frame[path] = a_frame.get(path, 0) + BYTES_PER_SAMPLE[parts[1]] * int(parts[2] or 1)
            offset[path] = int(parts[3] or 0)
    held = (int((path.stat().st_size - offset[path]) / size) for path, size in a_frame.items())
    return min(held, default=None)


@contextmanager
def _folder_of(header: str) -> Iterator[Path]:
    """Provide a folder with a header for the reference library, which reads ASCII only."""
    with TemporaryDirectory(prefix="qrsd-") as folder:
        (Path(folder) / f"{COPY}.hea").write_text(header, "ascii", "replace")
        yield Path(folder)


def import_wfdb(path: Path) -> ModuleType:
    """Return the reference library, or raise ``RecordsExtraMissing``."""
    return import_extra("wfdb", "records", f"Reading {path}", RecordsExtraMissing)


def _nothing_there(path: Path) -> str:
    if path.is_dir():
        return f"{path} is a folder: name a recording in it."
    if path.is_file():
        return f"{path} is no recording: expected BDF, EDF, .csv, or WFDB with a header (.hea)."
    if path.exists():
        return f"{path} is a device or a pipe, not a regular file: name a recording."
    return f"There is no recording {path}: expected a WFDB record, or a file of BDF, EDF or .csv."
