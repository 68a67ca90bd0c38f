"""``qrsd keys web-token`` and ``web-certificate`` as their help teaches them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from config.errors import KeyMissing, KeysError
from config.folders import web_folder
from daemon.web.tokens import TokenList
from tests.daemon.commands.command import qrsd


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))


def test_a_tablet_is_let_in_and_revoked(capsys: pytest.CaptureFixture[str]) -> None:
    qrsd("keys", "web-token", "list")
    assert "no token yet: qrsd keys web-token add" in capsys.readouterr().out
    qrsd("keys", "web-token", "add", "tablet", "--scope", "live", "--scope", "people:read")
    secret = capsys.readouterr().out.strip()
    found = TokenList(web_folder()).of_secret(secret)
    assert found is not None
    assert found.scopes == {"live", "people:read"}
    qrsd("keys", "web-token", "list", "--json")
    told = capsys.readouterr().out
    assert json.loads(told) == {"tokens": [{"name": "tablet", "scopes": ["live", "people:read"]}]}
    qrsd("keys", "web-token", "list")
    assert capsys.readouterr().out == "tablet  live people:read\n"
    qrsd("keys", "web-token", "revoke", "tablet")
    assert "The token of tablet is valid no more." in capsys.readouterr().out
    assert TokenList(web_folder()).of_secret(secret) is None
    with pytest.raises(KeyMissing, match="no token is called 'tablet'"):
        qrsd("keys", "web-token", "revoke", "tablet")


@pytest.mark.parametrize("scopes", [(), ("--scope", "root"), ("--scope", "live,control")])
def test_a_token_is_for_something_that_there_is(scopes: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit, match="2"):
        qrsd("keys", "web-token", "add", "tablet", *scopes)


def test_the_certificate_is_made_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyMissing):
        qrsd("keys", "web-certificate", "show")
    qrsd("keys", "web-certificate", "new", "heart.example.org")
    made = capsys.readouterr().out
    assert "heart.example.org" in made
    qrsd("keys", "web-certificate", "show")
    assert capsys.readouterr().out == made
    qrsd("keys", "web-certificate", "new")
    assert capsys.readouterr().out != made
    with pytest.raises(KeysError, match="is no host name"):
        qrsd("keys", "web-certificate", "new", "a b")
