"""What can be wrong with a recording, and with fetching public ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from daemon.errors import DaemonError


class RecordingError(Exception):
    """A recording cannot be used."""

    code = "recording_unusable"


class RecordingNotFound(RecordingError, FileNotFoundError):
    """There is nothing at the path that was given, or nothing that may be read."""

    code = "recording_not_found"


class MalformedRecording(RecordingError, ValueError):
    """The file is there, but what it holds is not a recording in the format it should have."""


class SignalNotFound(RecordingError, LookupError):
    """The recording holds no signal of the name or number that was asked for."""


class RecordsExtraMissing(RecordingError, ImportError):
    """WFDB recordings need a library that is not installed."""


class EncryptionExtraMissing(RecordingError, ImportError):
    """Encrypted recordings need a library that is not installed."""


class IdentityUnusable(RecordingError):
    """A recording is encrypted, and there is no key, or no right one, to decrypt it."""

    code = "recording_encrypted"


class RecipientUnusable(RecordingError, ValueError):
    """A recording is to be encrypted for what is no public key."""


class RecordingNotWritten(RecordingError, OSError):
    """The disk does not take what is recorded, or has little room left."""


class DownloadError(DaemonError):
    """A public set of recordings does not come: no network, or the archive does not have it."""


class TransferFailed(DownloadError):
    """A connection broke off, or the archive has too much to do: worth another attempt."""


class ChecksumWrong(DownloadError):
    """A file is not what the archive says it published."""


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Say which file the system refuses to read."""
    try:
        yield
    except RecordingError:
        raise
    except OSError as error:
        raise RecordingNotFound(
            f"{error.filename or path} cannot be read: {error.strerror}; check who may read it."
        ) from error
