"""What may be wrong with the gallery's file, a clear sentence each, and what a kill leaves."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from time import process_time

import numpy as np
import pytest

from model.errors import (
    GalleryBusy,
    GalleryMissing,
    GalleryNotPermitted,
    GalleryNotSwept,
    GalleryNotWritten,
    GalleryTooNew,
    GalleryUnreadable,
)
from model.gallery import Gallery
from model.people_file import to_json
from model.template import Person
from tests.model.galleries import MODEL, NOW, names, template, unprivileged


def test_no_file(path: Path) -> None:
    with pytest.raises(GalleryMissing, match="no such gallery"):
        Gallery(path, make=False)
    assert not path.parent.exists()


def test_no_database(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("Dear diary, " * 100)
    with pytest.raises(GalleryUnreadable, match=r"gallery\.sqlite: not a gallery, or damaged"):
        Gallery(path)
    assert path.read_text().startswith("Dear diary")


@pytest.mark.parametrize("left", [0, 1, 100, 4095, -1])
def test_a_gallery_whose_end_is_missing_is_not_taken_for_a_new_one(path: Path, left: int) -> None:
    with Gallery(path) as gallery:
        gallery.enrol(template("Ada", *range(1, 65)))
    whole = path.read_bytes()
    path.write_bytes(whole[:left])
    with pytest.raises(GalleryUnreadable, match="move it away, then import an export of it"):
        Gallery(path)
    assert path.read_bytes() == whole[:left]


def test_a_database_of_another_program(path: Path) -> None:
    path.parent.mkdir()
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE bookmark (url)")
    database.close()
    with pytest.raises(GalleryUnreadable, match="a database of another program"):
        Gallery(path)


def test_a_newer_schema(gallery: Gallery, path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 3")
    database.close()
    with pytest.raises(GalleryTooNew, match="schema is 3, this version of qrsd reads 2"):
        Gallery(path)


@pytest.mark.parametrize("seed", range(10))
def test_damage_anywhere(path: Path, seed: int) -> None:
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


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("template SET embedding = 'Zacharias'", "its embedding is none"),
        ("template SET embedding = x'0102'", "its embedding has 2 bytes"),
        ("template SET embedding = zeroblob(12)", "not of length 1"),
        ("template SET embedding = x'0000c07f0000c07f0000c07f'", "not of length 1"),
        ("template SET embedding = x'0000803f00000000'", "it has 2 numbers, the model 3"),
        ("template SET embedding = zeroblob(4000000)", "its embedding has 4000000 bytes"),
        ("template SET beats = 'many'", "its beats are not 1 to 1000"),
        ("template SET beats = 9000000000000000000", "its beats are not 1 to 1000"),
        ("person SET name = x'00'", "person 1: a sealed entry of it was altered"),
        ("person SET name = 7.5 WHERE id = 1", None),  # a number is a name to SQLite: '7.5'
        ("person SET created_utc = x'00ff', consent_utc = x'00ff'", None),
        ("person SET name = CAST(x'5a6163686172696173ff' AS TEXT) WHERE id = 1", None),
    ],
)
def test_one_bad_record_is_set_aside_and_named_by_its_number(
    gallery: Gallery, path: Path, damage: str, reason: str | None
) -> None:
    gallery.enrol(template("Zacharias"))
    if " WHERE " not in damage and reason is not None:
        damage += " WHERE " + ("id = 1" if damage.startswith("person") else "person = 1")
    gallery.enrol(template("Bob"))
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(f"UPDATE {damage}")
    with Gallery(path) as again:
        known = [kept.person for kept in again.templates(MODEL, 3)]
        assert "Bob" in known
        assert len(known) == (2 if reason is None else 1)
        said = "; ".join(again.set_aside)
        assert (reason or "") in said
        assert bool(said) == (reason is not None)
        assert "Zacharias" not in said
        again.enrol(template("Cy"))
        json.dumps(to_json(again.people()))
        again.seal(bytes(32))
        assert len(again.templates(MODEL)) == 3 - (reason is not None and "numbers" not in reason)


def test_what_is_read_is_of_one_moment_while_another_seals(gallery: Gallery, path: Path) -> None:
    """The other's commit between two of our statements must wait for us, or refuse us plainly."""
    gallery.enrol(template("Ada"), template("Bob"))
    with Gallery(path) as other:
        other._database.execute("PRAGMA busy_timeout = 10")
        names_of = gallery._names
        sealing: list[str] = []

        def seal_meanwhile() -> dict[int, str]:
            try:
                other.seal(bytes(32))
            except GalleryBusy:
                sealing.append("busy")
            return names_of()

        gallery._names = seal_meanwhile  # type: ignore[method-assign]
        assert names(gallery) == ["Ada", "Bob"]
        assert "busy" in sealing


