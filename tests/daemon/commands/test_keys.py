"""``qrsd keys`` as its help teaches it, and clients that use what it made."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from config.errors import KeyMissing
from daemon.commands import people
from daemon.commands.connection import add_connection, to_control, to_messages
from daemon.wire.errors import ServiceUnavailable
from tests.daemon.commands.command import qrsd


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))


def listed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    qrsd("keys", "list", "--json")
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def test_a_laptop_is_let_in_and_revoked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    qrsd("keys", "new")
    service = capsys.readouterr().out.strip()
    qrsd("keys", "new", tmp_path / "qrsd.key")
    said = capsys.readouterr()
    assert f"{tmp_path}/qrsd.key" in said.err
    laptop = said.out.strip()
    qrsd("keys", "allow", "laptop", laptop)
    assert listed(capsys) == {
        "service_key": service,
        "clients": [{"name": "laptop", "right": "listen", "key": laptop}],
    }
    qrsd("keys", "allow", "laptop", laptop, "--control")
    assert "laptop may listen and control." in capsys.readouterr().out
    qrsd("keys", "list")
    assert f"laptop control {laptop}" in " ".join(capsys.readouterr().out.split())
    qrsd("keys", "revoke", "laptop")
    assert listed(capsys)["clients"] == []


def connection(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_connection(parser)
    return parser.parse_args(arguments)


def test_without_a_word_it_is_this_machines_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QRSD_PUBLISH_ADDRESSES", '["tcp://*:5293", "tcp://127.0.0.1:5292"]')
    messages, control = to_messages(connection()), to_control(connection())
    assert (messages.address, messages.keys) == ("tcp://127.0.0.1:5292", None)
    assert (control.address, control.elsewhere) == (f"ipc://{tmp_path}/control.ipc", False)


def test_where_every_address_asks_for_a_key_it_is_brought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    qrsd("keys", "new", tmp_path / "qrsd.key")
    ours = ("--key", str(tmp_path / "qrsd.key"), "--service-key", capsys.readouterr().out.strip())
    assert to_messages(connection(*ours)).keys is not None  # and the service says: leave it out
    monkeypatch.setenv("QRSD_PUBLISH_ADDRESSES", '["tcp://*:5293"]')
    messages = to_messages(connection(*ours))
    assert (messages.address, messages.elsewhere) == ("tcp://127.0.0.1:5293", False)
    assert messages.keys is not None
    assert to_messages(connection()).keys is None


def test_options_go_before_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    qrsd("keys", "new", tmp_path / "qrsd.key")
    service = capsys.readouterr().out.strip()
    monkeypatch.setenv("QRSD_CONNECT_MESSAGES", "tcp://pi:5293")
    monkeypatch.setenv("QRSD_CONNECT_KEY", str(tmp_path / "qrsd.key"))
    monkeypatch.setenv("QRSD_CONNECT_SERVICE_KEY", f"'{service}'")
    settled = to_messages(connection())
    assert settled.address == "tcp://pi:5293"
    assert settled.keys is not None
    assert settled.keys.service.hex() == service
    assert to_messages(connection("--address", "tcp://pc:5293")).address == "tcp://pc:5293"
    assert to_control(connection()).keys is None  # over a file, nobody is asked for one


def test_half_of_what_is_needed_is_not_enough() -> None:
    with pytest.raises(KeyMissing, match="give --key and --service-key"):
        to_messages(connection("--address", "tcp://pi:5293", "--key", "qrsd.key"))


def test_a_service_that_was_named_is_not_replaced_by_the_own_gallery(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(people, "ANSWER_S", 0.05)
    there = ("--address", "tcp://127.0.0.1:9")
    for command in (("list",), ("rename", "Ada", "Ann"), ("forget", "Ada", "--yes")):
        with pytest.raises(ServiceUnavailable, match=r"No answer from tcp://127\.0\.0\.1:9"):
            qrsd("people", *command, *there)
