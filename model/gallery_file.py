"""The gallery as a file: its tables, who may see it, and what errors of SQLite mean."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import mkstemp

from model.errors import (
    GalleryBusy,
    GalleryError,
    GalleryMissing,
    GalleryNotPermitted,
    GalleryNotWritten,
    GalleryUnreadable,
    NameInvalid,
)
from model.folder_owner import as_owner_of_folder

APPLICATION_ID = int.from_bytes(b"qrsd")  # in the file's header: what kind of database it is
MAGIC, APPLICATION_ID_AT = b"SQLite format 3\0", 68  # how a database begins, and where that is
SQLITES = ("-journal", "-wal", "-shm")  # what SQLite itself may put beside it
SCHEMA = 2

TABLES = (
    """CREATE TABLE person (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        created_utc TEXT NOT NULL,
        consent_utc TEXT)""",
    """CREATE TABLE template (
        id INTEGER PRIMARY KEY,
        person INTEGER NOT NULL REFERENCES person ON DELETE CASCADE,
        model_sha256 TEXT NOT NULL,
        embedding BLOB NOT NULL,
        beats INTEGER NOT NULL,
        created_utc TEXT NOT NULL,
        source TEXT NOT NULL)""",
    SEAL_TABLE := "CREATE TABLE seal (salt BLOB NOT NULL, proof BLOB NOT NULL)",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA}",
)

FROM_SCHEMA_1 = (
    "ALTER TABLE person ADD COLUMN consent_utc TEXT",
    SEAL_TABLE,
    f"PRAGMA user_version = {SCHEMA}",
)

SETTINGS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA synchronous = EXTRA",  # with FULL, a power cut may bring the journal back: undone
    "PRAGMA secure_delete = ON",  # what is deleted is overwritten with zeros
    "PRAGMA temp_store = MEMORY",  # VACUUM would leave a copy on the disk
)


def make_empty(path: Path) -> bool:
    """Make an empty gallery and its folder where there is no file; return whether this was done.

    It gets its name when it is whole, so that a file without contents is a damaged gallery and
    never one that is just being made.
    """
    if path.exists():
        return False
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, draft = mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    os.close(descriptor)
    try:
        with closing(sqlite3.connect(draft, isolation_level=None)) as database:
            for statement in (*SETTINGS, "BEGIN", *TABLES, "COMMIT"):
                database.execute(statement)
        os.link(draft, path)
    except FileExistsError:  # somebody else was faster
        return False
    finally:
        os.unlink(draft)
    return True


def keep_private(path: Path) -> tuple[int, int]:
    """Keep others from reading the file, and return which it is: device and inode.

    Raises:
        GalleryUnreadable: it is a device, a pipe, or the like; opening one may do harm.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise GalleryUnreadable(f"{path}: not a gallery, which is a regular file")
    for beside in SQLITES:  # a pipe there would hold SQLite up for ever, and deaf to Ctrl-C
        its = path.with_name(path.name + beside)
        if its.exists() and not its.is_file():
            raise GalleryUnreadable(f"{its}: not SQLite's, which is a regular file; remove it")
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if status.st_mode & 0o077 and _is_ours(descriptor):  # else somebody has named a wrong file
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)
    return status.st_dev, status.st_ino


def _is_ours(descriptor: int) -> bool:
    """Tell whether a file's header says that it is a gallery."""
    header = os.pread(descriptor, APPLICATION_ID_AT + 4, 0)
    return header.startswith(MAGIC) and header.endswith(APPLICATION_ID.to_bytes(4))


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system complain about into what it means for this gallery.

    Root does what is done meanwhile as the owner of the folder.

    Raises:
        GalleryError: they complain.
    """
    try:
        with as_owner_of_folder(path):
            yield
    except GalleryError:
        raise
    except FileNotFoundError as error:
        raise GalleryMissing(f"{path}: no such gallery") from error
    except PermissionError as error:
        raise _not_permitted(path) from error
    except UnicodeEncodeError as error:  # half a character, as JSON can write it
        raise NameInvalid(f"{error.object!r} is not a name") from error
    except sqlite3.DatabaseError as error:
        raise _meaning(path, error) from error
    except OSError as error:
        raise GalleryNotWritten(f"{path}: {error.strerror}") from error


def damaged(path: Path, reason: object) -> GalleryUnreadable:
    """Return the error that says what to do with a file that cannot be read."""
    return GalleryUnreadable(
        f"{path}: not a gallery, or damaged ({reason}); move it away, then import an export of it "
        "or enrol again"
    )


def _meaning(path: Path, error: sqlite3.DatabaseError) -> GalleryError:
    code = error.sqlite_errorname.split("_")[1]  # SQLITE_IOERR_FSYNC, for one
    if code in ("CORRUPT", "NOTADB", "ERROR"):
        return damaged(path, error)
    if code in ("READONLY", "CANTOPEN", "PERM", "AUTH"):
        return _not_permitted(path)
    if code in ("BUSY", "LOCKED"):
        return GalleryBusy(f"{path}: another program is writing to it; try again")
    return GalleryNotWritten(f"{path}: {error}; nothing was changed")


def _not_permitted(path: Path) -> GalleryNotPermitted:
    return GalleryNotPermitted(
        f"{path}: this user may not read and write it and its folder; run this as the service's "
        "user, or with sudo"
    )
