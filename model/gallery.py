"""The people who are enrolled: one SQLite file, for its owner's eyes only.

    person    id  name  created_utc
    template  person  model_sha256  embedding (little-endian float32)  beats  created_utc  source

What a method has returned from is on the disk, whatever is killed when. What is forgotten is in no
file any more, though a flash card may keep old blocks out of anybody's reach but a laboratory's.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np

from model.errors import (
    GalleryBusy,
    GalleryError,
    GalleryMissing,
    GalleryNotPermitted,
    GalleryNotWritten,
    GalleryTooNew,
    GalleryUnreadable,
    NameInvalid,
    PersonExists,
    PersonUnknown,
)
from model.template import GROWN, Person, Template

APPLICATION_ID = int.from_bytes(b"qrsd")  # in the file's header: what kind of database it is
SCHEMA = 1
LONGEST_NAME = 64

TABLES = (
    """CREATE TABLE person (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        created_utc TEXT NOT NULL)""",
    """CREATE TABLE template (
        id INTEGER PRIMARY KEY,
        person INTEGER NOT NULL REFERENCES person ON DELETE CASCADE,
        model_sha256 TEXT NOT NULL,
        embedding BLOB NOT NULL,
        beats INTEGER NOT NULL,
        created_utc TEXT NOT NULL,
        source TEXT NOT NULL)""",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA}",
)

SETTINGS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA synchronous = EXTRA",  # with FULL, a power cut may bring the journal back: undone
    "PRAGMA secure_delete = ON",  # what is deleted is overwritten with zeros
    "PRAGMA temp_store = MEMORY",  # VACUUM would leave a copy on the disk
)


class Gallery:
    """The enrolled people.

    Args:
        path: the SQLite file.
        make: make it, empty and with its folder, where there is none yet.

    Raises:
        GalleryError: it is missing, damaged, too new, not a gallery, or may not be opened.
    """

    def __init__(self, path: Path, make: bool = True) -> None:
        self._path = path
        self._version = 0
        with self._explained():
            if make:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _keep_private(path, os.O_CREAT if make else 0)
            self._database = sqlite3.connect(path, isolation_level=None)
        try:
            with self._explained():
                self._prepare()
        except GalleryError:
            self.close()
            raise

    def people(self) -> list[Person]:
        """Return everybody who is enrolled, by name, with everything that is held on them."""
        with self._explained():
            rows = self._database.execute("SELECT name, created_utc FROM person ORDER BY name")
            return [
                Person(name, created_utc, tuple(self._templates("name = ?", name)))
                for name, created_utc in rows
            ]

    def templates(self, model_sha256: str) -> list[Template]:
        """Return the templates that a model can use, everybody's."""
        with self._explained():
            return list(self._templates("model_sha256 = ?", model_sha256))

    def unknown_to(self, model_sha256: str) -> list[str]:
        """Return who was enrolled with other models only, and so cannot be recognised by this."""
        known = {template.person for template in self.templates(model_sha256)}
        return [person.name for person in self.people() if person.name not in known]

    def enrol(self, *templates: Template) -> None:
        """Add templates, all or none, and their persons where they are new.

        Raises:
            NameInvalid: the name is empty, too long, or has control characters.
        """
        with self._transaction():
            for template in templates:
                check_name(template.person)
                self._database.execute(
                    "INSERT OR IGNORE INTO person (name, created_utc) VALUES (?, ?)",
                    (template.person, template.created_utc),
                )
                self._insert(template)

    def grow(self, template: Template, most: int) -> None:
        """Add a grown template to somebody who is enrolled, in place of the oldest above ``most``.

        Raises:
            PersonUnknown: nobody of that name is enrolled.
        """
        with self._transaction():
            self._check_known(template.person)
            self._insert(template)
            self._database.execute(
                "DELETE FROM template WHERE id IN (SELECT template.id FROM template "
                "JOIN person ON person.id = template.person WHERE name = ? AND source = ? "
                "AND model_sha256 = ? ORDER BY template.id DESC LIMIT -1 OFFSET ?)",
                (template.person, GROWN, template.model_sha256, most),
            )
        self._sweep()

    def add(self, people: Iterable[Person]) -> None:
        """Add people with all that is held on them: all of them or, if one is refused, none.

        Raises:
            PersonExists: somebody of that name is enrolled.
            NameInvalid: the name is empty, too long, or has control characters.
        """
        with self._transaction():
            for person in people:
                check_name(person.name)
                self._check_free(person.name)
                self._database.execute(
                    "INSERT INTO person (name, created_utc) VALUES (?, ?)",
                    (person.name, person.created_utc),
                )
                for template in person.templates:
                    self._insert(template)

    def rename(self, name: str, new_name: str) -> None:
        """Call somebody otherwise.

        Raises:
            PersonUnknown: nobody of that name is enrolled.
            PersonExists: the new name is taken.
            NameInvalid: the new name is empty, too long, or has control characters.
        """
        check_name(new_name)
        with self._transaction():
            self._check_known(name)
            self._check_free(new_name)
            self._database.execute("UPDATE person SET name = ? WHERE name = ?", (new_name, name))
        self._sweep()

    def forget(self, name: str) -> None:
        """Erase everything that is held on somebody.

        Raises:
            PersonUnknown: nobody of that name is enrolled.
        """
        with self._transaction():
            self._check_known(name)
            self._database.execute("DELETE FROM person WHERE name = ?", (name,))
        self._sweep()

    def changed_elsewhere(self) -> bool:
        """Tell whether another program has changed the gallery since this was last asked."""
        with self._explained():
            version = self._value("PRAGMA data_version")
        changed: bool = version != self._version
        self._version = version
        return changed

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _prepare(self) -> None:
        """Check that the file is a sound gallery of this version, or make it one."""
        for setting in SETTINGS:
            self._database.execute(setting)
        if not self._value("SELECT count(*) FROM sqlite_schema"):
            with self._transaction():
                for statement in TABLES:
                    self._database.execute(statement)
        if self._value("PRAGMA application_id") != APPLICATION_ID:
            raise GalleryUnreadable(
                f"{self._path}: a database of another program, not a gallery; set another path"
            )
        if (schema := self._value("PRAGMA user_version")) > SCHEMA:
            raise GalleryTooNew(
                f"{self._path}: schema is {schema}, this version of qrsd reads {SCHEMA}; "
                "install the newer qrsd again"
            )
        if (report := self._value("PRAGMA integrity_check")) != "ok":
            raise self._damaged(report)
        self._version = self._value("PRAGMA data_version")

    def _value(self, query: str) -> Any:
        return self._database.execute(query).fetchone()[0]

    def _templates(self, condition: str, value: str) -> Iterator[Template]:
        rows = self._database.execute(
            "SELECT name, embedding, beats, template.created_utc, model_sha256, source "
            "FROM template JOIN person ON person.id = template.person "
            f"WHERE {condition} ORDER BY name, template.id",
            (value,),
        )
        for name, embedding, *rest in rows:
            yield Template(name, np.frombuffer(embedding, dtype="<f4"), *rest)

    def _insert(self, template: Template) -> None:
        self._database.execute(
            "INSERT INTO template (person, model_sha256, embedding, beats, created_utc, source) "
            "SELECT id, ?, ?, ?, ?, ? FROM person WHERE name = ?",
            (
                template.model_sha256,
                template.embedding.astype("<f4").tobytes(),
                template.beats,
                template.created_utc,
                template.source,
                template.person,
            ),
        )

    def _has(self, name: str) -> bool:
        found = self._database.execute("SELECT 1 FROM person WHERE name = ?", (name,))
        return found.fetchone() is not None

    def _check_known(self, name: str) -> None:
        if not self._has(name):
            raise PersonUnknown(f"nobody called {name!r} is enrolled; see: qrsd people list")

    def _check_free(self, name: str) -> None:
        if self._has(name):
            raise PersonExists(f"somebody called {name!r} is enrolled already; take another name")

    def _sweep(self) -> None:
        """Write the file anew, so that no page keeps a trace of what was deleted."""
        with self._explained():
            self._database.execute("VACUUM")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Do all of it or nothing; it is on the disk when this ends."""
        with self._explained():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what SQLite and the system complain about into what it means here."""
        try:
            yield
        except GalleryError:
            raise
        except FileNotFoundError as error:
            raise GalleryMissing(f"{self._path}: no such gallery") from error
        except PermissionError as error:
            raise self._not_permitted() from error
        except UnicodeEncodeError as error:  # half a character, as JSON can write it
            raise NameInvalid(f"{error.object[:LONGEST_NAME]!r} is not a name") from error
        except sqlite3.DatabaseError as error:
            raise self._meaning(error) from error
        except OSError as error:
            raise GalleryNotWritten(f"{self._path}: {error.strerror}") from error

    def _meaning(self, error: sqlite3.DatabaseError) -> GalleryError:
        code = error.sqlite_errorname.split("_")[1]  # SQLITE_IOERR_FSYNC, for one
        if code in ("CORRUPT", "NOTADB", "ERROR"):
            return self._damaged(error)
        if code in ("READONLY", "CANTOPEN", "PERM", "AUTH"):
            return self._not_permitted()
        if code in ("BUSY", "LOCKED"):
            return GalleryBusy(f"{self._path}: another program is writing to it; try again")
        return GalleryNotWritten(f"{self._path}: {error}; nothing was changed")

    def _damaged(self, reason: object) -> GalleryUnreadable:
        return GalleryUnreadable(
            f"{self._path}: not a gallery, or damaged ({reason}); move it away, then import an "
            "export of it or enrol again"
        )

    def _not_permitted(self) -> GalleryNotPermitted:
        return GalleryNotPermitted(
            f"{self._path}: this user may not read and write it and its folder; "
            "run this as the service's user, or with sudo"
        )


def check_name(name: str) -> None:
    """Refuse what cannot be shown as a name on one line.

    Raises:
        NameInvalid: it is empty, padded, too long, or has control characters.
    """
    if not (name and name.isprintable() and name == name.strip() and len(name) <= LONGEST_NAME):
        raise NameInvalid(
            f"{name[:LONGEST_NAME]!r} is not a name: 1 to {LONGEST_NAME} printable characters, "
            "without spaces at the ends"
        )


def _keep_private(path: Path, flags: int) -> None:
    """Open the file, with flags that may make it, and keep others from reading it.

    Made by root, it belongs to the owner of its folder, so that the service can open it too.
    """
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CLOEXEC | flags, 0o600), "rb+") as file:
        if os.fstat(file.fileno()).st_mode & 0o077:
            os.fchmod(file.fileno(), 0o600)
        if os.geteuid() == 0:
            folder = path.parent.stat()
            os.fchown(file.fileno(), folder.st_uid, folder.st_gid)
