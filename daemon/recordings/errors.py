"""What can be wrong with a recording.

RecordingError
|-- RecordingNotFound      nothing at that path
|-- MalformedRecording     it is there, but it is not what it should be
|-- SignalNotFound         it holds no signal of that name or number
`-- RecordsExtraMissing    the library that reads WFDB is not installed
DownloadError
|-- ArchiveUnreachable     no network, or one that does not let us through
|-- TransferFailed         the connection broke off, or the archive is busy
|-- NotInArchive           the archive does not have a file that it should
`-- ChecksumWrong          a file is not what the archive says it published
"""

from __future__ import annotations

from daemon.errors import DaemonError


class RecordingError(Exception):
    """A recording cannot be used."""

    code = "recording_unusable"


class RecordingNotFound(RecordingError, FileNotFoundError):
    """There is nothing at the path that was given."""

    code = "recording_not_found"


class MalformedRecording(RecordingError, ValueError):
    """The file is there, but what it holds is not a recording in the format it should have."""


class SignalNotFound(RecordingError, LookupError):
    """The recording holds no signal of the name or number that was asked for."""


class RecordsExtraMissing(RecordingError, ImportError):
    """WFDB recordings need a library that is not installed."""


class DownloadError(DaemonError):
    """A public set of recordings does not come."""


class ArchiveUnreachable(DownloadError, ConnectionError):
    """There is no network, or it does not let us through to the archive."""


class TransferFailed(DownloadError, ConnectionError):
    """A connection broke off, or the archive has too much to do.

    Args:
        address: of what was to come.
        reason: what the connection died of, in a word or two.
    """

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(
            f"{address} did not come ({reason}); run the same command again, and it goes on here"
        )
        self.reason = reason


class NotInArchive(DownloadError, FileNotFoundError):
    """The archive does not have a file that it should have."""


class ChecksumWrong(DownloadError, ValueError):
    """A file is not what the archive says it published."""