def test_a_backup_that_is_put_in_its_place_is_noticed_and_read(
    gallery: Gallery, path: Path
) -> None:
    gallery.enrol(template("Ada"))
    backup = path.with_name("backup")
    shutil.copy(path, backup)
    gallery.enrol(template("Bob"))
    assert not gallery.changed_elsewhere()
    backup.replace(path)
    assert gallery.changed_elsewhere()
    assert not gallery.changed_elsewhere()
    assert names(gallery) == ["Ada"]
    gallery.enrol(template("Cy"))
    with Gallery(path) as other:
        assert names(other) == ["Ada", "Cy"]


def test_a_gallery_that_vanishes_is_missed_and_nobody_is_enrolled_into_nothing(
    gallery: Gallery, path: Path
) -> None:
    moved = path.rename(path.with_name("moved"))
    for use in (gallery.changed_elsewhere, gallery.people, lambda: gallery.enrol(template("Ada"))):
        with pytest.raises(GalleryMissing):
            use()
    moved.rename(path)
    gallery.enrol(template("Ada"))
    path.write_text("Dear diary, " * 100)
    path.rename(moved)
    shutil.copy(moved, path)
    for _ in range(2):
        with pytest.raises(GalleryUnreadable):
            gallery.people()


def test_ten_thousand_people_are_there_within_two_seconds(path: Path) -> None:
    rng = np.random.default_rng(1)
    people = [
        Person(f"Person {at}", NOW, (template(f"Person {at}", *rng.normal(size=48)),))
        for at in range(10_000)
    ]
    with Gallery(path, key=bytes(32)) as gallery:
        gallery.add(people)
    begin_s = process_time()
    with Gallery(path, key=bytes(32)) as gallery:
        assert len(gallery.templates(MODEL, 48)) == 10_000
        assert gallery.unknown_to(MODEL) == []
    assert process_time() - begin_s < 2.0


@pytest.mark.parametrize(
    ("addition", "named"),
    [
        ("TRIGGER t AFTER INSERT ON person BEGIN DELETE FROM template; END", "trigger 't'"),
        ("TRIGGER t AFTER DELETE ON person BEGIN DELETE FROM seal; END", "trigger 't'"),
        ("VIEW people AS SELECT name FROM person", "view 'people'"),
        ("TABLE copy (name)", "table 'copy'"),
        ("INDEX i ON person (abs(name))", "index 'i'"),
        ('TABLE "\x1b]0;\n\n" (name)', "table '"),
    ],
)
def test_what_another_program_added_is_refused_at_once_and_never_runs(
    gallery: Gallery, path: Path, addition: str, named: str
) -> None:
    gallery.enrol(template("Ada"))
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(f"CREATE {addition}")
        for use in (
            lambda: gallery.enrol(template("Bob")),
            lambda: gallery.forget("Ada"),
            lambda: Gallery(path),
        ):
            with pytest.raises(GalleryUnreadable, match=f"it holds a foreign {named}"):
                use()
        assert database.execute("SELECT name FROM person").fetchall() == [("Ada",)]
        assert database.execute("SELECT count(*) FROM template").fetchone() == (1,)


