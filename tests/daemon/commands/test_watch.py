"""``qrsd watch`` listens to what it shows, and Ctrl-C is how it is meant to end."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from daemon.commands import watch
from daemon.wire.client import Item
from daemon.wire.messages import KINDS, IdentityMessage, Received, Stamp
from tests.daemon.commands.command import qrsd

STAMP = Stamp("bench", "boot", 3, datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC), "simulated")
ADA = IdentityMessage(500, "accepted", "Ada", 0.97, 9)


class OneMessage:
    """A subscriber that hears one message, and Ctrl-C after it."""

    asked: tuple[Any, ...]

    def __init__(self, address: str, topics: Collection[str], **_: object) -> None:
        OneMessage.asked = (address, set(topics))

    def __enter__(self) -> Iterator[Item]:
        yield Received(STAMP, ADA)
        raise KeyboardInterrupt

    def __exit__(self, *_: object) -> None: ...


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(watch, "Subscriber", OneMessage)
    return qrsd("watch", *arguments)


def test_without_a_terminal_it_prints_lines_until_ctrl_c(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch) == 0
    assert capsys.readouterr().out == "12:30:15 Ada, 97 %, 9 beats\n"


def test_it_listens_where_the_settings_say_that_the_service_speaks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("QRSD_PUBLISH_ADDRESSES", '["ipc:///run/mine"]')
    run(monkeypatch)
    assert OneMessage.asked == ("ipc:///run/mine", {"status", "identity", "rhythm", "alarm"})
    run(monkeypatch, "--address", "ipc:///run/other")
    assert OneMessage.asked[0] == "ipc:///run/other"


def test_json_leaves_waveforms_out_unless_they_are_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "--json")
    assert json.loads(capsys.readouterr().out)["person"] == "Ada"
    assert OneMessage.asked[1] == set(KINDS) - {"wave", "ecg"}
    run(monkeypatch, "--json", "--waves")
    assert OneMessage.asked[1] >= {"wave", "ecg"}


def test_waveforms_are_for_scripts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        run(monkeypatch, "--waves")
    assert caught.value.code == 2
    assert "--waves goes with --json" in capsys.readouterr().err
