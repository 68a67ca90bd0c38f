"""The devices of a site, for the page of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.fleet import FleetOptions
from config.settings import Settings
from daemon.fleet import telling
from daemon.fleet.link import linked
from daemon.fleet.telling import Telling
from daemon.web import site_view
from daemon.web.site_view import SiteView
from tests.daemon.apps.made_up_service import Service
from tests.daemon.fleet import nats_server
from tests.daemon.web.serving import serving

NOBODY_LISTENS = "nats://127.0.0.1:9"


def test_a_device_of_no_fleet_says_so(tmp_path: Path) -> None:
    with serving(tmp_path) as served, served.client() as client:
        told = client.get("/fleet")

    assert (told.status_code, told.json()) == (
        200,
        {"site": None, "reachable": False, "devices": []},
    )


def test_a_site_whose_server_does_not_answer_keeps_nobody_waiting(tmp_path: Path) -> None:
    settings = Settings(fleet=FleetOptions(servers=(NOBODY_LISTENS,), site="house"))

    with serving(tmp_path, settings=settings) as served, served.client() as client:
        told = client.get("/fleet")

    assert told.json() == {"site": "house", "reachable": False, "devices": []}


@pytest.mark.servers
def test_each_device_shows_all_until_the_server_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "DIGEST_S", 0.1)
    monkeypatch.setattr(site_view, "FRESH_S", 0.0)

    async def until(view: SiteView, fulfilled: Callable[[Any], bool]) -> Any:
        while not fulfilled(devices := await view.devices()):
            await asyncio.sleep(0.05)
        return devices

    async def run() -> tuple[Any, Any]:
        with nats_server.serving(tmp_path / "server", "door-1", "door-2") as server:
            view = SiteView(server.options("door-1"))
            tasks = [asyncio.create_task(view.run())]
            async with linked(server.options("door-2")) as link:
                said = Telling("1")
                said.put(Service().status())
                tasks.append(asyncio.create_task(said.run(link)))
                shown = await until(view, bool)
                server.stop()
                gone = await until(view, lambda devices: devices is None)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            return shown, gone

    [shown], gone = asyncio.run(asyncio.wait_for(run(), 30))

    assert (shown.device, shown.digest.state, shown.is_here) == ("door-2", "running", True)
    assert gone is None
