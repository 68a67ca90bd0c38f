"""What can be wrong with a recording.

RecordingError
|-- RecordingNotFound      nothing at that path
|-- MalformedRecording     it is there, but it is not what it should be
|-- SignalNotFound         it holds no signal of that name or number
`-- RecordsExtraMissing    the library that reads WFDB is not installed
"""

from __future__ import annotations


class RecordingError(Exception):
    """A recording cannot be used."""

    exit_code = 65


class RecordingNotFound(RecordingError, FileNotFoundError):
    """There is nothing at the path that was given."""

    exit_code = 66


class MalformedRecording(RecordingError, ValueError):
    """The file is there, but what it holds is not a recording in the format it should have."""


class SignalNotFound(RecordingError, LookupError):
    """The recording holds no signal of the name or number that was asked for."""


class RecordsExtraMissing(RecordingError, ImportError):
    """WFDB recordings need a library that is not installed."""

    exit_code = 69
