"""``qrsd fleet status`` and ``update-model``: what is shown of devices, and what is refused."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nats.errors import TimeoutError as NoAnswer
from nats.js.errors import NotFoundError

from daemon.__main__ import main
from daemon.fleet import link, roll_out, site
from daemon.fleet.digest import Digest
from daemon.fleet.site import Seen
from model.opening import DEFAULT_MODEL

WELL = Digest(
    *("2026-11-28T10:00:00Z", "1", "running", "ads1292r", "on", 61.2, 0.984, "no_contact"),
    *("sinus", None, 12, "ab" * 32),
)
ILL = Digest(
    *("2026-11-28T10:00:00Z", "1", "recovering", "simulated", "unknown", None, None, None, None),
    *("chip_silent", 0, "cd" * 32),
)


@pytest.fixture(autouse=True)
def _site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QRSD_FLEET_SERVERS", "['tls://192.0.2.1:4222']")
    monkeypatch.setenv("QRSD_FLEET_SITE", "house")

    @asynccontextmanager
    async def linked(*_: object) -> AsyncIterator[SimpleNamespace]:
        yield SimpleNamespace(site="house")

    async def devices_of(_: object) -> list[Seen]:
        return [Seen("door-1", 3.2, WELL), Seen("door-2", 99.9, ILL), Seen("door-3", 1.0, None)]

    monkeypatch.setattr(link, "linked", linked)
    monkeypatch.setattr(site, "devices_of", devices_of)


def test_every_device_has_a_line_that_fits_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fleet", "status"]) == 0

    lines = capsys.readouterr().out.splitlines()
    one, two, three = (next(line for line in lines if f"door-{n} " in line) for n in (1, 2, 3))
    assert one.split() == ["door-1", "running", "no", "contact", "sinus", "61", "98", "%", "12",
                           "3", "s"]  # fmt: skip
    assert "recovering," in two
    assert "simulated" in lines[lines.index(two) + 1]
    assert "another qrsd" in three
    notes = "door-2: chip_silent; model abababababab: door-1; model cdcdcdcdcdcd: door-2"
    assert notes in " ".join("\n".join(lines).split())
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("error", [NoAnswer(), NotFoundError(), OSError("gone")])
def test_servers_that_keep_nothing_yet_are_told_of_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def devices_of(_: object) -> list[Seen]:
        raise error

    monkeypatch.setattr(site, "devices_of", devices_of)

    assert main(["fleet", "status"]) == 69

    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("qrsd: house: its servers do not do what is asked")


def test_what_a_device_says_of_a_model_commands_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def rolled(*given: Any) -> None:
        given[3]("door-1: \x1b[2J")

    monkeypatch.setattr(roll_out, "roll_out", rolled)

    assert main(["fleet", "update-model", str(DEFAULT_MODEL)]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_programs_get_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fleet", "status", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["site"] == "house"
    assert [each["is_here"] for each in told["devices"]] == [True, False, True]
    assert told["devices"][0]["digest"]["model_sha256"] == "ab" * 32
    assert told["devices"][2]["digest"] is None


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["update-model", "nowhere.tflite"], 66, "nowhere.tflite: no such model"),
        (["update-model", str(DEFAULT_MODEL), "--first", "door-9"], 69, "door-9 is not one of"),
        (["update-model", str(DEFAULT_MODEL), "--first", "door-2"], 69, "door-2 is not one of"),
        (["update-model", str(DEFAULT_MODEL), "--devices", "door-1", "dor-3"], 69, "dor-3: not"),
    ],
)
def test_what_cannot_be_rolled_out_is_refused_before_anybody_is_asked(
    capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, said: str
) -> None:
    assert main(["fleet", *arguments]) == status
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["fleet", "status"], ["watch", "--device", "door-1"]], ids=lambda each: each[0]
)
def test_without_a_fleet_it_says_where_it_begins(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.delenv("QRSD_FLEET_SERVERS")

    assert main(arguments) == 78
    assert "docs/fleet.md" in capsys.readouterr().err


def test_a_device_of_a_fleet_and_an_address_do_not_go_together(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["watch", "--device", "door-1", "--address", f"ipc://{tmp_path}/messages.ipc"])
