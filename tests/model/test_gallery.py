from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import (
    ExportInvalid,
    GalleryBusy,
    GalleryMissing,
    GalleryNotPermitted,
    GalleryNotWritten,
    GalleryTooNew,
    GalleryUnreadable,
    NameInvalid,
    PersonExists,
    PersonUnknown,
)
from model.gallery import Gallery, check_name
from model.people_file import from_json, to_json
from model.template import Template
from tests.model.models import towards

MODEL, OTHER_MODEL = "a" * 64, "b" * 64
NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def template(person: str, *components: float, model: str = MODEL, at: str = NOW) -> Template:
    return Template(person, towards(*(components or (1.0, 2.0, 3.0))), 16, at, model, "simulated")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "gallery.sqlite"


@pytest.fixture
def gallery(path: Path) -> Iterator[Gallery]:
    with Gallery(path) as gallery:
        yield gallery


def names(gallery: Gallery) -> list[str]:
    return [person.name for person in gallery.people()]


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


@pytest.mark.parametrize("left", [0, 1, 100, 4095, -1])
def test_a_gallery_whose_end_is_missing_is_not_taken_for_a_new_one(path: Path, left: int) -> None:
    with Gallery(path) as gallery:
        gallery.enrol(template("Ada", *range(1, 65)))
    whole = path.read_bytes()
    path.write_bytes(whole[:left])
    with pytest.raises(GalleryUnreadable, match="move it away, then import an export of it"):
        Gallery(path)
    assert path.read_bytes() == whole[:left]


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
        check_name(name)
    except NameInvalid:
        return
    with tempfile.TemporaryDirectory() as folder, Gallery(Path(folder) / "g.sqlite") as gallery:
        gallery.enrol(template(name))
        assert names(gallery) == [name]


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


class TestExport:
    """Everything that is held on a person, and back."""

    def test_it_comes_back_bit_for_bit(self, gallery: Gallery, tmp_path: Path) -> None:
        rng = np.random.default_rng(1)
        for person in ("Ada", "Ada", "Bob"):
            gallery.enrol(template(person, *rng.normal(size=64)))
        exported = json.dumps(to_json(gallery.people()))
        with Gallery(tmp_path / "other.sqlite") as other:
            other.add(from_json(exported, "people.json"))
            assert to_json(other.people()) == json.loads(exported)
            for mine, theirs in zip(gallery.templates(MODEL), other.templates(MODEL), strict=True):
                assert mine.embedding.tobytes() == theirs.embedding.tobytes()

    def test_if_one_is_refused_nobody_is_added(self, gallery: Gallery, tmp_path: Path) -> None:
        gallery.enrol(template("Bob"))
        with Gallery(tmp_path / "other.sqlite") as other:
            other.enrol(template("Ada"))
            other.enrol(template("Bob"))
            with pytest.raises(PersonExists, match="'Bob'"):
                gallery.add(other.people())
        assert names(gallery) == ["Bob"]

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("", "people.json: not JSON"),
            ("[]", "people.json: not a JSON object"),
            ("{}", "people.json: format: is missing"),
            ('{"format": "qrsd people", "schema": 2}', "schema: 2, this version of qrsd reads 1"),
            ('{"format": "qrsd people", "schema": 1, "people": [3]}', "people: 3 in it is not an"),
            (
                '{"format": "qrsd people", "schema": 1, "people": [{"name": "Ada", "templates": '
                '[{"embedding": [1, 1]}]}]}',
                r"people\[0\].templates\[0\].embedding: is not a vector of length 1",
            ),
        ],
    )
    def test_what_is_no_export_is_refused(self, text: str, complaint: str) -> None:
        with pytest.raises(ExportInvalid, match=complaint):
            from_json(text, "people.json")


