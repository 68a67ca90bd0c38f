"""The header of a WFDB record, and what the reference library trips over in those of real devices.

The library reads headers as ASCII and leaves out what is not, so that a microvolt becomes a volt;
it refuses dates that are none, and names of records and data files with a folder or several dots;
and it takes a length of 0 at its word. Such a header is given to it as a cleaned copy beside links
to the data files.
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

from daemon.recordings.errors import MalformedRecording, RecordingNotFound, RecordsExtraMissing
from daemon.recordings.sample_clock import MOST_RATE_HZ
from daemon.recordings.signal_file import MICRO

LARGEST_BYTES = 1 << 20
BYTES_PER_SAMPLE = {"8": 1, "80": 1, "212": 1.5, "310": 4 / 3, "311": 4 / 3, "24": 3, "32": 4} | (
    dict.fromkeys(("16", "61", "160"), 2)
)
READABLE_FILE = re.compile(r"~?[-\w]*\.?\w*", re.ASCII)  # by the reference library
LINK = "signals{}.dat"  # name of a link to a data file, beside a cleaned header
NO_DATA = "~"  # as the name of a segment
MOST_S = 366 * 86400.0  # of one record: more is a damaged number


@dataclass(frozen=True, slots=True)
class Header:
    """What the header of one record, or of one segment, says."""

    record: Path  # path without ``.hea``
    frame_hz: float  # frames per second
    frames: int  # how many
    names: tuple[str, ...]  # of the signals
    units: tuple[str, ...]  # of the signals
    samples_per_frame: tuple[int, ...]  # of the signals
    #: name and frames of each segment; empty for a record of one
    segments: tuple[tuple[str, int], ...]
    cleaned: str | None  # what the reference library is given instead; None for the file itself
    files: tuple[str, ...]  # where the samples are
    notes: tuple[str, ...]  # what had to be assumed or mended

    @contextmanager
    def opened(self) -> Iterator[str]:
        """Provide the path that the reference library can read."""
        with _copy(self.record, self.cleaned, self.files) as path:
            yield path

    def check_files(self) -> None:
        """See to it that no data file is missing, a pipe or a device.

        Raises:
            RecordingNotFound: one is.
        """
        for file in self.files:
            if not (self.record.parent / file).is_file():
                raise RecordingNotFound(
                    f"{self.record} names a data file that is missing, or no regular file: {file}."
                )


def read_header(record: Path) -> Header:
    """Read a header.

    Raises:
        RecordingNotFound: there is none.
        MalformedRecording: it is no header.
        RecordsExtraMissing: the wfdb package is not installed.
    """
    path = record.with_name(record.name + ".hea")
    if not path.is_file():
        raise RecordingNotFound(_nothing_there(record))
    wfdb = import_wfdb(record)
    text, lines = _lines(path)
    try:
        fields = lines[0].split()
        frame_hz = float(re.split(r"[/(]", fields[2])[0]) if len(fields) > 2 else 250.0
        if not 0 < frame_hz <= MOST_RATE_HZ:
            raise ValueError(f"a rate of {frame_hz:g} Hz; expected at most {MOST_RATE_HZ:g} Hz")
        notes = (
            [] if len(fields) > 2 else ["the header gives no rate: 250 frames/s, as WFDB has it"]
        )
        if "/" in fields[0]:
            segments = tuple((line.split()[0], int(line.split()[1])) for line in lines[1:])
            frames = sum(length for _, length in segments)
            if min(length for _, length in segments) < 0 or frames > MOST_S * frame_hz:
                raise ValueError(f"segments of {frames} frames, which no record has")
            return Header(record, frame_hz, frames, (), (), (), segments, None, (), tuple(notes))
        count = int(fields[1])
        if count != len(lines) - 1 or count < 1:
            raise ValueError(f"signals announced: {count}, described: {len(lines) - 1}")
        files = _files(lines)
        cleaned, mended = _cleaned(record, text, lines, fields, frame_hz)
        with _copy(record, cleaned) as readable:
            header = wfdb.rdheader(readable)
    except Exception as error:  # the parser raises whatever it trips over
        why = "a line lacks a field" if isinstance(error, IndexError) else error
        raise MalformedRecording(f"{path} is not a WFDB header: {why}.") from error
    names = tuple(name or f"signal {number}" for number, name in enumerate(header.sig_name))
    for name, line in zip(names, lines[1:], strict=True):
        gain = [*line.split(), "", ""][2]
        if not re.match(r"-?[\d.]*[1-9]", gain):
            mended += (f"{name} gives no gain: 200 steps/mV, as WFDB has it",)
    return Header(
        record,
        frame_hz,
        int(header.sig_len),
        names,
        tuple(map(str, header.units)),
        tuple(int(samples or 1) for samples in header.samps_per_frame),
        (),
        cleaned,
        files,
        (*notes, *mended),
    )


def _lines(path: Path) -> tuple[str, list[str]]:
    """Return the text as it is, and its lines with u for micro, without comments and empty ones."""
    with path.open("rb") as file:
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise MalformedRecording(f"{path} has over {LARGEST_BYTES} bytes: no WFDB header.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    stripped = (line.strip() for line in re.sub(f"[{MICRO}]", "u", text).splitlines())
    return text, [line for line in stripped if line and not line.startswith("#")]


def _cleaned(
    record: Path, text: str, lines: list[str], fields: list[str], frame_hz: float
) -> tuple[str | None, tuple[str, ...]]:
    """Return a header that the reference library understands, None if it does so already."""
    length = int(fields[3]) if len(fields) > 3 else 0
    notes = []
    if not _is_moment(fields[4:]):
        notes.append(f"the header's date is none and was left out: {' '.join(fields[4:])}")
    held = _frames(record, lines[1:])
    if length <= 0:
        length = held or 0
        notes.append("the header gives no length: taken from the size of the data file")
    elif held is not None and held < length:
        notes.append(f"the data file ends early: {held} frames of {length} are there")
        length = held
    plain_rate = len(fields) < 3 or re.fullmatch(r"\d*\.?\d+(/.*)?", fields[2])
    plain_name = re.fullmatch(r"[-\w]+", fields[0])
    files = _files(lines)
    plain_files = all(map(READABLE_FILE.fullmatch, files))
    if not notes and text.isascii() and plain_rate and plain_name and plain_files:
        return None, ()
    rate = fields[2] if len(fields) > 2 and plain_rate else f"{frame_hz:f}"
    first = " ".join(["record", fields[1], rate, str(length)])
    described = [
        line.replace(file, LINK.format(files.index(file)), 1)
        for line in lines[1:]
        for file in line.split()[:1]
    ]
    cleaned = "\n".join([first, *described, ""]).encode("ascii", "replace").decode("ascii")
    return cleaned, tuple(notes)


def _files(lines: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line.split()[0] for line in lines[1:]))


def _is_moment(fields: list[str]) -> bool:
    """Tell whether the time and the date at the end of a header's first line, if any, are such."""
    try:
        for text, form in zip(fields, ("%H:%M:%S", "%d/%m/%Y"), strict=False):
            datetime.strptime(re.sub(r"(:\d+)\.\d+$", r"\1", text), form)
    except ValueError:
        return False
    return True


