"""``qrsd fleet`` and its keys as commands, with a real nats-server."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from daemon.fleet import listing
from daemon.fleet.buckets import Buckets
from daemon.fleet.link import linked
from tests.daemon.background import wait_for
from tests.daemon.commands.command import qrsd as qrsd_here
from tests.daemon.fleet.devices import Device
from tests.daemon.fleet.nats_server import SITE, NatsServer, serving
from tests.daemon.running import PATIENCE_S, environment, qrsd, terminated


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    with serving(tmp_path / "server", "door-1", "door-2") as running:
        yield running


def settings(server: NatsServer, device: str) -> dict[str, str]:
    options = server.options(device)
    return {
        "QRSD_SOURCE": "simulated",
        "QRSD_FLEET_SERVERS": json.dumps(options.servers),
        "QRSD_FLEET_SITE": options.site,
        "QRSD_FLEET_CREDENTIALS": options.credentials,
        "QRSD_FLEET_SITE_KEY": options.site_key,
        "QRSD_FLEET_CA": options.ca,
    }


@contextmanager
def sharing(device: Device, server: NatsServer) -> Iterator[Path]:
    """Run the app beside a device's service until SIGTERM, and give what it says."""
    command = [sys.executable, "-m", "daemon", "fleet", "run"]
    command.append(f"--address=ipc://{device.folder}/messages.ipc")
    env = environment(device.folder) | settings(server, device.name)
    said = device.folder / "said"
    with (
        device.serving(),
        said.open("w") as stderr,
        subprocess.Popen(command, env=env, stderr=stderr) as process,
    ):
        try:
            yield said
        finally:
            status = terminated(process)
    assert status == 0, said.read_text()


def test_without_a_server_it_says_so(tmp_path: Path) -> None:
    for command in (("run",), ("people",), ("forget", "Ada", "--yes")):
        done = qrsd(tmp_path, "fleet", *command)
        assert done.returncode == 78
        assert "fleet.servers: none is set" in done.stderr


def test_a_site_and_its_devices_are_made_and_shut_out(tmp_path: Path) -> None:
    assert "of sites there are none" in qrsd(tmp_path, "keys", "fleet-device", "door-1").stderr
    assert qrsd(tmp_path, "keys", "fleet-site", SITE).returncode == 0
    made = qrsd(tmp_path, "keys", "fleet-device", "door-1")
    assert Path(made.stdout.strip()).read_text().startswith("# Of qrsd's fleet")

    done = qrsd(tmp_path, "fleet", "shut-out", "door-1")

    assert (done.returncode, done.stdout) == (0, f"door-1 is shut out of {SITE}.\n")
    assert "No nats-server runs here" in done.stderr
    assert "door-1" not in (tmp_path / "state/sites/accounts.conf").read_text()
    assert qrsd(tmp_path, "fleet", "shut-out", "door-1").returncode == 66


@pytest.mark.servers
def test_people_of_a_site_are_listed_forgotten_and_a_device_is_shut_out(
    tmp_path: Path, server: NatsServer
) -> None:
    one, two = (
        Device(tmp_path / name, name, server.options(name)) for name in ("door-1", "door-2")
    )
    one.enrol("Ada")
    operator = settings(server, "operator")

    def people() -> list[dict[str, object]]:
        done = qrsd(tmp_path, "fleet", "people", "--json", **operator)
        assert done.returncode == 0, done.stderr
        listed = json.loads(done.stdout)["people"]
        assert isinstance(listed, list)
        return listed

    with sharing(one, server):
        with sharing(two, server):
            wait_for(lambda: two.people() == {"Ada": 1}, PATIENCE_S)
            [ada] = people()
            assert (ada["name"], ada["state"], ada["by"]) == ("Ada", "enrolled", "door-1")
        done = qrsd(tmp_path, "fleet", "forget", "Ada", "--yes", **operator)
        assert done.returncode == 0, done.stderr
        wait_for(lambda: one.people() == {}, PATIENCE_S)
        [nobody] = people()
        assert (nobody["name"], nobody["state"]) == (None, "forgotten")
        assert nobody["outcomes"] == {"door-1": "forgotten", "door-2": "waiting"}
        shown = qrsd(tmp_path, "fleet", "people", **operator).stdout
        assert "door-2: waiting" in shown
        out = qrsd(tmp_path, "fleet", "shut-out", "door-2", f"--folder={server.folder}", **operator)
        assert (out.returncode, out.stderr) == (0, "")
        wait_for(lambda: people() == [], PATIENCE_S)  # nobody waits for it any more
    refused = qrsd(tmp_path, "fleet", "forget", "Ada", "--yes", **operator)
    assert refused.returncode == 66
    assert "nobody called 'Ada' is enrolled at house" in refused.stderr


@pytest.mark.servers
def test_how_many_records_are_left_out_is_said(
    tmp_path: Path,
    server: NatsServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def fill() -> None:
        async with linked(server.options("door-1")) as hostile:
            people = (await Buckets.open(hostile, simulated=True)).people
            for number in range(20):
                await people.put(f"{number:064x}", b"nobody")

    asyncio.run(asyncio.wait_for(fill(), PATIENCE_S))
    for name, value in (environment(tmp_path) | settings(server, "operator")).items():
        monkeypatch.setenv(name, value)

    assert qrsd_here("fleet", "people") == 0
    said = capsys.readouterr()
    assert (said.out.count("unreadable"), said.err) == (20, "")
    monkeypatch.setattr(listing, "MOST_KNOWN", 9)
    assert qrsd_here("fleet", "people") == 0
    said = capsys.readouterr()
    assert said.out.count("unreadable") == 9
    assert "11 records of house are left out" in said.err
    assert qrsd_here("fleet", "people", "--json") == 0
    assert json.loads(capsys.readouterr().out)["left_out"] == 11
