"""The writers of recordings that grow, chosen by the file's suffix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from daemon.recordings.bdf_writer import BdfWriter
from daemon.recordings.csv_writer import CsvWriter
from daemon.recordings.recorded import Layout, RecordingWriter
from daemon.recordings.wfdb_writer import WfdbWriter

SUFFIXES = {"bdf": ".bdf", "wfdb": ".hea", "csv": ".csv"}  # by the name of the format
WRITERS: dict[str, Callable[[Path, Layout, float], RecordingWriter]] = {
    ".bdf": BdfWriter,
    ".hea": WfdbWriter,
    ".csv": CsvWriter,
}


def open_writer(path: Path, layout: Layout, sync_s: float) -> RecordingWriter:
    """Begin a new file of the format that its suffix means.

    Raises:
        RecordingNotWritten: the file is there already, or the system refuses.
    """
    return WRITERS[path.suffix.casefold()](path, layout, sync_s)
