"""What the user of the command line is told of an error: one line, and an exit code.

exit code   0 done   1 a check failed   2 wrong usage   65 unreadable data   66 no such input
69 hardware or service not there   70 a bug   73 cannot write   74 the chip or the disk failed
75 busy, try again   77 not permitted   78 settings that cannot work   130 Ctrl-C
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from traceback import format_tb, print_exception

import config.errors as of_config
import daemon.apps.errors as of_apps
import daemon.fleet.errors as of_fleet
import daemon.offline.errors as of_offline
import daemon.paper.errors as of_paper
import daemon.recordings.errors as of_recordings
import daemon.service.errors as of_service
import daemon.wire.errors as of_wire
import drivers.errors as of_drivers
import model.errors as of_model
from daemon.errors import DaemonError, ResultsNotWritable
from daemon.journal import PRIORITIES, is_the_journal, nameless
from daemon.terminal import plain

CHECK_FAILED, DATA, NO_INPUT, UNAVAILABLE, BUG, CANNOT_WRITE = 1, 65, 66, 69, 70, 73
IO, BUSY, NOT_PERMITTED, SETTINGS = 74, 75, 77, 78

#: By class; one that is not listed has its nearest ancestor's. ``benchmarks.commands`` adds some.
EXIT_CODES: dict[type[BaseException], int] = {
    of_config.SettingsError: SETTINGS,
    of_config.KeysError: DATA,
    of_config.KeyMissing: NO_INPUT,
    of_config.KeyNotPrivate: NOT_PERMITTED,
    of_config.KeyNotWritten: CANNOT_WRITE,
    of_drivers.DriverError: UNAVAILABLE,
    of_drivers.BusError: IO,
    of_drivers.NoSpiDevice: UNAVAILABLE,
    of_drivers.SpiNotPermitted: NOT_PERMITTED,
    of_drivers.GpioNotPermitted: NOT_PERMITTED,
    of_drivers.WrongPart: SETTINGS,
    of_drivers.StreamError: IO,
    of_model.ModelError: DATA,
    of_model.ModelMissing: NO_INPUT,
    of_model.PassportMissing: NO_INPUT,
    of_model.PassportMismatch: SETTINGS,
    of_model.RuntimeMissing: UNAVAILABLE,
    of_model.GalleryMissing: NO_INPUT,
    of_model.GallerySealed: NOT_PERMITTED,
    of_model.GalleryNotPermitted: NOT_PERMITTED,
    of_model.GalleryNotWritten: IO,
    of_model.GalleryNotSwept: IO,
    of_model.GalleryBusy: BUSY,
    of_model.PersonUnknown: NO_INPUT,
    of_model.OwnerUnknown: NOT_PERMITTED,
    of_recordings.RecordingError: DATA,
    of_recordings.RecordingNotFound: NO_INPUT,
    of_recordings.RecordingNotWritten: CANNOT_WRITE,
    of_recordings.RecordsExtraMissing: UNAVAILABLE,
    of_recordings.EncryptionExtraMissing: UNAVAILABLE,
    of_recordings.IdentityUnusable: NOT_PERMITTED,
    of_recordings.RecipientUnusable: SETTINGS,
    of_recordings.TransferFailed: BUSY,
    of_recordings.ChecksumWrong: DATA,
    of_offline.TooFewBeats: DATA,
    of_offline.TooFewPeople: DATA,
    of_offline.WorkerKilled: BUSY,
    of_paper.PageUnusable: DATA,
    of_wire.MessageError: DATA,
    of_wire.CommandRefused: DATA,
    of_wire.AddressInUse: BUSY,
    of_wire.AddressRefused: SETTINGS,
    of_wire.AddressUnusable: CANNOT_WRITE,
    of_wire.ServiceNotPermitted: NOT_PERMITTED,
    of_wire.ServiceRefusesKey: NOT_PERMITTED,
    of_apps.NothingToShow: NO_INPUT,
    of_fleet.RecordRefused: DATA,
    of_fleet.RolledBack: CHECK_FAILED,
    ResultsNotWritable: CANNOT_WRITE,
    DaemonError: UNAVAILABLE,
}


def exit_code(error: BaseException) -> int:
    """Return what a command ends with for an error; of one in another process, that one's."""
    match error:
        case of_service.AcquisitionFailed(cause=cause):
            return next(
                (code_of(kind) for kind in _known() if vars(kind).get("code", BUG) == cause), BUG
            )
        case of_apps.ServiceStopped(status=int(status)) if status:
            return status
    return code_of(type(error))


def code_of(kind: type[BaseException]) -> int:
    """Return the code of a class of errors: its own in the table, or that of its parents."""
    return next((EXIT_CODES[parent] for parent in kind.__mro__ if parent in EXIT_CODES), BUG)


def _known() -> Iterator[type[BaseException]]:
    """Yield each class of the table and those that derive from it."""
    kinds = list(EXIT_CODES)
    for kind in kinds:
        yield kind
        kinds += kind.__subclasses__()


def tell(error: Exception, *, traceback: bool) -> None:
    """Say on standard error what went wrong.

    The journal gets no message of a bug, since that might name somebody.
    """
    is_bug = code_of(type(error)) == BUG
    logged = is_the_journal(sys.stderr)
    if traceback or (is_bug and not logged):
        print_exception(error)
    elif is_bug:
        where = "".join(format_tb(error.__traceback__))
        print(
            f"{where}{type(error).__name__}; qrsd --traceback run says more, names perhaps too",
            file=sys.stderr,
        )
    else:
        mark = f"<{PRIORITIES[logging.ERROR]}>" if logged else ""
        said = plain(" ".join(str(error).splitlines()))
        print(f"{mark}qrsd: {nameless(said) if logged else said}", file=sys.stderr)
