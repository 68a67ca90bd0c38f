"""The people of a site, at real servers: nothing acknowledged is lost, nobody forgotten is back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from daemon.fleet.buckets import Ack, Buckets, everything
from daemon.fleet.link import linked
from tests.daemon.fleet.devices import Device, until
from tests.daemon.fleet.nats_server import NatsServer, serving
from tests.daemon.frames import ADA, BOB
from tests.model.models import towards

pytestmark = pytest.mark.servers

ZOE = towards(1, 0, 3, 0)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    names = [f"door-{number}" for number in range(1, 11)]
    with serving(tmp_path / "server", *names) as running:
        yield running


@pytest.fixture
def device(tmp_path: Path, server: NatsServer) -> Callable[..., Device]:
    def make(number: int, **more: Any) -> Device:
        name = f"door-{number}"
        return Device(tmp_path / name, name, server.options(name), **more)

    return make


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 60))


async def records(server: NatsServer) -> dict[str, bytes]:
    """Return what the server has of people."""
    async with linked(server.options("operator")) as link:
        return await everything((await Buckets.open(link, simulated=True)).people)


async def outcomes(server: NatsServer) -> list[dict[str, Ack]]:
    async with linked(server.options("operator")) as link:
        return list((await (await Buckets.open(link, simulated=True)).all_acks()).values())


def test_who_is_enrolled_at_one_of_ten_doors_is_known_at_all_and_forgotten_at_all(
    server: NatsServer, device: Callable[..., Device]
) -> None:
    doors = [device(number, key=bytes([number]) * 32) for number in range(1, 11)]
    doors[0].enrol("Ada")

    async def test() -> None:
        async with AsyncExitStack() as stack:
            for door in doors[:9]:
                await stack.enter_async_context(door.online())
            await until(lambda: all(door.people() == {"Ada": 1} for door in doors[:9]))
            doors[3].enrol("Bob", BOB)
            async with doors[9].online():  # comes late
                await until(lambda: all(door.people() == {"Ada": 1, "Bob": 1} for door in doors))
                doors[9].enrol("Ada", ADA)  # a second sitting
                await until(lambda: all(door.people() == {"Ada": 2, "Bob": 1} for door in doors))
            doors[5].forget("Ada")
            await until(lambda: all(door.people() == {"Bob": 1} for door in doors[:9]))
            assert len(await records(server)) == 2  # the tenth door has not acknowledged it yet
            assert doors[9].people() == {"Ada": 2, "Bob": 1}
            async with doors[9].online():
                await until(lambda: doors[9].people() == {"Bob": 1})
                while len(await records(server)) > 1:
                    await asyncio.sleep(0.05)

    run(test)
