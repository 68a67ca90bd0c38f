"""The header of a WFDB record, and what the reference library trips over in those of real devices.

The library reads headers as ASCII and leaves out what is not, so that a microvolt becomes a volt;
it refuses dates that are none, and takes a length of 0 at its word. Such a header is given to it as
a cleaned copy beside links to the data files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from daemon.recordings.errors import MalformedRecording, RecordingNotFound, RecordsExtraMissing
from daemon.recordings.sample_clock import MOST_RATE_HZ
from daemon.recordings.signal_file import MICRO_SIGNS

LARGEST_BYTES = 1 << 20
BYTES_PER_SAMPLE = {"8": 1, "80": 1, "212": 1.5, "310": 4 / 3, "311": 4 / 3, "24": 3, "32": 4}
NO_DATA = "~"  # as the name of a segment


@dataclass(frozen=True, slots=True)
class Header:
    """What the header of one record, or of one segment, says.

    Attributes:
        record: path without ``.hea``.
        frame_hz: frames per second.
        frames: how many.
        names: of the signals.
        units: of the signals.
        samples_per_frame: of the signals.
        segments: name and frames of each segment; empty for a record of one.
        cleaned: what the reference library is given instead; None for the file itself.
        files: where the samples are.
        notes: what had to be assumed or mended.
    """

    record: Path
    frame_hz: float
    frames: int
    names: tuple[str, ...]
    units: tuple[str, ...]
    samples_per_frame: tuple[int, ...]
    segments: tuple[tuple[str, int], ...]
    cleaned: str | None
    files: tuple[str, ...]
    notes: tuple[str, ...]

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
            return Header(record, frame_hz, frames, (), (), (), segments, None, (), tuple(notes))
        count = int(fields[1])
        if count != len(lines) - 1 or count < 1:
            raise ValueError(f"signals announced: {count}, described: {len(lines) - 1}")
        files = tuple(dict.fromkeys(line.split()[0] for line in lines[1:]))
        cleaned, mended = _cleaned(record, text, lines, fields, frame_hz)
        with _copy(record, cleaned, ()) as readable:
            header = wfdb.rdheader(readable)
    except Exception as error:  # the parser raises whatever it trips over
        raise MalformedRecording(f"{path} is not a WFDB header: {error}.") from error
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
    """Return the text as it is, and its lines in ASCII without comments and empty ones."""
    with path.open("rb") as file:
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise MalformedRecording(f"{path} has over {LARGEST_BYTES} bytes: no WFDB header.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    plain = text.translate(MICRO_SIGNS).encode("ascii", "replace").decode("ascii")
    stripped = (line.strip() for line in plain.splitlines())
    return text, [line for line in stripped if line and not line.startswith("#")]


def _cleaned(
    record: Path, text: str, lines: list[str], fields: list[str], frame_hz: float
) -> tuple[str | None, tuple[str, ...]]:
    """Return a header that the reference library understands, None if it does so already."""
    length = int(fields[3]) if len(fields) > 3 else 0
    dated = len(fields) > 5 and not re.fullmatch(r"\d{1,2}/\d{1,2}/\d{4}", fields[5])
    timed = len(fields) > 4 and not re.fullmatch(r"(\d{1,2}:){0,2}\d{1,2}(\.\d+)?", fields[4])
    notes = []
    if dated or timed:
        notes.append(f"the header's date is none and was left out: {' '.join(fields[4:])}")
    if not length:
        length = _frames(record, lines[1:])
        notes.append("the header gives no length: taken from the size of the data file")
    plain_rate = len(fields) < 3 or re.fullmatch(r"\d*\.?\d+(/.*)?", fields[2])
    if not notes and text.isascii() and plain_rate:
        return None, ()
    rate = fields[2] if len(fields) > 2 and plain_rate else f"{frame_hz:f}"
    first = " ".join([*fields[:2], rate, str(length)])
    return "\n".join([first, *lines[1:], ""]), tuple(notes)


def _frames(record: Path, signals: list[str]) -> int:
    """Return how many whole frames the first data file holds."""
    file = signals[0].split()[0]
    a_frame, offset = 0.0, 0
    for line in signals:
        name, written = line.split()[:2]
        parts = re.fullmatch(r"(\d+)(?:x(\d+))?(?::\d+)?(?:\+(\d+))?", written)
        if name == file and parts:
            a_frame += BYTES_PER_SAMPLE.get(parts[1], 2) * int(parts[2] or 1)
            offset = int(parts[3] or 0)
    path = record.parent / file
    return int((path.stat().st_size - offset) / a_frame) if path.is_file() and a_frame else 0


@contextmanager
def _copy(record: Path, cleaned: str | None, files: tuple[str, ...]) -> Iterator[str]:
    if cleaned is None:
        yield str(record)
        return
    with TemporaryDirectory(prefix="qrsd-") as folder:
        (Path(folder) / "record.hea").write_text(cleaned)
        for file in files:
            (Path(folder) / file).symlink_to((record.parent / file).absolute())
        yield str(Path(folder) / "record")


def import_wfdb(path: Path) -> ModuleType:
    """Return the reference library.

    Raises:
        RecordsExtraMissing: it is not installed.
    """
    try:
        import wfdb
    except ImportError as error:
        raise RecordsExtraMissing(
            f"Reading {path} needs the wfdb package: pip install 'qrsd[records]'."
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
