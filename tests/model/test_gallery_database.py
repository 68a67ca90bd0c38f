"""What may be wrong with the gallery's file, a clear sentence each, and what a kill leaves."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

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
from tests.model.galleries import MODEL, names, template, unprivileged


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
    "damage",
    [
        "person SET name = CAST(x'5a6163686172696173ff' AS TEXT)",  # Zacharias, and half a letter
        "template SET embedding = 'Zacharias'",
        "template SET embedding = x'0102'",
        "template SET embedding = zeroblob(12)",
        "template SET embedding = x'0000c07f0000c07f0000c07f'",  # not a number
    ],
)
def test_damage_that_sqlite_does_not_see_is_told_without_a_name(
    gallery: Gallery, path: Path, damage: str
) -> None:
    gallery.enrol(template("Zacharias"))
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(f"UPDATE {damage}")
    for read in (gallery.people, lambda: gallery.templates(MODEL)):
        with pytest.raises(GalleryUnreadable, match="damaged") as caught:
            read()
        assert "Zacharias" not in str(caught.value)


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