class TestWhatIsWrong:
    """One clear sentence each."""

    def test_no_file(self, path: Path) -> None:
        with pytest.raises(GalleryMissing, match="no such gallery"):
            Gallery(path, make=False)
        assert not path.parent.exists()

    def test_no_database(self, path: Path) -> None:
        path.parent.mkdir()
        path.write_text("Dear diary, " * 100)
        with pytest.raises(GalleryUnreadable, match=r"gallery\.sqlite: not a gallery, or damaged"):
            Gallery(path)
        assert path.read_text().startswith("Dear diary")

    def test_a_database_of_another_program(self, path: Path) -> None:
        path.parent.mkdir()
        database = sqlite3.connect(path)
        database.execute("CREATE TABLE bookmark (url)")
        database.close()
        with pytest.raises(GalleryUnreadable, match="a database of another program"):
            Gallery(path)

    def test_a_newer_schema(self, gallery: Gallery, path: Path) -> None:
        database = sqlite3.connect(path)
        database.execute("PRAGMA user_version = 3")
        database.close()
        with pytest.raises(GalleryTooNew, match="schema is 3, this version of qrsd reads 2"):
            Gallery(path)

    @pytest.mark.parametrize("seed", range(10))
    def test_damage_anywhere(self, path: Path, seed: int) -> None:
        with Gallery(path) as gallery:
            for at in range(40):
                gallery.enrol(template(f"Person {at}", *range(1, 65)))
        rng = random.Random(seed)
        content = bytearray(path.read_bytes())
        start = rng.randrange(len(content) - 5000)  # more than a page, or it may hit no entry
        content[start : start + 5000] = rng.randbytes(5000)
        path.write_bytes(content)
        with pytest.raises(GalleryUnreadable):
            Gallery(path)

    def test_a_file_cut_short(self, gallery: Gallery, path: Path) -> None:
        for at in range(40):
            gallery.enrol(template(f"Person {at}", *range(1, 65)))
        gallery.close()
        os.truncate(path, path.stat().st_size // 2)
        with pytest.raises(GalleryUnreadable):
            Gallery(path)

    def test_a_folder_that_may_not_be_written(self) -> None:
        with unprivileged() as folder:
            folder.chmod(0o555)
            for path in (folder / "gallery.sqlite", folder / "state" / "gallery.sqlite"):
                with pytest.raises(GalleryNotPermitted, match="run this as the service's user"):
                    Gallery(path)

    def test_a_folder_that_may_no_longer_be_written(self) -> None:
        with unprivileged() as folder, Gallery(folder / "gallery.sqlite") as gallery:
            gallery.enrol(template("Ada"))
            folder.chmod(0o555)
            with pytest.raises(GalleryNotPermitted):
                gallery.enrol(template("Bob"))
            assert names(gallery) == ["Ada"]

    def test_another_program_writes_for_too_long(self, gallery: Gallery, path: Path) -> None:
        database = sqlite3.connect(path, isolation_level=None)
        database.execute("BEGIN EXCLUSIVE")
        gallery._database.execute("PRAGMA busy_timeout = 10")
        with pytest.raises(GalleryBusy, match="another program is writing to it"):
            gallery.enrol(template("Ada"))
        database.close()

    def test_a_full_disk(self, gallery: Gallery) -> None:
        pages = gallery._database.execute("PRAGMA page_count").fetchone()[0]
        gallery._database.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(GalleryNotWritten, match="full; nothing was changed"):
            gallery.enrol(template("Ada", *range(1, 4096)))
        assert names(gallery) == []

    def test_a_folder_in_the_files_place(self, path: Path) -> None:
        path.mkdir(parents=True)
        with pytest.raises(GalleryNotWritten, match="Is a directory"):
            Gallery(path)


@contextmanager
def unprivileged() -> Iterator[Path]:
    """Give a folder of a user who is not root, and be that user, even if the tests run as root."""
    nobody = 65534
    root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as folder:
        if root:
            os.chown(folder, nobody, nobody)
            os.seteuid(nobody)
        try:
            yield Path(folder)
        finally:
            Path(folder).chmod(0o700)
            if root:
                os.seteuid(0)


ENROLLING = """
import sys
from pathlib import Path
import numpy as np
from model.gallery import Gallery
from model.template import Template

gallery = Gallery(Path(sys.argv[1]))
embedding = np.full(64, 0.125, dtype=np.float32)
for at in range(int(sys.argv[2]), 10**6):
    gallery.enrol(Template(f"Person {at}", embedding, 20, "", "a" * 64, ""))
    print("enrolled", at, flush=True)
    if at % 3 == 0:
        gallery.forget(f"Person {at}")
        print("forgot", at, flush=True)
"""


def test_what_was_acknowledged_survives_kill_9_at_any_moment(path: Path) -> None:
    rng = random.Random(1)
    present: set[int] = set()
    start = 0
    for _ in range(20):
        acknowledged, last = run_until_killed(path, start, rng.randrange(25), rng.random() * 0.004)
        for done, at in acknowledged:
            (present.add if done == "enrolled" else present.discard)(at)
        with Gallery(path) as gallery:
            found = {int(name.split()[1]) for name in names(gallery)}
            assert len(gallery.templates(MODEL)) == len(found)
        under_way = found ^ present  # begun, and killed before or after it was done
        assert under_way <= {last, last + 1}
        present = found
        start = last + 2
    assert len(present) > 20


def run_until_killed(
    path: Path, start: int, lines: int, then_s: float
) -> tuple[list[tuple[str, int]], int]:
    """Kill the process some time after so many acknowledgements; return these, and the last."""
    process = subprocess.Popen(
        [sys.executable, "-c", ENROLLING, str(path), str(start)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    read = [process.stdout.readline() for _ in range(lines)]
    try:
        process.wait(then_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL
    whole = [line for line in ("".join(read) + rest).splitlines(keepends=True) if "\n" in line]
    acknowledged = [(line.split()[0], int(line.split()[1])) for line in whole]
    return acknowledged, acknowledged[-1][1] if acknowledged else start
