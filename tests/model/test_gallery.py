"""People are enrolled, renamed and forgotten, and what was said is on the disk."""

from __future__ import annotations

import sqlite3
import stat
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import NameInvalid, PersonExists, PersonUnknown
from model.gallery import Gallery
from model.names import check_name
from model.template import Template
from tests.model.galleries import LATER, MODEL, NOW, OTHER_MODEL, names, template
from tests.model.models import towards


def test_a_new_gallery_is_empty_and_for_its_owner_only(gallery: Gallery, path: Path) -> None:
    assert gallery.people() == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_gallery_that_others_could_read_is_closed_to_them(path: Path) -> None:
    Gallery(path).close()
    path.chmod(0o644)
    Gallery(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_whoever_was_enrolled_is_there_after_a_restart(path: Path) -> None:
    with Gallery(path) as gallery:
        gallery.enrol(template("Ada", 0.1, 0.7, -0.3))
    with Gallery(path) as gallery:
        [person] = gallery.people()
    [kept] = person.templates
    assert (person.name, person.created_utc) == ("Ada", NOW)
    assert (kept.person, kept.beats, kept.source) == ("Ada", 16, "simulated")
    np.testing.assert_array_equal(kept.embedding, towards(0.1, 0.7, -0.3))
    assert kept.embedding.dtype == np.float32


def test_embeddings_lie_in_the_file_as_little_endian_float32(gallery: Gallery, path: Path) -> None:
    gallery.enrol(template("Ada", 3, 4))
    expected = bytes.fromhex("9a99193f cdcc4c3f")  # 0.6 and 0.8
    with sqlite3.connect(path) as database:
        [(embedding,)] = database.execute("SELECT embedding FROM template")
    database.close()
    assert embedding == expected


def test_who_makes_it_first_is_not_written_over(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Gallery(path) as gallery:
        gallery.enrol(template("Ada"))
    monkeypatch.setattr(Path, "exists", lambda _: False)  # when the other had looked
    with Gallery(path) as gallery:
        assert names(gallery) == ["Ada"]
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_person_can_have_several_templates(gallery: Gallery) -> None:
    gallery.enrol(template("Ada"))
    gallery.enrol(template("Ada", at=LATER))
    [person] = gallery.people()
    assert [kept.created_utc for kept in person.templates] == [NOW, LATER]
    assert person.created_utc == NOW


def grown(at: str, model: str = MODEL) -> Template:
    return replace(template("Ada", model=model, at=at), source="grown")


def test_of_grown_templates_the_oldest_go_and_of_enrolled_ones_none(gallery: Gallery) -> None:
    gallery.enrol(template("Ada", at="1"), template("Bob", at="1"))
    for at in ("2", "3", "4", "5"):
        gallery.grow(grown(at), most=2)
    gallery.enrol(template("Ada", at="6"))
    gallery.grow(grown("7"), most=2)
    gallery.grow(grown("8", OTHER_MODEL), most=2)  # each model has its own
    ada, bob = gallery.people()
    assert [kept.created_utc for kept in ada.templates] == ["1", "5", "6", "7", "8"]
    assert ada.grown == 3
    assert bob.grown == 0


def test_a_grown_template_enrols_nobody(gallery: Gallery) -> None:
    with pytest.raises(PersonUnknown):
        gallery.grow(grown(NOW), most=2)
    assert gallery.people() == []


def test_templates_of_another_model_are_left_out_and_said(gallery: Gallery) -> None:
    gallery.enrol(template("Ada"))
    gallery.enrol(template("Ada", model=OTHER_MODEL))
    gallery.enrol(template("Bob", model=OTHER_MODEL))
    assert [kept.person for kept in gallery.templates(MODEL)] == ["Ada"]
    assert gallery.unknown_to(MODEL) == ["Bob"]


def test_it_notices_what_another_program_changed(gallery: Gallery, path: Path) -> None:
    gallery.enrol(template("Ada"))
    assert not gallery.changed_elsewhere()
    with Gallery(path) as other:
        other.enrol(template("Bob"))
    assert gallery.changed_elsewhere()
    assert not gallery.changed_elsewhere()


def test_people_are_renamed(gallery: Gallery) -> None:
    gallery.enrol(template("Ada"))
    gallery.rename("Ada", "Ada Lovelace")
    assert [kept.person for kept in gallery.templates(MODEL)] == ["Ada Lovelace"]


def test_nobody_takes_the_name_of_another(gallery: Gallery) -> None:
    gallery.enrol(template("Ada"))
    gallery.enrol(template("Bob"))
    with pytest.raises(PersonExists, match="somebody called 'Bob' is enrolled already"):
        gallery.rename("Ada", "Bob")
    assert names(gallery) == ["Ada", "Bob"]


@pytest.mark.parametrize("change", [lambda g: g.rename("Eve", "Ann"), lambda g: g.forget("Eve")])
def test_nobody_of_that_name_is_an_error(gallery: Gallery, change: object) -> None:
    assert callable(change)
    with pytest.raises(PersonUnknown, match="nobody called 'Eve' is enrolled"):
        change(gallery)


@pytest.mark.parametrize("name", ["", " Ada", "Ada ", "A\nda", "\x00", "x" * 65])
def test_what_is_no_name_is_refused(gallery: Gallery, name: str) -> None:
    with pytest.raises(NameInvalid, match="is not a name: 1 to 64 printable characters"):
        gallery.enrol(template(name))
    assert names(gallery) == []


def test_half_a_character_is_nobody_s_name(gallery: Gallery) -> None:
    with pytest.raises(PersonUnknown):
        gallery.forget("\ud800")
    with pytest.raises(PersonUnknown):
        gallery.rename("\ud800", "Bob")


@given(st.text(max_size=70))
def test_every_name_that_passes_comes_back_as_it_was(name: str) -> None:
    try:
        kept = check_name(name)
    except NameInvalid:
        return
    with tempfile.TemporaryDirectory() as folder, Gallery(Path(folder) / "g.sqlite") as gallery:
        gallery.enrol(template(name))
        assert names(gallery) == [kept]


class TestForgetting:
    """What is forgotten is found in no byte of the state folder."""

    @staticmethod
    def traces(folder: Path, *searched: bytes) -> list[str]:
        return [
            file.name
            for file in folder.iterdir()
            if any(needle in file.read_bytes() for needle in searched)
        ]

    def test_nothing_is_left_of_one_among_many(self, gallery: Gallery, path: Path) -> None:
        rng = np.random.default_rng(1)
        for at in range(200):  # many pages, that split and merge
            gallery.enrol(template(f"Person {at % 50}", *rng.normal(size=64)))
        needle = template("Zacharias", *rng.normal(size=64))
        gallery.enrol(needle)
        gallery.enrol(template("Zacharias", *rng.normal(size=64)))
        assert self.traces(path.parent, b"Zacharias", needle.embedding.tobytes()[:16])
        gallery.forget("Zacharias")
        assert not self.traces(path.parent, b"Zacharias", needle.embedding.tobytes()[:16])
        assert len(names(gallery)) == 50

    def test_a_name_that_was_changed_is_forgotten_too(self, gallery: Gallery, path: Path) -> None:
        gallery.enrol(template("Zacharias"))
        gallery.rename("Zacharias", "Z")
        assert not self.traces(path.parent, b"Zacharias")

    def test_the_templates_go_with_the_person(self, gallery: Gallery) -> None:
        gallery.enrol(template("Ada"))
        gallery.forget("Ada")
        assert gallery.templates(MODEL) == []
