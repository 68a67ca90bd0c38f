"""What the service's user puts in a file's way leads root to nothing that is root's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.errors import KeyNotWritten
from config.secret_file import write_private
from model.errors import GalleryError
from model.folder_owner import as_owner_of_folder
from model.gallery import Gallery
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
