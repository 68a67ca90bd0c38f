"""The gallery as a SQLite database: sound, of this version, and written whole or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from model.errors import GalleryNotSwept, GalleryTooNew, GalleryUnreadable
from model.folder_owner import as_owner_of_folder
from model.gallery_file import (
    APPLICATION_ID,
    FROM_SCHEMA_1,
    SCHEMA,
    SETTINGS,
    damaged,
    explained,
    keep_private,
    make_empty,
)

#: a trigger or view would change or pretend what is held on people, behind the gallery's back
FOREIGN = """SELECT type || ' ' || quote(name) FROM sqlite_schema WHERE sql NOTNULL AND NOT
    (type = 'table' AND rootpage AND name IN ('person', 'template', 'seal')) LIMIT 1"""
BUSY_S = 2.0  # to wait for another program; the service's samples wait nine seconds in their pipe


class GalleryDatabase:
    """The gallery's tables in their file.

    Args:
        path: the SQLite file.
        make: make it, empty and with its folder, where there is none yet.

    Attributes:
        new: whether it was made just now.

    Raises:
        GalleryError: it is missing, damaged, too new, not a gallery, or may not be opened.
    """

    def __init__(self, path: Path, make: bool) -> None:
        self._path = path
        self._version: int | None = None
        with explained(path):
            self.new = make and make_empty(path)
        self._open()

    def execute(self, query: str, values: Iterable[object] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self._connection.execute(query, tuple(values))

    def value(self, query: str, *values: object) -> Any:
        """Return the one value that a query has for an answer."""
        return self.execute(query, values).fetchone()[0]

    @contextmanager
    def transaction(self, *, changes: bool) -> Iterator[None]:
        """Read what the file holds at one moment, or change it: all or nothing, and on the disk.

        Raises:
            GalleryError: it cannot be done.
        """
        self._follow()
        with explained(self._path):
            self.execute("BEGIN IMMEDIATE" if changes else "BEGIN")
            try:
                self._check_own()
                yield
                self.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self.execute("ROLLBACK")
                raise

    def sweep(self) -> None:
        """Write the file anew, so that no page keeps a trace of what was deleted.

        Raises:
            GalleryNotSwept: it cannot be done now.
        """
        try:
            with as_owner_of_folder(self._path):
                self.execute("VACUUM")
        except (sqlite3.DatabaseError, OSError) as error:
            raise GalleryNotSwept(
                f"{self._path}: it is done, but the file could not be written anew ({error}) and "
                "may keep traces until somebody else is renamed or forgotten"
            ) from error

    def changed_elsewhere(self) -> bool:
        """Tell whether another program has changed or exchanged the file since last asked."""
        self._follow()
        with explained(self._path):
            version = self.value("PRAGMA data_version")
        changed: bool = version != self._version
        self._version = version
        return changed

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _open(self) -> None:
        self._file: tuple[int, int] | None = None
        with explained(self._path):
            file = keep_private(self._path)
            self._connection = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None)
            self._connection.text_factory = partial(str, encoding="utf-8", errors="replace")
            try:
                self._file = file
                self._prepare()
            except BaseException:
                self._file = None
                self.close()
                raise

    def _follow(self) -> None:
        """Open the file that is there now, should another one, as of a backup, be in its place."""
        with explained(self._path):
            status = self._path.stat()
        if (status.st_dev, status.st_ino) != self._file:
            self.close()
            self._open()
            self._version = None

    def _prepare(self) -> None:
        """Check that the file is a sound gallery of this version, or of an earlier one."""
        if not self.value("SELECT count(*) FROM sqlite_schema"):
            raise damaged(self._path, "it is empty")
        if self.value("PRAGMA application_id") != APPLICATION_ID:
            raise GalleryUnreadable(
                f"{self._path}: a database of another program, not a gallery; set another path"
            )
        for setting in SETTINGS:  # the journal's mode is in the file
            self.execute(setting)
        if (schema := self.value("PRAGMA user_version")) > SCHEMA:
            raise GalleryTooNew(
                f"{self._path}: schema is {schema}, this version of qrsd reads {SCHEMA}; "
                "install the newer qrsd again"
            )
        if (report := self.value("PRAGMA integrity_check")) != "ok":
            raise damaged(self._path, report)
        with self.transaction(changes=True):
            self._check_whole()
            if schema < SCHEMA:
                for statement in FROM_SCHEMA_1:
                    self.execute(statement)
        self._version = self.value("PRAGMA data_version")

    def _check_own(self) -> None:
        """Check that nobody has added anything to the tables that the gallery makes."""
        if foreign := self.execute(FOREIGN).fetchone():
            raise damaged(self._path, f"it holds a foreign {foreign[0]:.60}")

    def _check_whole(self) -> None:
        """Check that the end of the file is there: SQLite takes a missing one for zeros."""
        whole = self.value("PRAGMA page_count") * self.value("PRAGMA page_size")
        if (found := self._path.stat().st_size) < whole:
            raise damaged(self._path, f"{found} of {whole} bytes are there")
