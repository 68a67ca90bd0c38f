"""What is in the recorder's folder, found out without reading more than the begin of each file.

A recording is called by the name of its file, which is looked for among those that are there: a
name from outside is never made a path. Links are no recordings.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from math import isfinite
from pathlib import Path

from daemon.recordings.edf_header import read_header
from daemon.recordings.encryption import decrypted_name, is_encrypted
from daemon.recordings.errors import MalformedRecording
from daemon.recordings.ours import IN_TEXT, OURS
from daemon.web.problems import Problem

FORMATS = {".bdf": "bdf", ".edf": "edf", ".hea": "wfdb", ".csv": "csv"}
WFDB_PARTS = (".hea", ".dat", ".atr")
HEADER_BYTES = 1 << 14  # of a text that are looked at
UNTOUCHED_S = 900.0  # nobody writes a file that was not written for so long
WFDB_FIRST = re.compile(r"^[^#\s]\S* +\d+ +([\d.]+)\S*(?: +(\d+))?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording of the recorder's folder."""

    id: str  # name of its file
    begin_utc: str | None  # when its first sample was taken, ISO 8601; null where that is not told
    duration_s: float | None  # null where only reading all of it tells
    size_bytes: int  # of its files
    format: str  # bdf, edf, wfdb or csv
    encrypted: bool  # it can be had as it is, and is read elsewhere, with the key
    growing: bool  # it is being written
    damaged: bool  # its begin is not that of a recording


class RecordingsFolder:
    """The recorder's folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def list(self) -> list[Recording]:
        """Return the recordings, newest first; none where there is no folder yet.

        Raises:
            Problem: it may not be read.
        """
        found = []
        for path in self._files():
            with suppress(FileNotFoundError):  # erased meanwhile, as when it was encrypted
                found.append(_recording(path))
        return sorted(found, key=lambda each: (each.begin_utc or "", each.id), reverse=True)

    def find(self, name: str) -> tuple[Path, Recording]:
        """Return one by its name, and its file.

        Raises:
            Problem: there is none.
        """
        path = next((each for each in self._files() if each.name == name), None)
        with suppress(FileNotFoundError):
            if path:
                return path, _recording(path)
        raise Problem(404, "recording_not_found", "There is no recording of that name.")

    def delete(self, name: str) -> Path:
        """Erase one with all its files.

        Raises:
            Problem: there is none, it is being written, or the system refuses.
        """
        path, recording = self.find(name)
        if recording.growing:
            raise Problem(409, "recording_growing", "It is being written: stop recording first.")
        try:
            for part in files_of(path):
                part.unlink()
        except OSError as error:
            raise Problem(
                403, "not_permitted", f"It cannot be deleted: {error.strerror}."
            ) from error
        return path

    def _files(self) -> Iterator[Path]:
        try:
            with os.scandir(self._path) as entries:
                for entry in entries:
                    path = Path(entry.path)
                    known = decrypted_name(path).suffix.casefold() in FORMATS
                    if known and entry.name[0] != "." and entry.is_file(follow_symlinks=False):
                        yield path
        except FileNotFoundError:
            return
        except OSError as error:
            raise Problem(
                403, "not_permitted", f"The recorder's folder cannot be read: {error.strerror}."
            ) from error


def files_of(path: Path) -> list[Path]:
    """Return all files of a recording: a WFDB record has several."""
    if path.suffix.casefold() != ".hea":
        return [path]
    parts = (path.with_suffix(suffix) for suffix in WFDB_PARTS)
    return [part for part in parts if part.is_file() and not part.is_symlink()]


def _recording(path: Path) -> Recording:
    stats = [part.lstat() for part in files_of(path)]
    newest = max((each.st_mtime for each in stats), default=0.0)
    size = sum(each.st_size for each in stats)
    format_ = FORMATS[decrypted_name(path).suffix.casefold()]
    growing = time.time() - newest < UNTOUCHED_S and any(map(_is_locked, files_of(path)))
    if is_encrypted(path):
        return Recording(path.name, None, None, size, format_, True, growing, False)
    try:
        begin_utc, duration_s = _told(path, size, newest)
        if not isfinite(duration_s or 0):
            raise ValueError("a recording ends")
    except (MalformedRecording, OSError, ValueError, ArithmeticError):
        return Recording(path.name, None, None, size, format_, False, growing, not growing)
    return Recording(path.name, begin_utc, duration_s, size, format_, False, growing, False)


def _is_locked(path: Path) -> bool:
    """Tell whether its writer has it still (``daemon.recordings.durable_file``)."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
    return False


@lru_cache(maxsize=10_000)
def _told(path: Path, size: int, _changed: float) -> tuple[str | None, float | None]:
    """Return what a recording's begin tells: when it begins in UTC, and how long it is.

    Raises:
        MalformedRecording, ValueError, ArithmeticError: it is that of no recording.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        if FORMATS[path.suffix.casefold()] in ("bdf", "edf"):
            header = read_header(file, path)
            there = (size - header.header_bytes) // header.record_bytes
            records = min(header.records or there, there)
            begin = header.begin.isoformat() if OURS in header.recording else None
            return begin, records * header.record_s
        text = file.read(HEADER_BYTES).decode(errors="replace")
    ours = IN_TEXT.search(text)
    begin = datetime.fromisoformat(ours[2]).isoformat() if ours else None
    if path.suffix.casefold() == ".csv":
        if not text.strip("\0 \n"):
            raise ValueError("it is empty")
        return begin, None
    first = WFDB_FIRST.search(text)
    if not first:
        raise ValueError("it is no header")
    return begin, int(first[2]) / float(first[1]) if first[2] else None