def test_a_view_in_a_tables_place_is_no_gallery(gallery: Gallery, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("ALTER TABLE template RENAME TO person2")
        database.execute("CREATE VIEW template AS SELECT * FROM person2")
    with pytest.raises(GalleryUnreadable, match="it holds a foreign"):
        Gallery(path)


@pytest.mark.parametrize("key", [None, bytes(32)])
def test_the_highest_number_is_no_end_of_enrolling(path: Path, key: bytes | None) -> None:
    with Gallery(path, key=key) as gallery:
        if key is None:
            gallery.enrol(template("Ada"))
            with closing(sqlite3.connect(path, isolation_level=None)) as database:
                database.execute("UPDATE person SET id = 9223372036854775807")
                database.execute("UPDATE template SET person = 9223372036854775807")
        else:
            with closing(sqlite3.connect(path, isolation_level=None)) as database:
                database.execute("INSERT INTO person VALUES (9223372036854775807, x'00', '', '')")
        gallery.enrol(template("Bob"))
        assert "Bob" in names(gallery)
        assert "Bob" in [each.person for each in gallery.templates(MODEL, 3)]


def test_a_file_cut_short(gallery: Gallery, path: Path) -> None:
    for at in range(40):
        gallery.enrol(template(f"Person {at}", *range(1, 65)))
    gallery.close()
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(GalleryUnreadable):
        Gallery(path)


def test_a_folder_that_may_not_be_written() -> None:
    with unprivileged() as folder:
        folder.chmod(0o555)
        for path in (folder / "gallery.sqlite", folder / "state" / "gallery.sqlite"):
            with pytest.raises(GalleryNotPermitted, match="run this as the service's user"):
                Gallery(path)


def test_a_folder_that_may_no_longer_be_written() -> None:
    with unprivileged() as folder, Gallery(folder / "gallery.sqlite") as gallery:
        gallery.enrol(template("Ada"))
        folder.chmod(0o555)
        with pytest.raises(GalleryNotPermitted):
            gallery.enrol(template("Bob"))
        assert names(gallery) == ["Ada"]


def test_another_program_writes_for_too_long(gallery: Gallery, path: Path) -> None:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    gallery._database.execute("PRAGMA busy_timeout = 10")
    with pytest.raises(GalleryBusy, match="another program is writing to it"):
        gallery.enrol(template("Ada"))
    database.close()


def test_a_full_disk(gallery: Gallery) -> None:
    pages = gallery._database.execute("PRAGMA page_count").fetchone()[0]
    gallery._database.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(GalleryNotWritten, match="full; nothing was changed"):
        gallery.enrol(template("Ada", *range(1, 4096)))
    assert names(gallery) == []


def test_a_file_that_cannot_be_swept_is_changed_all_the_same(gallery: Gallery) -> None:
    """VACUUM attaches its copy, which the authoriser can forbid and the deletion before it not."""
    gallery.enrol(template("Ada"), template("Bob"))
    gallery._database._connection.set_authorizer(
        lambda action, *_: (
            sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_ATTACH else sqlite3.SQLITE_OK
        )
    )
    with pytest.raises(GalleryNotSwept, match=r"it is done, but .* may keep traces"):
        gallery.forget("Ada")
    assert names(gallery) == ["Bob"]


def test_a_folder_in_the_files_place(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(GalleryUnreadable, match="which is a regular file"):
        Gallery(path)


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


@pytest.mark.parametrize(
    "make", [os.mkfifo, lambda path: os.mknod(path, 0o60600, os.makedev(1, 0))]
)
def test_a_pipe_or_device_is_neither_opened_nor_changed(path: Path, make: object) -> None:
    path.parent.mkdir()
    assert callable(make)
    try:
        make(path)
    except PermissionError:
        pytest.skip("this user may not make devices")
    mode = path.stat().st_mode
    with pytest.raises(GalleryUnreadable, match="not a gallery, which is a regular file"):
        Gallery(path)
    assert path.stat().st_mode == mode
