"""A sealed gallery tells nothing without its key, and old copies of it fit nothing once renewed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from daemon.commands.exit_codes import exit_code
from model.errors import GallerySealed, GalleryUnreadable
from model.gallery import Gallery
from model.gallery_file import SCHEMA
from model.people_file import to_json
from model.rotation import Rotation
from model.template import Person, Template
from tests.model.models import towards

KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
MODEL, NOW, LATER = "a" * 64, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
ADA, BOB = (towards(*np.random.default_rng(seed).normal(size=96)) for seed in (1, 2))


def template(person: str, embedding: NDArray[np.float32]) -> Template:
    return Template(person, embedding, 16, NOW, MODEL, "simulated")


def traces(folder: Path, *needles: bytes) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [path.name for path in files if any(each in path.read_bytes() for each in needles)]


@pytest.fixture
def sealed(path: Path) -> Iterator[Gallery]:
    """A gallery that was sealed from birth, with Zacharias and Bob in it."""
    with Gallery(path, key=KEY) as gallery:
        for name, embedding in (("Zacharias", ADA), ("Bob", BOB)):
            turned = Rotation(gallery.rotation_seed or b"", len(embedding)).turn(embedding)
            gallery.enrol(template(name, turned), consent_utc=NOW)
        yield gallery


def unsealed(path: Path) -> None:
    with Gallery(path) as gallery:
        gallery.enrol(template("Zacharias", ADA), template("Bob", BOB))


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


def test_neither_names_nor_embeddings_lie_in_the_file(sealed: Gallery, path: Path) -> None:
    turned = sealed.templates(MODEL)[1].embedding
    assert not traces(path.parent, b"Zacharias", b"Bob", ADA.tobytes()[:12], turned.tobytes()[:12])


def test_with_the_key_everything_is_there_again(sealed: Gallery, path: Path) -> None:
    with Gallery(path, key=KEY) as gallery:
        bob, zacharias = gallery.people()
    assert (bob.name, zacharias.name, bob.consent_utc) == ("Bob", "Zacharias", NOW)
    np.testing.assert_allclose(zacharias.templates[0].embedding, ADA, atol=1e-6)
    np.testing.assert_allclose(bob.templates[0].embedding, BOB, atol=1e-6)


@pytest.mark.parametrize(("key", "words"), [(None, "sealed, and its key"), (OTHER_KEY, "another")])
def test_without_its_key_it_stays_shut(
    sealed: Gallery, path: Path, key: bytes | None, words: str
) -> None:
    with pytest.raises(GallerySealed, match=words) as caught:
        Gallery(path, key=key)
    assert exit_code(caught.value) == 77


def test_people_are_renamed_and_forgotten_as_ever(sealed: Gallery, path: Path) -> None:
    [(name, *_), _] = rows(path, "SELECT name FROM person ORDER BY id")
    [(embedding,), _] = rows(path, "SELECT embedding FROM template ORDER BY person")
    assert isinstance(name, bytes)
    assert isinstance(embedding, bytes)
    sealed.rename("Zacharias", "Z")
    assert not traces(path.parent, name)
    sealed.forget("Z")
    assert [person.name for person in sealed.people()] == ["Bob"]
    assert not traces(path.parent, embedding[:16], embedding[-16:])


def test_a_gallery_is_sealed_later_and_no_trace_is_left(path: Path) -> None:
    unsealed(path)
    with Gallery(path, key=KEY) as gallery:
        assert not gallery.sealed  # only who seals it knows that nobody else has it open
        before = to_json(gallery.people())
        gallery.seal(KEY)
        assert gallery.sealed
        assert not traces(path.parent, b"Zacharias", ADA.tobytes()[:12])
        after = to_json(gallery.people())
    assert [person["name"] for person in after["people"]] == ["Bob", "Zacharias"]
    for one, other in zip(before["people"], after["people"], strict=True):
        of_one, of_other = (each.pop("templates")[0]["embedding"] for each in (one, other))
        np.testing.assert_allclose(of_one, of_other, atol=1e-6)
        assert one == other


def test_a_program_that_has_it_open_is_refused_from_then_on(path: Path) -> None:
    unsealed(path)
    with Gallery(path) as running:
        with Gallery(path) as other:
            other.seal(KEY)
        for use in (running.people, lambda: running.enrol(template("Eve", ADA))):
            with pytest.raises(GallerySealed, match="sealed anew meanwhile; restart"):
                use()
    with Gallery(path, key=KEY) as gallery:
        assert len(gallery.people()) == 2


def test_what_was_stolen_before_a_renewal_fits_nothing(sealed: Gallery) -> None:
    stolen = sealed.templates(MODEL)
    seed = sealed.rotation_seed
    sealed.seal(KEY)
    assert sealed.rotation_seed != seed
    for old, new in zip(stolen, sealed.templates(MODEL), strict=True):
        assert old.person == new.person
        assert abs(old.embedding @ new.embedding) < 0.5  # in 96 dimensions: 5 deviations
    np.testing.assert_allclose(sealed.people()[0].templates[0].embedding, BOB, atol=1e-6)


@pytest.mark.parametrize("seal", ["'salt', x'00'", "5, x'00'", "x'00', 'proof'", "x'00', 7"])
def test_a_seal_that_is_none_is_damage(sealed: Gallery, path: Path, seal: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.executescript(f"DELETE FROM seal; INSERT INTO seal VALUES ({seal})")
    with pytest.raises(GalleryUnreadable, match="damaged"):
        Gallery(path, key=KEY)


def test_entries_that_were_exchanged_are_noticed(sealed: Gallery, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("UPDATE template SET person = 3 - person")
    assert sealed.templates(MODEL) == []
    assert len(sealed.set_aside) == 2


def test_an_altered_entry_is_noticed(sealed: Gallery, path: Path) -> None:
    [(entry,), _] = rows(path, "SELECT embedding FROM template ORDER BY id")
    assert isinstance(entry, bytes)
    altered = entry[:-1] + bytes([entry[-1] ^ 1])
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("UPDATE template SET embedding = ? WHERE id = 1", (altered,))
    assert [len(person.templates) for person in sealed.people()] == [1, 0]
    assert sealed.set_aside == ["template 1, of person 1: a sealed entry of it was altered"]


def test_what_is_exported_fits_a_gallery_with_another_key(sealed: Gallery, tmp_path: Path) -> None:
    with Gallery(tmp_path / "other.sqlite", key=OTHER_KEY) as other:
        other.add(sealed.people())
        for mine, theirs in zip(sealed.people(), other.people(), strict=True):
            one, another = mine.templates[0].embedding, theirs.templates[0].embedding
            np.testing.assert_allclose(one, another, atol=1e-6)
            assert replace(mine, templates=()) == replace(theirs, templates=())
        turned = [gallery.templates(MODEL)[0].embedding for gallery in (sealed, other)]
    assert abs(turned[0] @ turned[1]) < 0.5


def test_a_gallery_of_qrsd_0_1_is_read_and_brought_up_to_date(path: Path) -> None:
    unsealed(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("ALTER TABLE person DROP COLUMN consent_utc")
        database.execute("DROP TABLE seal")
        database.execute("PRAGMA user_version = 1")
    with Gallery(path) as gallery:
        bob, _ = gallery.people()
    assert (bob.name, bob.consent_utc) == ("Bob", None)
    assert rows(path, "PRAGMA user_version") == [(SCHEMA,)]


def test_the_time_of_consent_is_kept_and_a_later_silence_does_not_end_it(path: Path) -> None:
    with Gallery(path) as gallery:
        gallery.enrol(template("Ada", ADA), consent_utc=NOW)
        gallery.enrol(template("Ada", ADA))
        gallery.enrol(template("Bob", BOB))
        assert [person.consent_utc for person in gallery.people()] == [NOW, None]


def test_consent_is_of_the_first_time_whoever_merges_last(path: Path) -> None:
    with Gallery(path) as gallery:
        gallery.enrol(template("Ada", ADA), consent_utc=LATER)
        for said in (NOW, LATER, None):
            gallery.merge([Person("Ada", LATER, (template("Ada", BOB),), said)])
            gallery.enrol(template("Ada", ADA), consent_utc=said)
            assert [person.consent_utc for person in gallery.people()] == [NOW]
