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

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Self

from model.entries import Entries, EntryAltered
from model.errors import GalleryError, GallerySealed
from model.gallery_database import GalleryDatabase
from model.gallery_file import damaged, explained
from model.names import NameIndex, check_name
from model.seal import Seal
from model.template import GROWN, MOST_BEATS, Person, Template

PROOF = "proof"  # of the right key: nothing at all, sealed


class Gallery:
    """The enrolled people.

    Args:
        path: the SQLite file.
        make: make it, empty and with its folder, where there is none yet.
        key: 32 bytes that open it if it is sealed, and seal it if it is new.

    Attributes:
        set_aside: which records the last reading left out, and why: damaged ones, or altered.
            Nobody is recognised by them; ``seal`` erases them, and ``forget`` with their person.

    Raises:
        GalleryError: it is missing, damaged, too new, sealed by another key, not a gallery, or may
            not be opened.
    """

    def __init__(self, path: Path, make: bool = True, key: bytes | None = None) -> None:
        self._path = path
        self.set_aside: list[str] = []
        self._entries = Entries(None)
        self._database = GalleryDatabase(path, make)
        try:
            if self._database.new and key is not None:
                self.seal(key)
            with explained(path):
                self._open_seal(key)
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
        before, seal = self._entries, Seal(key)
        try:
            with self._transaction(changes=True):
                people = self._read_people()
                self._database.execute("DELETE FROM person")  # and their templates
                self._database.execute("DELETE FROM seal")
                self._database.execute(
                    "INSERT INTO seal VALUES (?, ?)", (seal.salt, seal.close(b"", PROOF))
                )
                self._entries = Entries(seal)
                for person in people:
                    self._insert_whole(person)
        except BaseException:
            self._entries = before
            raise
        self._database.sweep()

    def people(self) -> list[Person]:
        """Return everybody who is enrolled, by name, with everything that is held on them."""
        with self._transaction(changes=False):
            people = self._read_people()
        return sorted(people, key=lambda person: person.name)

    def templates(self, model_sha256: str, numbers: int | None = None) -> list[Template]:
        """Return the templates that a model can use, everybody's.

        With ``numbers``, templates whose embeddings have more or less are set aside.
        """
        with self._transaction(changes=False):
            read = self._read_templates("model_sha256 = ?", model_sha256, numbers=numbers)
        return sorted((each for _, each in read), key=lambda template: template.person)

    def unknown_to(self, model_sha256: str) -> list[str]:
        """Return who was enrolled with other models only, and so cannot be recognised by this."""
        with self._transaction(changes=False):
            names = self._names()
            known = self._database.execute(
                "SELECT DISTINCT person FROM template WHERE model_sha256 = ?", (model_sha256,)
            )
            for (at,) in known.fetchall():
                names.pop(at, None)
        return sorted(names.values())

    def check_free(self, name: str) -> None:
        """Refuse the name of a new person that looks like another's; one that is known is fine.

        Raises:
            PersonExists: it does.
        """
        with self._transaction(changes=False):
            names = NameIndex(self._names())
        if not names.find(name):
            names.check_free(name)

    def enrol(self, *templates: Template, consent_utc: str | None = None) -> None:
        """Add templates, all or none, and their persons where they are new.

        Args:
            templates: at least one.
            consent_utc: when these persons agreed to be enrolled, ISO 8601; None if nobody said
                so. The first time is kept: all that came after it was agreed to.

        Raises:
            NameInvalid: a person cannot be called that.
            PersonExists: a new person's name looks like somebody else's.
        """
        with self._transaction(changes=True):
            names = NameIndex(self._names())
            for template in templates:
                name = check_name(template.person)
                if known := names.find(name):
                    at = known[0]
                else:
                    names.check_free(name)
                    at = self._insert_person(name, template.created_utc)
                    names.add(at, name)
                self._agree(at, consent_utc)
                self._insert(at, template)

    def grow(self, template: Template, most: int) -> None:
        """Add a grown template to somebody who is enrolled, in place of the oldest above ``most``.

        Raises:
            PersonUnknown: nobody of that name is enrolled.
        """
        with self._transaction(changes=True):
            at, *_ = NameIndex(self._names()).known(template.person)
            self._insert(at, template)
            self._database.execute(
                "DELETE FROM template WHERE id IN (SELECT id FROM template WHERE person = ? "
                "AND source = ? AND model_sha256 = ? ORDER BY id DESC LIMIT -1 OFFSET ?)",
                (at, GROWN, template.model_sha256, most),
            )
        self._database.sweep()

    def add(self, people: Iterable[Person]) -> None:
        """Add people with all that is held on them: all of them or, if one is refused, none.

        Raises:
            PersonExists: somebody of that name, or one that looks like it, is enrolled.
            NameInvalid: a person cannot be called that.
        """
        with self._transaction(changes=True):
            names = NameIndex(self._names())
            for person in people:
                name = check_name(person.name)
                names.check_free(name)
                names.add(self._insert_whole(replace(person, name=name)), name)

    def merge(self, people: Iterable[Person]) -> None:
        """Add the fittings of people that are not here yet, and those people who are new.

        All of them or, if one is refused, none.

        Raises:
            PersonExists: somebody whose name looks like it is enrolled.
            NameInvalid: a person cannot be called that.
        """
        with self._transaction(changes=True):
            names = NameIndex(self._names())
            for person in people:
                name = check_name(person.name)
                if known := names.find(name):
                    self._merge_into(known[0], person)
                else:
                    names.check_free(name)
                    names.add(self._insert_whole(replace(person, name=name)), name)

    def rename(self, name: str, new_name: str) -> None:
        """Call somebody otherwise.

        Raises:
            PersonUnknown: nobody of that name is enrolled.
            PersonExists: the new name, or one that looks like it, is taken.
            NameInvalid: a person cannot be called that.
        """
        new_name = check_name(new_name)
        with self._transaction(changes=True):
            names = NameIndex(self._names())
            at, *_ = names.known(name)
            names.check_free(new_name, but=at)
            self._write_name(at, new_name)
        self._database.sweep()

    def forget(self, name: str) -> None:
        """Erase everything that is held on somebody.

        Raises:
            PersonUnknown: nobody of that name is enrolled.
        """
        with self._transaction(changes=True):
            for at in NameIndex(self._names()).known(name):
                self._database.execute("DELETE FROM person WHERE id = ?", (at,))
        self._database.sweep()

    def changed_elsewhere(self) -> bool:
        """Tell whether another program has changed the gallery since this was last asked."""
        return self._database.changed_elsewhere()

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _merge_into(self, at: int, person: Person) -> None:
        held = [each for _, each in self._read_templates("person = ?", at)]
        for template in map(self.turned, person.templates):
            if not any(map(template.is_again, held)):
                self._insert(at, template)
        self._agree(at, person.consent_utc)

    def _open_seal(self, key: bytes | None) -> None:
        """Break the seal for our own eyes, if there is one and the key fits."""
        row = self._database.execute("SELECT salt, proof FROM seal").fetchone()
        if row is None:
            return
        if not all(isinstance(each, bytes) for each in row):
            raise damaged(self._path, "its seal is none")
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

    def _read_people(self) -> list[Person]:
        """Read everybody, with templates as any network of their model would have made them."""
        templates: dict[int, list[Template]] = {}
        for at, template in self._read_templates("1"):
            embedding = self._entries.turn_back(template.embedding)
            templates.setdefault(at, []).append(replace(template, embedding=embedding))
        names = self._names()
        rows = self._database.execute("SELECT id, created_utc, consent_utc FROM person ORDER BY id")
        return [
            Person(
                names[at],
                str(created_utc),
                tuple(templates.get(at, ())),
                None if consent_utc is None else str(consent_utc),
            )
            for at, created_utc, consent_utc in rows.fetchall()
            if at in names
        ]

    def _read_templates(
        self, condition: str, *values: object, numbers: int | None = None
    ) -> list[tuple[int, Template]]:
        """Read templates and whose they are by number, oldest first; bad ones are set aside."""
        self.set_aside = []
        names = self._names()
        rows = self._database.execute(
            "SELECT id, person, model_sha256, embedding, beats, created_utc, source FROM template "
            f"WHERE {condition} ORDER BY id",
            values,
        )
        read = []
        for number, at, model, entry, beats, created_utc, source in rows.fetchall():
            if at not in names:
                continue
            try:
                embedding = self._entries.read_embedding(entry, at, str(model))
                if numbers not in (None, len(embedding)):
                    raise EntryAltered(f"it has {len(embedding)} numbers, the model {numbers}")
                if not (isinstance(beats, int) and 1 <= beats <= MOST_BEATS):
                    raise EntryAltered(f"its beats are not 1 to {MOST_BEATS}")
            except EntryAltered as error:
                self.set_aside.append(f"template {number}, of person {at}: {error}")
                continue
            texts = str(created_utc), str(model), str(source)
            read.append((at, Template(names[at], embedding, beats, *texts)))
        return read

    def _insert(self, at: int, template: Template) -> None:
        entry = self._entries.write_embedding(template.embedding, at, template.model_sha256)
        made = template.beats, template.created_utc, template.source
        self._database.execute(
            "INSERT INTO template (person, model_sha256, embedding, beats, created_utc, source) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (at, template.model_sha256, entry, *made),
        )

    def _insert_whole(self, person: Person) -> int:
        at = self._insert_person(person.name, person.created_utc)
        self._agree(at, person.consent_utc)
        for template in person.templates:
            self._insert(at, self.turned(template))
        return at

    def _insert_person(self, name: str, created_utc: str) -> int:
        at: int = self._database.value(  # SQLite finds a free number; a sealed name depends on it
            "INSERT INTO person (name, created_utc) VALUES ('', ?) RETURNING id", created_utc
        )
        self._write_name(at, name)
        return at

    def _write_name(self, at: int, name: str) -> None:
        entry = self._entries.write_name(name, at)
        self._database.execute("UPDATE person SET name = ? WHERE id = ?", (entry, at))

    def _agree(self, at: int, consent_utc: str | None) -> None:
        """Note when a person agreed, unless they had before; two in UTC compare as texts."""
        if consent_utc is not None:
            self._database.execute(
                "UPDATE person SET consent_utc = min(ifnull(consent_utc, ?1), ?1) WHERE id = ?2",
                (consent_utc, at),
            )

    def _names(self) -> dict[int, str]:
        """Return the names by the persons' numbers; a person whose name is bad is set aside."""
        names = {}
        rows = self._database.execute("SELECT id, name FROM person ORDER BY id").fetchall()
        for at, entry in rows:
            try:
                names[at] = self._entries.read_name(entry, at)
            except EntryAltered as error:
                if (said := f"person {at}: {error}") not in self.set_aside:
                    self.set_aside.append(said)
        return names

    @contextmanager
    def _transaction(self, *, changes: bool) -> Iterator[None]:
        """Read or change what belongs together, unless another program has sealed the file."""
        with self._database.transaction(changes=changes):
            self._check_same_seal()
            yield