def _frames(record: Path, signals: list[str]) -> int | None:
    """Return how many whole frames the first data file holds; None if its format hides that."""
    file = signals[0].split()[0]
    a_frame, offset = 0.0, 0
    for line in signals:
        name, written = line.split()[:2]
        parts = re.fullmatch(r"(\d+)(?:x(\d+))?(?::\d+)?(?:\+(\d+))?", written)
        if name == file and parts:
            if parts[1] not in BYTES_PER_SAMPLE:
                return None
            a_frame += BYTES_PER_SAMPLE[parts[1]] * int(parts[2] or 1)
            offset = int(parts[3] or 0)
    path = record.parent / file
    return int((path.stat().st_size - offset) / a_frame) if path.is_file() and a_frame else None


@contextmanager
def _copy(record: Path, cleaned: str | None, files: tuple[str, ...] = ()) -> Iterator[str]:
    if cleaned is None:
        yield str(record)
        return
    with TemporaryDirectory(prefix="qrsd-") as folder:
        (Path(folder) / "record.hea").write_text(cleaned)
        for number, file in enumerate(files):
            (Path(folder) / LINK.format(number)).symlink_to((record.parent / file).absolute())
        yield str(Path(folder) / "record")


def record_of(path: Path) -> Path:
    """Return a record's path without the ``.hea`` that it may be given with."""
    return path.with_suffix("") if path.suffix == ".hea" else path


def import_wfdb(path: Path) -> ModuleType:
    """Return the reference library.

    Raises:
        RecordsExtraMissing: it is not installed.
    """
    try:
        import wfdb
    except ImportError as error:
        raise RecordsExtraMissing(
            f"Reading {path} needs the wfdb package: .venv/bin/pip install '.[records]'."
        ) from error
    module: ModuleType = wfdb
    return module


def _nothing_there(path: Path) -> str:
    if path.is_dir():
        return f"{path} is a folder: name a WFDB record or a .csv file in it."
    if path.is_file():
        return f"{path} is neither a .csv file nor a WFDB record with a header (.hea)."
    if path.exists():
        return f"{path} is a device or a pipe, not a regular file: name a recording."
    return f"There is no recording {path}: expected a WFDB record or a .csv file."
