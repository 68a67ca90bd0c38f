"""``qrsd people seal``, and what the other commands make of it."""

from __future__ import annotations

import errno
import json
import sqlite3
import stat
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from config.gallery_key import find_gallery_key, gallery_key_path
from daemon.errors import ResultsNotWritable
from model.errors import GalleryError, GallerySealed
from model.gallery import Gallery
from tests.daemon.commands.command import qrsd
from tests.model.models import AXES


def refuse_to_replace(_draft: Path, _place: Path) -> NoReturn:
    raise PermissionError(errno.EACCES, "Permission denied")


def test_whether_it_is_sealed_is_said(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    qrsd("people", "list")
    assert "Not sealed: whoever has the file can read it." in capsys.readouterr().err
    qrsd("people", "seal")
    capsys.readouterr()
    qrsd("people", "list")
    said = capsys.readouterr()
    assert "Ada" in said.out
    assert "sealed" not in said.err
    qrsd("people", "list", "--json")
    assert json.loads(capsys.readouterr().out)["sealed"] is True


def test_the_key_is_for_its_owner_only_and_the_names_are_gone(path: Path) -> None:
    qrsd("people", "seal")
    assert stat.S_IMODE(gallery_key_path().stat().st_mode) == 0o600
    assert b"Ada" not in path.read_bytes()


def test_it_is_sealed_once_unless_anew(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    qrsd("people", "seal")
    key, sealed = gallery_key_path().read_bytes(), path.read_bytes()
    qrsd("people", "seal")
    assert path.read_bytes() == sealed
    qrsd("people", "seal", "--anew")
    assert path.read_bytes() != sealed
    assert gallery_key_path().read_bytes() == key
    assert "restart" not in capsys.readouterr().out  # there is no service


def test_people_come_and_go_as_ever(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    qrsd("people", "seal")
    qrsd("people", "rename", "Bob", "Rob")
    qrsd("people", "forget", "Ada", "--yes")
    capsys.readouterr()
    qrsd("people", "export")
    [rob] = json.loads(capsys.readouterr().out)["people"]
    assert (rob["name"], rob["consent_utc"]) == ("Rob", "2026-01-02T00:00:00Z")
    np.testing.assert_allclose(rob["templates"][0]["embedding"], AXES[1], atol=1e-6)


def test_another_key_takes_the_place_of_one_that_was_seen(path: Path) -> None:
    qrsd("people", "seal")
    seen = find_gallery_key()
    qrsd("people", "seal", "--new-key")
    with pytest.raises(GallerySealed, match="sealed with another key"):
        Gallery(path, key=seen)
    with Gallery(path, key=find_gallery_key()) as gallery:
        assert len(gallery.people()) == 2
    assert stat.S_IMODE(gallery_key_path().stat().st_mode) == 0o600
    assert list(gallery_key_path().parent.iterdir()) == [gallery_key_path()]


def test_interrupted_before_its_key_is_in_place_it_opens_with_the_new_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    qrsd("people", "seal")
    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", refuse_to_replace)
        with pytest.raises(ResultsNotWritable):
            qrsd("people", "seal", "--new-key")
    new = gallery_key_path().with_name(f"{gallery_key_path().name}.new")
    new.replace(gallery_key_path())
    with Gallery(path, key=find_gallery_key()) as gallery:
        assert len(gallery.people()) == 2


@pytest.mark.parametrize("fails_at", [sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_INSERT])
def test_a_full_disk_locks_nobody_out(
    path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    """Be it that the sealing fails, or only the sweep after it: the key fits the gallery."""
    qrsd("people", "seal")
    sealing = Gallery.seal

    def seal_on_a_full_disk(gallery: Gallery, key: bytes) -> None:
        gallery._database._connection.set_authorizer(
            lambda action, *_: sqlite3.SQLITE_DENY if action == fails_at else sqlite3.SQLITE_OK
        )
        sealing(gallery, key)

    monkeypatch.setattr(Gallery, "seal", seal_on_a_full_disk)
    with pytest.raises(GalleryError):
        qrsd("people", "seal", "--new-key")
    assert list(gallery_key_path().parent.iterdir()) == [gallery_key_path()]
    with Gallery(path, key=find_gallery_key()) as gallery:
        assert len(gallery.people()) == 2


def test_no_key_is_made_in_the_place_of_one_that_was_lost(path: Path) -> None:
    qrsd("people", "seal")
    gallery_key_path().unlink()
    for flags in ([], ["--anew"], ["--new-key"]):
        with pytest.raises(GallerySealed, match="put the key back"):
            qrsd("people", "seal", *flags)
    assert not gallery_key_path().exists()


def test_without_the_key_nobody_reads_it(path: Path) -> None:
    qrsd("people", "seal")
    gallery_key_path().unlink()
    with pytest.raises(GallerySealed, match="run this with sudo, or put the key back"):
        qrsd("people", "list")
