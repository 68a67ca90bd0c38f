"""Repairs recordings that a power cut, or a kill, left unfinished: whole records are kept."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import BinaryIO

from daemon.recordings import edf_annotations
from daemon.recordings.durable_file import explained, sync_folder
from daemon.recordings.edf_header import (
    COUNT_OFFSET,
    FIXED_BYTES,
    EdfHeader,
    final_count,
    read_header,
)
from daemon.recordings.errors import MalformedRecording, RecordingNotWritten
from daemon.recordings.ours import OURS

OUR_HEADER_BYTES = FIXED_BYTES * 4  # of two channels and the annotations
BDF = b"\xffBIOSEMI"  # what every header begins with


def repair_folder(folder: Path) -> list[str]:
    """Repair the BDF files of a folder, and say what was done, a sentence for each file."""
    return [said for path in sorted(folder.glob("*.bdf")) if (said := _repaired(path))]


def _repaired(path: Path) -> str | None:
    try:
        return repair(path)
    except RecordingNotWritten as error:  # an old file that is kept from writing, say
        return f"left as it is: {error}"


def repair(path: Path) -> str | None:
    """Cut off what is no whole record, and set the count; remove a file without any.

    Returns:
        What was done; None if nothing had to be, or another program writes the file just now, or it
        is none of ours.

    Raises:
        RecordingNotWritten: the system refuses.
    """
    with explained(path), path.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            header = read_header(file, path)
        except BlockingIOError:
            return None
        except MalformedRecording:
            return _removed(path) if _is_begun_header(file) else None
        if OURS not in header.recording:
            return None
        kept = _records(file, header)
        size = header.header_bytes + kept * header.record_bytes
        file.seek(COUNT_OFFSET)
        if file.read(len(final_count(0))) == final_count(kept) and size == _size(file):
            return None
        if kept == 0:
            return _removed(path)
        os.pwrite(file.fileno(), final_count(kept), COUNT_OFFSET)
        os.ftruncate(file.fileno(), size)
        os.fsync(file.fileno())
        return f"{path} was not finished: its {kept * header.record_s:g} s are kept"


def _is_begun_header(file: BinaryIO) -> bool:
    """Tell whether all that came to the disk of a file is a part of our header, or zeros for it."""
    file.seek(0)
    begin = file.read(OUR_HEADER_BYTES + 1)
    return len(begin) <= OUR_HEADER_BYTES and BDF.startswith(begin[: len(BDF)].rstrip(b"\0"))


def _records(file: BinaryIO, header: EdfHeader) -> int:
    """Return how many records are whole.

    Those that the header counts were on the disk before it was told. Those after are if each says
    the time that it must: what never came to the disk says none.
    """
    there = (_size(file) - header.header_bytes) // header.record_bytes
    whole = 0
    texts_bytes = header.sample_bytes * header.signals[-1].samples
    first_s = None
    while whole < there:
        file.seek(header.header_bytes + (whole + 1) * header.record_bytes - texts_bytes)
        begin_s, _ = edf_annotations.decode(file.read(texts_bytes))
        first_s = begin_s if whole == 0 else first_s
        if begin_s is None or first_s is None:
            break
        if abs(begin_s - first_s - whole * header.record_s) > header.record_s / 2:
            break
        whole += 1
    return max(whole, min(header.records or 0, there))


def _removed(path: Path) -> str:
    path.unlink()
    sync_folder(path.parent)
    return f"{path} held nothing yet, and was removed"


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size
