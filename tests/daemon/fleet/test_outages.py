"""What the network and the server's disk do to a site: nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from daemon.fleet import link
from tests.daemon.fleet.devices import Device, until
from tests.daemon.fleet.nats_server import NatsServer, serving
from tests.daemon.fleet.test_people import records
from tests.daemon.frames import ADA, BOB
from tests.model.models import towards

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(os.geteuid() != 0, reason="makes networks and disks: needs root"),
]
DOORS = ("door-1", "door-2")


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time can be put forward."""

    ahead_s = 0.0

    def time(self) -> float:
        return super().time() + self.ahead_s


def system(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def cable() -> Iterator[tuple[str, str]]:
    """Make a network namespace behind a cable of the same name, and return it and its address."""
    number = uuid4()
    name, network = f"q{number.hex[:8]}", f"10.213.{number.bytes[-1]}"
    here, there = f"{network}.1", f"{network}.2"
    with ExitStack() as stack:
        try:
            system("ip", "netns", "add", name)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("no network namespaces can be made here")
        stack.callback(system, "ip", "netns", "del", name)
        system("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        system("ip", "addr", "add", f"{here}/30", "dev", name)
        system("ip", "link", "set", name, "up")
        within = ("ip", "-n", name)
        system(*within, "addr", "add", f"{there}/30", "dev", "eth0")
        system(*within, "link", "set", "eth0", "up")
        yield name, there


def test_an_hour_without_the_network_costs_nobody(
    tmp_path: Path, cable: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "PING_S", 1)
    folder = tmp_path / "server"
    folder.mkdir()
    cable_name, there = cable
    within = ("ip", "netns", "exec", cable_name)
    server = NatsServer(folder, DOORS, within=within, host=there)
    one, two = (
        Device(tmp_path / name, name, server.options(name)) for name in ("door-1", "door-2")
    )
    one.enrol("Ada", ADA)

    async def test() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, JumpingLoop)
        async with one.online(), two.online():
            await until(lambda: two.people() == {"Ada": 1})
            system("ip", "link", "set", cable_name, "down")
            one.enrol("Bob", BOB)
            two.enrol("Zoe", towards(1, 0, 3, 0))
            two.forget("Ada")
            for _ in range(60):  # a minute at a time
                loop.ahead_s += 60
                await asyncio.sleep(0.02)
            assert (one.people(), two.people()) == ({"Ada": 1, "Bob": 1}, {"Zoe": 1})
            system("ip", "link", "set", cable_name, "up")
            await until(lambda: one.people() == two.people() == {"Bob": 1, "Zoe": 1})

    try:
        with asyncio.Runner(loop_factory=JumpingLoop) as runner:
            runner.run(test())
    finally:
        server.stop()


def test_a_full_disk_of_the_server_is_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    system("mount", "-t", "tmpfs", "-o", "size=4M", "tmpfs", str(disk))
    try:
        with serving(tmp_path / "server", *DOORS, store=disk / "store") as server:
            asyncio.run(asyncio.wait_for(fill(tmp_path, disk, server, caplog), 100))
    finally:
        system("umount", "-l", str(disk))


async def fill(
    tmp_path: Path, disk: Path, server: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = (
        Device(tmp_path / name, name, server.options(name)) for name in ("door-1", "door-2")
    )
    one.enrol("Ada", ADA)
    async with one.online():
        while len(await records(server)) < 1:
            await asyncio.sleep(0.05)
        system("sh", "-c", f"cat /dev/zero >{disk}/filler || true")
        names = {"Ada"}
        while "people are not shared now" not in caplog.text:  # what is begun of a page has room
            name = f"Person {len(names)}"
            one.enrol(name, towards(1, len(names), 1, 0))
            names.add(name)
            await asyncio.sleep(0.5)
            assert len(names) < 60
        assert set(one.people()) == names
        (disk / "filler").unlink()
        server.stop()
        await asyncio.to_thread(server.start)
        async with two.online():
            await until(lambda: set(two.people()) == names)
