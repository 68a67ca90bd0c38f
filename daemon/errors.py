"""What can go wrong in the service and between it and its clients.

DaemonError
├── MessageError (ValueError)            bytes that are no message of this protocol
├── AddressInUse (OSError)               somebody else publishes there already
├── AddressRefused (ValueError)          an address that would let the whole network listen
├── KeysError                            who may come in over the network
│   ├── KeyMissing (FileNotFoundError)   no such key file
│   ├── KeyUnreadable (ValueError)       a file or a text that is no key, or a list that is none
│   ├── KeyNotPrivate (PermissionError)  others may read the file, or we may not
│   ├── KeyExists (FileExistsError)      there is a key already, and it is not thrown away
│   ├── KeyNotWritten (OSError)          the system does not let us write it
│   ├── ClientUnknown (LookupError)      nobody of that name is let in
│   └── ClientInvalid (ValueError)       a name that cannot be one, or that is taken
├── AddressUnusable (OSError)            an address that cannot be bound
├── NothingToShow (FileNotFoundError)    no recordings that the demonstration could play
├── ServiceStopped (ChildProcessError)   the demonstration's service ended before its play did
├── AcquisitionFailed (OSError)          the chip, or the process that reads it, is beyond recovery
├── CommandRefused (ValueError)          a request that the service cannot or will not obey
├── EmbedderNeeded (ValueError)          a command that a classifier cannot serve
├── TooFewBeats (ValueError)             a recording without the good beats that a command needs
├── ResultsNotWritable (OSError)         where a command was to put its results
├── MetricsExtraMissing (ImportError)    metrics are asked for, and what serves them is missing
├── DrawingExtraMissing (ImportError)    pictures are asked for, and what draws is not installed
├── DownloadError                        a public set of recordings that does not come
│   ├── ArchiveUnreachable (ConnectionError) no network, or one that does not let us through
│   ├── TransferFailed (ConnectionError)     the connection broke off, or the archive is busy
│   ├── NotInArchive (FileNotFoundError)     the archive does not have a file that it should
│   └── ChecksumWrong (ValueError)           a file is not what the archive says it published
└── ServiceUnavailable (ConnectionError) nobody answers on the control socket
    ├── ServiceNotPermitted              ... or it is not ours to ask
    └── ServiceRefusesKey                ... or it answers only those whose key it knows
"""

from __future__ import annotations


class DaemonError(Exception):
    """The service, or a client of it, cannot go on."""

    exit_code: int = 69


class MessageError(DaemonError, ValueError):
    """These bytes are not a message of this protocol."""

    exit_code = 65


class AddressInUse(DaemonError, OSError):
    """The address is taken, most likely by another qrsd."""

    exit_code = 75


class AddressRefused(DaemonError, ValueError):
    """The address is open to the network, and there are no keys to encrypt messages with."""

    exit_code = 78


class AddressUnusable(DaemonError, OSError):
    """The address cannot be bound."""

    exit_code = 73


class KeysError(DaemonError):
    """The keys cannot say who may come in over the network."""

    exit_code = 65


class KeyMissing(KeysError, FileNotFoundError):
    """There is no such key file."""

    exit_code = 66


class KeyUnreadable(KeysError, ValueError):
    """A file or a text is no key, or a list of clients is none."""


class KeyNotPrivate(KeysError, PermissionError):
    """Others may read what should be secret, or we may not."""

    exit_code = 77


class KeyExists(KeysError, FileExistsError):
    """There is a key already; another would lock everybody out who knows this one."""

    exit_code = 73


class KeyNotWritten(KeysError, OSError):
    """The system does not let us write a key or the list of clients."""

    exit_code = 73


class ClientUnknown(KeysError, LookupError):
    """Nobody of that name is let in."""

    exit_code = 66


class ClientInvalid(KeysError, ValueError):
    """A client cannot be called that, or another one is."""


class NothingToShow(DaemonError, FileNotFoundError):
    """The folder has no recordings that the demonstration could play."""

    exit_code = 66


class ServiceStopped(DaemonError, ChildProcessError):
    """The service that the demonstration had started ended too early, or fell silent.

    Args:
        message: what it said last.
        exit_code: what it ended with; None if it still runs.
    """

    def __init__(self, message: str, exit_code: int | None) -> None:
        super().__init__(message)
        self.exit_code = exit_code or DaemonError.exit_code


class AcquisitionFailed(DaemonError, OSError):
    """No samples come any more.

    Args:
        message: what the acquisition process said last.
        exit_code: what it ended with.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class CommandRefused(DaemonError, ValueError):
    """A request is malformed, or cannot be obeyed now."""

    exit_code = 65


class EmbedderNeeded(DaemonError, ValueError):
    """The command compares hearts, and the model only tells a fixed group apart."""

    exit_code = 65


class TooFewBeats(DaemonError, ValueError):
    """A recording does not have the good beats that a command needs."""

    exit_code = 65


class ResultsNotWritable(DaemonError, OSError):
    """A command cannot write its results where it was told to."""

    exit_code = 73


class DrawingExtraMissing(DaemonError, ImportError):
    """Pictures need a library that the service does not."""


class MetricsExtraMissing(DaemonError, ImportError):
    """Metrics need a library that the rest of the service does not."""

    exit_code = 78


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

    exit_code = 75

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(
            f"{address} did not come ({reason}); run the same command again, and it goes on here"
        )
        self.reason = reason


class NotInArchive(DownloadError, FileNotFoundError):
    """The archive does not have a file that it should have."""


class ChecksumWrong(DownloadError, ValueError):
    """A file is not what the archive says it published."""

    exit_code = 65


class ServiceUnavailable(DaemonError, ConnectionError):
    """Nobody answers: the service is not running, or is somewhere else."""


class ServiceNotPermitted(ServiceUnavailable):
    """The control socket belongs to another user."""

    exit_code = 77


class ServiceRefusesKey(ServiceUnavailable):
    """The service answers only those whose key it knows, and it does not know this one."""

    exit_code = 77
