"""The people who are enrolled: one SQLite file, for its owner's eyes only.

    person    id  name  created_utc  consent_utc
    template  person  model_sha256  embedding (little-endian float32)  beats  created_utc  source
    seal      salt  proof                           one row if sealed: see ``model.seal``

In a sealed gallery the names are ciphertexts, and so are the embeddings, which are turned besides
(``model.rotation``): ``templates``, ``enrol`` and ``grow`` deal in embeddings of a network that was
opened with the gallery's ``rotation_seed``, ``people`` and ``add`` in those of the model itself.

What a method has returned from is on the disk, whatever is killed when. What is forgotten is in no
file any more, though a flash card may keep old blocks out of anybody's reach but a laboratory's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from model.entries import Entries
from model.errors import (
    GalleryError,
    GallerySealed,
    GalleryTooNew,
    GalleryUnreadable,
    NameInvalid,
    PersonExists,
    PersonUnknown,
)
from model.gallery_file import damaged, explained, keep_private, make_empty
from model.gallery_tables import APPLICATION_ID, FROM_SCHEMA_1, SCHEMA, SETTINGS
from model.seal import Seal
from model.template import GROWN, Person, Template

LONGEST_NAME = 64
BUSY_S = 2.0  # to wait for another program; the service's samples wait nine seconds in their pipe
PROOF = "proof"  # of the right key: nothing at all, sealed


class Gallery:
    """The enrolled people.

    Args:
        path: the SQLite file.
        make: make it, empty and with its folder, where there is none yet.
        key: 32 bytes that open it if it is sealed, and seal it if it is new.

    Raises:
        GalleryError: it is missing, damaged, too new, sealed by another key, not a gallery, or may
            not be opened.
    """

    def __init__(self, path: Path, make: bool = True, key: bytes | None = None) -> None:
        self._path = path
        self._entries = Entries(None)
        self._version = 0
        with explained(self._path):
            new = make and make_empty(path)
            keep_private(path)
            self._database = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
        try:
            with explained(self._path):
                self._prepare(key)
                if new and key is not None:
                    self.seal(key)
        except GalleryError:
            self.close()
            raise

    @property
    def sealed(self) -> bool:
        """Tell whether the file says nothing without its key."""
        return self._entries.seal is not None

    @property
    def rotation_seed(self) -> bytes | None:
        """What the templates are turned by; None if they are not, as in an unsealed gallery."""
        return self._entries.rotation_seed

    def turned(self, template: Template) -> Template:
        """Return a template of the model itself as one of this gallery, for ``enrol``."""
        return replace(template, embedding=self._entries.turn(template.embedding))

    def seal(self, key: bytes) -> None:
        """Seal everything, or seal it anew: what was copied of it before fits nothing any more.

        Another program that has the gallery open is refused from now on, until it opens it again.
        """
        seal = Seal(key)
        before, after = self._entries, Entries(seal)
        with self._changes():
            for person, name in self._names():
                entry = after.write_name(name, person)
                self._database.execute("UPDATE person SET name = ? WHERE id = ?", (entry, person))
            query = "SELECT id, embedding, person, model_sha256 FROM template"
            for at, old, person, model in self._database.execute(query).fetchall():
                embedding = before.turn_back(before.read_embedding(old, person, model))
                new = after.write_embedding(after.turn(embedding), person, model)
                self._database.execute("UPDATE template SET embedding = ? WHERE id = ?", (new, at))
            self._database.execute("DELETE FROM seal")
            proof = seal.close(b"", PROOF)
            self._database.execute("INSERT INTO seal VALUES (?, ?)", (seal.salt, proof))
        self._entries = after
        self._sweep()

    def people(self) -> list[Person]:
        """Return everybody who is enrolled, by name, with everything that is held on them."""
        with explained(self._path):
            self._check_same_seal()
            rows = self._database.execute("SELECT id, name, created_utc, consent_utc FROM person")
            people = [
                Person(
                    self._entries.read_name(name, at),
                    created_utc,
                    self._templates_of(at),
                    consent_utc,
                )
                for at, name, created_utc, consent_utc in rows.fetchall()
            ]
        return sorted(people, key=lambda person: person.name)

    def templates(self, model_sha256: str) -> list[Template]:
        """Return the templates that a model can use, everybody's."""
        with explained(self._path):
            self._check_same_seal()
            return list(self._templates("model_sha256 = ?", model_sha256))

    def unknown_to(self, model_sha256: str) -> list[str]:
        """Return who was enrolled with other models only, and so cannot be recognised by this."""
        known = {template.person for template in self.templates(model_sha256)}
        return [person.name for person in self.people() if person.name not in known]

    def enrol(self, *templates: Template, consent_utc: str | None = None) -> None:
        """Add templates, all or none, and their persons where they are new.

        Args:
            templates: at least one.
            consent_utc: when these persons agreed to be enrolled, ISO 8601; None leaves what is
                known of that.

        Raises:
            NameInvalid: the name is empty, too long, or has control characters.
        """
        with self._changes():
            for template in templates:
                check_name(template.person)
                at = self._find(template.person)
                if at is None:
                    at = self._insert_person(template.person, template.created_utc)
                if consent_utc is not None:
                    self._set_consent(at, consent_utc)
                self._insert(at, template)

    def grow(self, template: Template, most: int) -> None:
        """Add a grown template to somebody who is enrolled, in place of the oldest above ``most``.

        Raises:
            PersonUnknown: nobody of that name is enrolled.
        """
        with self._changes():
            at = self._known(template.person)
            self._insert(at, template)
            self._database.execute(
                "DELETE FROM template WHERE id IN (SELECT id FROM template WHERE person = ? "
                "AND source = ? AND model_sha256 = ? ORDER BY id DESC LIMIT -1 OFFSET ?)",
                (at, GROWN, template.model_sha256, most),
            )
        self._sweep()

    def add(self, people: Iterable[Person]) -> None:
        """Add people with all that is held on them: all of them or, if one is refused, none.

        Raises:
            PersonExists: somebody of that name is enrolled.
            NameInvalid: the name is empty, too long, or has control characters.
        """
        with self._changes():
            for person in people:
                check_name(person.name)
                self._check_free(person.name)
                at = self._insert_person(person.name, person.created_utc)
                self._set_consent(at, person.consent_utc)
                for template in person.templates:
                    self._insert(at, self.turned(template))

    def rename(self, name: str, new_name: str) -> None:
        """Call somebody otherwise.

        Raises:
            PersonUnknown: nobody of that name is enrolled.
            PersonExists: the new name is taken.
            NameInvalid: the new name is empty, too long, or has control characters.
        """
        check_name(new_name)
        with self._changes():
            at = self._known(name)
            self._check_free(new_name)
            entry = self._entries.write_name(new_name, at)
            self._database.execute("UPDATE person SET name = ? WHERE id = ?", (entry, at))
        self._sweep()

    def forget(self, name: str) -> None:
        """Erase everything that is held on somebody.

        Raises:
            PersonUnknown: nobody of that name is enrolled.
        """
        with self._changes():
            self._database.execute("DELETE FROM person WHERE id = ?", (self._known(name),))
        self._sweep()

    def changed_elsewhere(self) -> bool:
        """Tell whether another program has changed the gallery since this was last asked."""
        with explained(self._path):
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

    def _prepare(self, key: bytes | None) -> None:
        """Check that the file is a sound gallery of this version, or of an earlier one."""
        for setting in SETTINGS:
            self._database.execute(setting)
        if not self._value("SELECT count(*) FROM sqlite_schema"):
            raise damaged(self._path, "it is empty")
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
            raise damaged(self._path, report)
        with self._transaction():
            self._check_whole()
            if schema < SCHEMA:
                for statement in FROM_SCHEMA_1:
                    self._database.execute(statement)
        self._open_seal(key)
        self._version = self._value("PRAGMA data_version")

    def _check_whole(self) -> None:
        """Check that the end of the file is there: SQLite takes a missing one for zeros."""
        whole = self._value("PRAGMA page_count") * self._value("PRAGMA page_size")
        if (found := self._path.stat().st_size) < whole:
            raise damaged(self._path, f"{found} of {whole} bytes are there")

    def _open_seal(self, key: bytes | None) -> None:
        """Break the seal for our own eyes, if there is one.

        Raises:
            GallerySealed: there is, and the key does not fit.
        """
        row = self._database.execute("SELECT salt, proof FROM seal").fetchone()
        if row is None:
            return
        if key is None:
            raise GallerySealed(
                f"{self._path}: sealed, and its key is not to be had here; run this with sudo, or "
                "put the key back where qrsd people seal --help says"
            )
        seal = Seal(key, row[0])
        if seal.open(row[1], PROOF) is None:
            raise GallerySealed(
                f"{self._path}: sealed with another key than the one that is here; put that one "
                "back, or move the gallery away and enrol everybody again"
            )
        self._entries = Entries(seal)

    def _check_same_seal(self) -> None:
        """Refuse to go on with a file that another program has sealed since we opened it."""
        row = self._database.execute("SELECT salt FROM seal").fetchone()
        seal = self._entries.seal
        if row != (None if seal is None else (seal.salt,)):
            raise GallerySealed(
                f"{self._path}: was sealed anew meanwhile; restart: sudo systemctl restart qrsd"
            )

    def _value(self, query: str) -> Any:
        return self._database.execute(query).fetchone()[0]

    def _templates_of(self, at: int) -> tuple[Template, ...]:
        """Return a person's templates, as any network of their model would have made them."""
        return tuple(
            replace(template, embedding=self._entries.turn_back(template.embedding))
            for template in self._templates("person.id = ?", at)
        )

    def _templates(self, condition: str, value: object) -> list[Template]:
        rows = self._database.execute(
            "SELECT person.id, name, embedding, beats, template.created_utc, model_sha256, source "
            "FROM template JOIN person ON person.id = template.person "
            f"WHERE {condition} ORDER BY template.id",
            (value,),
        )
        templates = [
            Template(
                self._entries.read_name(name, at),
                self._entries.read_embedding(embedding, at, model_sha256),
                beats,
                created_utc,
                model_sha256,
                source,
            )
            for at, name, embedding, beats, created_utc, model_sha256, source in rows.fetchall()
        ]
        return sorted(templates, key=lambda template: template.person)

    def _insert(self, at: int, template: Template) -> None:
        entry = self._entries.write_embedding(template.embedding, at, template.model_sha256)
        self._database.execute(
            "INSERT INTO template (person, model_sha256, embedding, beats, created_utc, source) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (
                at,
                template.model_sha256,
                entry,
                template.beats,
                template.created_utc,
                template.source,
            ),
        )

    def _insert_person(self, name: str, created_utc: str) -> int:
        at: int = self._value("SELECT coalesce(max(id), 0) + 1 FROM person")
        self._database.execute(
            "INSERT INTO person (id, name, created_utc) VALUES (?, ?, ?)",
            (at, self._entries.write_name(name, at), created_utc),
        )
        return at

    def _set_consent(self, at: int, consent_utc: str | None) -> None:
        self._database.execute("UPDATE person SET consent_utc = ? WHERE id = ?", (consent_utc, at))

    def _names(self) -> list[tuple[int, str]]:
        rows = self._database.execute("SELECT id, name FROM person").fetchall()
        return [(at, self._entries.read_name(entry, at)) for at, entry in rows]

    def _find(self, name: str) -> int | None:
        return next((at for at, theirs in self._names() if theirs == name), None)

    def _known(self, name: str) -> int:
        at = self._find(name)
        if at is None:
            raise PersonUnknown(f"nobody called {name!r} is enrolled; see: qrsd people list")
        return at

    def _check_free(self, name: str) -> None:
        if self._find(name) is not None:
            raise PersonExists(f"somebody called {name!r} is enrolled already; take another name")

    def _sweep(self) -> None:
        """Write the file anew, so that no page keeps a trace of what was deleted."""
        with explained(self._path):
            self._database.execute("VACUUM")

    @contextmanager
    def _changes(self) -> Iterator[None]:
        """Do all of it or nothing, unless another program has sealed the file since."""
        with self._transaction():
            self._check_same_seal()
            yield

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Do all of it or nothing; it is on the disk when this ends."""
        with explained(self._path):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise


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
