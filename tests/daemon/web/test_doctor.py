"""What is wrong, for the page: without opening the chip, by one child for all who ask."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from daemon.doctor import software
from daemon.doctor.checks import ASKING
from daemon.doctor.walk import Finding
from daemon.web import doctor
from daemon.web.checkup import look
from daemon.web.doctor import FRESH_S, Doctor
from tests.daemon.doctor.test_software import publishing_at, running_status, service
from tests.daemon.doctor.visits import visit_to
from tests.daemon.web.serving import serving


def looked(tmp_path: Path, *assignments: str) -> dict[str, Finding]:
    visit = visit_to(tmp_path, *assignments)
    visit.may_open = False
    found = {finding.about: finding for finding in look(visit)}
    assert not hasattr(visit, "board")  # nobody opened the chip
    return found


def test_a_service_that_runs_is_asked_whatever_its_source(tmp_path: Path) -> None:
    address = f"ipc://{tmp_path}/messages.ipc"
    with service(address, running_status(), source="simulated"):
        found = looked(tmp_path, publishing_at(address))  # of the settings' chip, which is none
    assert list(found) == [each.name for each in ASKING]
    assert found["service"].verdict == "fine"
    assert found["DRDY rate"].figures["rate_hz"] == 249.9
    assert "set front_end.mains_hz: 60" in found["mains"].says


def test_without_a_service_it_is_said_how_to_start_it_and_the_chip_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(software, "PATIENCE_S", 0.3)
    found = looked(tmp_path, publishing_at(f"ipc://{tmp_path}/messages.ipc"))
    assert found["service"].verdict == "wrong"
    assert "systemctl start qrsd" in found["service"].says
    assert found["registers"].verdict == found["samples"].verdict == "skipped"
    assert found["model"].verdict == "fine"


def test_of_a_service_elsewhere_nothing_is_said(tmp_path: Path) -> None:
    [only] = looked(tmp_path, "connect.messages=tcp://pi:5292").values()
    assert (only.verdict, only.about) == ("skipped", "service")


def test_all_who_ask_at_a_time_share_one_child(monkeypatch: pytest.MonkeyPatch) -> None:
    now, started = [0.0], []

    async def run(folder: Path, *arguments: Any, time_s: float) -> bytes:
        started.append(arguments)
        await asyncio.sleep(0.05)
        return b'{"simulated": true, "findings": []}'

    async def ask() -> None:
        clinic = Doctor(lambda: now[0])
        same = await asyncio.gather(*(clinic.look() for _ in range(20)))
        assert len(started) == len({id(each) for each in same}) == 1
        now[0] += FRESH_S
        await clinic.look()

    monkeypatch.setattr(doctor, "run", run)
    asyncio.run(ask())
    assert started == [("daemon.web.checkup",)] * 2


def test_a_program_hears_it_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QRSD_PUBLISH_ADDRESSES", json.dumps([f"ipc://{tmp_path}/nobody.ipc"]))
    with serving(tmp_path) as served, served.client() as client:
        told = client.get("/doctor", timeout=60).json()
    verdicts = {each["about"]: each["verdict"] for each in told["findings"]}
    assert verdicts["settings"] == "fine"
    assert verdicts["service"] == "wrong"
    assert told["at_utc"].endswith("+00:00")
