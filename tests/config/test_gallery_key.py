"""The gallery's key comes from systemd or a private file, and never lies beside the gallery."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import KeyNotPrivate, KeysError
from config.gallery_key import CREDENTIAL, find_gallery_key, gallery_key_path
from config.secret_file import write_secret

KEY = bytes(range(32))


@pytest.fixture(autouse=True)
def ordinary_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a user who is not root, with a home of their own."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


def test_there_need_be_none() -> None:
    assert find_gallery_key() is None


def test_it_is_found_in_the_users_own_file(tmp_path: Path) -> None:
    write_secret(gallery_key_path(), KEY, "a comment")
    assert gallery_key_path() == tmp_path / "config" / "qrsd" / "gallery.key"
    assert find_gallery_key() == KEY


def test_a_file_that_others_may_read_is_refused() -> None:
    write_secret(gallery_key_path(), KEY, "a comment")
    gallery_key_path().chmod(0o644)
    with pytest.raises(KeyNotPrivate, match="others may use this key too"):
        find_gallery_key()


def test_systemd_hands_it_to_the_service_whose_own_files_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_secret(gallery_key_path(), bytes(32), "another")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    assert find_gallery_key() is None
    path = tmp_path / "credentials" / CREDENTIAL
    write_secret(path, KEY, "a comment")
    path.chmod(0o440)  # as systemd's access lists look
    assert find_gallery_key() == KEY


def test_a_credential_that_is_no_key_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / CREDENTIAL).write_text("secret")
    with pytest.raises(KeysError, match="not a key, which has 64"):
        find_gallery_key()


@pytest.mark.parametrize("config", ["state/.config", "elsewhere/../state", "link"])
def test_it_is_not_put_where_the_gallery_is(
    config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "link").symlink_to("state")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / config))
    with pytest.raises(KeyNotPrivate, match="a key beside what it seals protects nothing"):
        gallery_key_path()
    assert find_gallery_key() is None


def test_root_keeps_it_where_systemd_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert gallery_key_path() == Path("/etc/credstore/qrsd.gallery-key")
