"""Whom a report may ask for a commentary, and where the key comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.commentary import CommentaryOptions
from config.errors import KeyMissing, KeyNotPrivate, KeysError, SettingInvalid
from config.settings import load

KEY = "sk-0123456789abcdef"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://api.deepseek.com", "api.deepseek.com"),
        ("https://Example.org:8443/a/b-c/v1/", "example.org:8443"),
        ("http://127.0.0.1:11434/v1", "127.0.0.1:11434"),
        ("http://127.9.9.9/v1", "127.9.9.9"),
        ("http://localhost:8080/v1", "localhost:8080"),
        ("http://[::1]:8080/v1", "[::1]:8080"),
        ("https://192.168.1.2/v1", "192.168.1.2"),
    ],
)
def test_addresses_that_may_be_asked(url: str, host: str) -> None:
    assert CommentaryOptions(url).host == host


@pytest.mark.parametrize(
    "url",
    [
        "http://api.deepseek.com",
        "HTTP://192.168.1.2/v1",
        "http://localhost.example.org/v1",
        "http://127.0.0.1.example.org/v1",
        "http://127.1/v1",
        "http://2130706433/v1",
        "http://0.0.0.0/v1",
        "http://[::ffff:8.8.8.8]/v1",
        "http://[fe80::1]/v1",
    ],
)
def test_figures_leave_this_machine_encrypted_only(url: str) -> None:
    with pytest.raises(ValueError, match="http sends figures and key unencrypted"):
        CommentaryOptions(url)


@pytest.mark.parametrize(
    "url",
    [
        "api.deepseek.com",
        "ftp://127.0.0.1/v1",
        "https://",
        "https://zoe:secret@example.org/v1",
        "http://127.0.0.1@example.org/v1",
        "http://127.0.0.1\\@example.org/v1",
        "http://127.0.0.1#@example.org/v1",
        "https://example.org/v1?key=secret",
        "https://example.org/v1 ",
        "https://ex\u00e4mple.org/v1",
        "https://example.org:port/v1",
        "http://127.0.0.1:77890/v1",
    ],
)
def test_what_is_no_plain_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"url: .* is not such as https"):
        CommentaryOptions(url)


def test_a_key_among_the_settings_is_refused_and_not_shown() -> None:
    for environment, sets in (({"QRSD_REPORT_COMMENTARY_KEY": KEY}, ()), ({}, (KEY,))):
        with pytest.raises(SettingInvalid, match="the key itself does not belong here") as told:
            load(None, environment, [f"report.commentary.key={text}" for text in sets])
        assert KEY not in str(told.value)


def test_the_time_is_limited() -> None:
    for timeout_s in (0.0, -1.0, 1e9):
        with pytest.raises(ValueError, match="timeout_s"):
            CommentaryOptions(timeout_s=timeout_s)


def test_there_need_be_no_key() -> None:
    assert CommentaryOptions().read_key() is None


def test_a_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", KEY)
    assert CommentaryOptions(key="$API_KEY").read_key() == KEY
    monkeypatch.setenv("API_KEY", f"{KEY}\nX-More: headers")
    with pytest.raises(KeysError, match="not an API key") as told:
        CommentaryOptions(key="$API_KEY").read_key()
    assert KEY not in str(told.value)
    monkeypatch.delenv("API_KEY")
    with pytest.raises(KeyMissing, match=r"the variable \$API_KEY is not set"):
        CommentaryOptions(key="$API_KEY").read_key()


def test_a_key_comes_from_a_file_of_its_owner_s_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    file, options = tmp_path / "api.key", CommentaryOptions(key="~/api.key")
    with pytest.raises(KeyMissing, match="no such key file"):
        options.read_key()
    file.write_text(f"{KEY}\n")
    file.chmod(0o640)
    with pytest.raises(KeyNotPrivate, match="others may use this key too"):
        options.read_key()
    file.chmod(0o600)
    assert options.read_key() == KEY
    for wrong in ("", "two words", "schl\u00fcssel"):
        file.write_text(wrong)
        with pytest.raises(KeysError, match="not a"):
            options.read_key()
