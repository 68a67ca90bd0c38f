"""What the service's user puts in a file's way leads root to nothing that is root's."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from config.errors import KeyNotPrivate, KeyNotWritten
from config.secret_file import locked, write_private
from daemon.recordings.bdf_repair import repair_folder
from daemon.recordings.durable_file import begin_file, replace_file
from daemon.recordings.errors import RecordingNotWritten
from daemon.wire.keys import read_clients
from model.errors import CalibrationUnusable, GalleryError, GalleryUnreadable, OwnerUnknown
from model.folder_owner import as_owner_of_folder
from model.gallery import Gallery
from model.local_calibration import LocalCalibration, calibration_path, read, write
from tests.model.galleries import names, template

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give its files away")
SERVICE = 65534


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """The state folder of a service that is not root's, which others may come to."""
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    os.chown(folder, SERVICE, SERVICE)
    yield folder
    assert (os.geteuid(), os.getegid()) == (0, 0)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file that is root's alone."""
    path = tmp_path / "shadow"
    path.write_text("root:secret\n")
    path.chmod(0o640)
    return path


def untouched(path: Path) -> bool:
    status = path.stat()
    return (status.st_uid, status.st_mode & 0o777, path.read_text()) == (0, 0o640, "root:secret\n")


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_link_in_the_gallerys_place_gives_nothing_away(
    state: Path, secret: Path, link: object
) -> None:
    assert callable(link)
    link(secret, state / "gallery.sqlite")
    with pytest.raises(GalleryError):
        Gallery(state / "gallery.sqlite")
    assert untouched(secret)


def test_a_link_in_a_folders_place_leads_root_no_farther_than_its_owner(
    state: Path, tmp_path: Path
) -> None:
    (tmp_path / "roots").mkdir(mode=0o700)
    (state / "keys").symlink_to(tmp_path / "roots")
    os.chown(state / "keys", SERVICE, SERVICE, follow_symlinks=False)
    with pytest.raises(KeyNotWritten, match="Permission denied"):
        write_private(state / "keys" / "clients", "laptop listen 00\n")
    assert list((tmp_path / "roots").iterdir()) == []


def test_a_link_of_roots_to_a_link_of_its_owners_is_no_way_around(
    state: Path, tmp_path: Path
) -> None:
    (tmp_path / "roots").mkdir(mode=0o700)
    (state / "keys").symlink_to(tmp_path / "roots")
    (tmp_path / "moved").symlink_to("state/keys")
    with pytest.raises(KeyNotWritten, match="Permission denied"):
        write_private(tmp_path / "moved" / "clients", "laptop listen 00\n")
    assert list((tmp_path / "roots").iterdir()) == []


def test_links_in_a_circle_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(KeyNotWritten):
        write_private(tmp_path / "circle" / "clients", "")


def test_what_root_makes_there_is_the_owners(state: Path) -> None:
    with Gallery(state / "people" / "gallery.sqlite") as gallery:
        gallery.enrol(template("Ada"), template("Bob"))
        gallery.forget("Bob")
        assert names(gallery) == ["Ada"]
    write_private(state / "keys" / "clients", "")
    made = list(state.rglob("*"))
    assert len(made) == 4
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {(SERVICE, SERVICE)}


def test_in_its_own_folders_root_stays_root(tmp_path: Path) -> None:
    with as_owner_of_folder(tmp_path / "a" / "b"):
        assert os.geteuid() == 0


def test_a_folder_that_cannot_be_looked_at_is_no_reason_to_be_root(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> os.stat_result:  # as FUSE does, by which a user hides it from root
        if Path(path) == state:
            raise PermissionError(13, "Permission denied")
        return os.stat(path, follow_symlinks=False)

    monkeypatch.setattr(os, "lstat", refuse)
    monkeypatch.setattr(Path, "lstat", refuse)
    with pytest.raises(OwnerUnknown), as_owner_of_folder(state / "keys" / "clients"):
        pytest.fail("root went on as itself")


def test_a_link_in_the_recordings_place_leads_root_no_farther_than_its_owner(
    state: Path, tmp_path: Path
) -> None:
    roots = tmp_path / "roots"
    roots.mkdir(mode=0o700)
    (roots / "empty.bdf").touch()
    (state / "recordings").symlink_to(roots)
    [said] = repair_folder(state / "recordings")
    assert said.startswith("left as it is")
    for make in (begin_file, replace_file):
        with pytest.raises(RecordingNotWritten, match="Permission denied"):
            make(state / "recordings" / "new.bdf", b"")
    assert [path.name for path in roots.iterdir()] == ["empty.bdf"]


@pytest.mark.parametrize("beside", ["-journal", "-wal", "-shm"])
def test_a_pipe_beside_the_gallery_holds_nobody_up(state: Path, beside: str) -> None:
    Gallery(state / "gallery.sqlite").close()
    os.mkfifo(state / f"gallery.sqlite{beside}")
    with pytest.raises(GalleryUnreadable, match="regular file; remove it"):
        Gallery(state / "gallery.sqlite")


def test_a_pipe_or_device_in_another_files_place_holds_nobody_up(state: Path) -> None:
    gallery = state / "gallery.sqlite"
    for make in (os.mkfifo, lambda path: path.symlink_to("/dev/zero")):
        for path in (calibration_path(gallery), state / "clients"):
            path.unlink(missing_ok=True)
            make(path)
        with pytest.raises(CalibrationUnusable):
            read(gallery)
        with pytest.raises(KeyNotPrivate):
            read_clients(state)
    os.mkfifo(state / "gallery.calibration.json.new")
    write(LocalCalibration("a" * 64, 0.01, 5, "2026-01-01T00:00:00Z"), gallery)
    assert read(gallery) == LocalCalibration("a" * 64, 0.01, 5, "2026-01-01T00:00:00Z")


def test_a_folder_that_somebody_keeps_locked_is_not_waited_for(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.secret_file.LOCKED_S", 0.2)
    descriptor = os.open(state, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with pytest.raises(KeyNotWritten, match="has it locked"), locked(state, ""):
            pytest.fail("it is locked")
    finally:
        os.close(descriptor)


def test_a_file_that_is_no_gallery_keeps_its_mode(tmp_path: Path) -> None:
    (path := tmp_path / "hosts").write_text("127.0.0.1 localhost\n" * 10)
    path.chmod(0o644)
    with pytest.raises(GalleryUnreadable):
        Gallery(path)
    assert path.stat().st_mode & 0o777 == 0o644


def test_another_programs_database_keeps_its_journal(tmp_path: Path) -> None:
    with closing(sqlite3.connect(path := tmp_path / "other.sqlite")) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("CREATE TABLE mine (x)")
    with pytest.raises(GalleryUnreadable, match="another program"):
        Gallery(path)
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
