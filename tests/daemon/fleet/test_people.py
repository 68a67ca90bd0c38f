"""The people of a site, at real servers: nothing acknowledged is lost, nobody forgotten is back."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
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
    asyncio.run(asyncio.wait_for(test(), 100))


async def records(server: NatsServer) -> dict[str, bytes]:
    """Return what the server has of people."""
    async with linked(server.options("operator")) as link:
        return await everything((await Buckets.open(link, simulated=True)).people)


async def outcomes(server: NatsServer) -> list[dict[str, Ack]]:
    async with linked(server.options("operator")) as link:
        buckets = await Buckets.open(link, simulated=True)
        return list((await buckets.acks_of(await everything(buckets.people))).values())


async def all_outcomes(server: NatsServer) -> set[str]:
    return {ack.outcome for acks in await outcomes(server) for ack in acks.values()}


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


def test_two_enrolments_of_one_person_at_once_become_one(
    server: NatsServer, device: Callable[..., Device]
) -> None:
    one, two = device(1), device(2)

    async def test() -> None:
        async with one.online(), two.online():
            one.enrol("Ada", ADA)
            two.enrol("Ada", towards(3, 1, 0.1, 0))
            await until(lambda: one.people() == two.people() == {"Ada": 2})

    run(test)


def test_two_persons_of_one_name_are_a_conflict_that_is_told_and_solved_by_another_name(
    server: NatsServer, device: Callable[..., Device], caplog: pytest.LogCaptureFixture
) -> None:
    one, two = device(1), device(2)
    one.enrol("Ada", ADA)
    two.enrol("Ada", BOB)

    async def test() -> None:
        async with one.online(), two.online():
            await until(lambda: "has the name of somebody else" in caplog.text)
            [acks] = await outcomes(server)
            assert sorted(ack.outcome for ack in acks.values()) == ["conflict", "enrolled"]
            assert one.people() == two.people() == {"Ada": 1}
            loser = one if acks["door-1"].outcome == "conflict" else two
            with loser.gallery as gallery:
                gallery.rename("Ada", "Ada B")
            await until(lambda: one.people() == two.people() == {"Ada": 1, "Ada B": 1})

    run(test)
    assert [record.__dict__.get("QRSD_EVENT") for record in caplog.records].count(
        "people_conflict"
    ) == 1
    assert "Ada" not in caplog.text


def test_who_is_forgotten_is_so_though_a_device_was_offline_and_enrolled_them_once_more(
    server: NatsServer, device: Callable[..., Device]
) -> None:
    one, two = device(1), device(2)
    one.enrol("Ada")

    async def test() -> None:
        async with one.online():
            async with two.online():
                await until(lambda: two.people() == {"Ada": 1})
            two.enrol("Ada", ADA)
            one.forget("Ada")
            await until(lambda: is_forgotten(one))
            one.enrol("Ada", ADA)  # with their consent anew
            await until(lambda: not is_forgotten(one))
            async with two.online():
                await until(lambda: two.people() == {"Ada": 1})
            assert one.people() == {"Ada": 1}

    run(test)


def is_forgotten(door: Device) -> bool:
    """Tell whether a device knows that everybody is forgotten."""
    known = json.loads((door.folder / "fleet" / "simulated.json").read_text())
    return {each["state"] for each in known.values()} == {"forgotten"}


def test_what_the_server_lost_is_sent_again_and_nobody_forgotten_comes_with_it(
    server: NatsServer, device: Callable[..., Device]
) -> None:
    one, two, late = device(1), device(2), device(3)
    for name, embedding in (("Ada", ADA), ("Bob", BOB), ("Zoe", ZOE)):
        one.enrol(name, embedding)
    everybody = {"Ada": 1, "Bob": 1, "Zoe": 1}

    async def test() -> None:
        async with one.online(), two.online():
            async with late.online():
                await until(lambda: two.people() == late.people() == everybody)
            two.forget("Zoe")
            await until(lambda: one.people() == {"Ada": 1, "Bob": 1})
            server.stop(signal.SIGKILL)
            shutil.rmtree(server.store)
            await asyncio.to_thread(server.start)
            async with late.online():
                await until(lambda: late.people() == {"Ada": 1, "Bob": 1})
            assert one.people() == two.people() == {"Ada": 1, "Bob": 1}
            while len(await records(server)) < 2:
                await asyncio.sleep(0.05)

    run(test)


def test_a_server_that_is_killed_over_and_over_loses_nobody(
    server: NatsServer, device: Callable[..., Device]
) -> None:
    one, two = device(1), device(2)
    names = [f"Person {number}" for number in range(12)]

    async def test() -> None:
        async with one.online():
            for number, name in enumerate(names):
                one.enrol(name, towards(1, number, 1, 0))
                await asyncio.sleep(0.1)
                if number % 4 == 3:
                    await until((one.folder / "fleet/simulated.json").exists)
                    server.stop(signal.SIGKILL)
                    acknowledged = json.loads((one.folder / "fleet/simulated.json").read_text())
                    await asyncio.to_thread(server.start)
                    assert acknowledged.keys() <= (await records(server)).keys()
            async with two.online():
                await until(lambda: set(two.people()) == set(names))

    run(test)


def test_a_clock_that_is_ten_minutes_off_changes_nothing(
    server: NatsServer, device: Callable[..., Device]
) -> None:
    slow, fast = device(1, off=timedelta(minutes=-10)), device(2, off=timedelta(minutes=10))

    async def test() -> None:
        async with slow.online(), fast.online():
            for first, second in ((slow, fast), (fast, slow)):
                first.enrol("Ada")
                await until(lambda: slow.people() == fast.people() == {"Ada": 1})
                second.forget("Ada")
                await until(lambda: slow.people() == fast.people() == {})
                await until(lambda: is_forgotten(slow) and is_forgotten(fast))
                await asyncio.sleep(1)  # times of enrolments have seconds

    run(test)


def test_a_hostile_device_neither_alters_nor_revives_anybody(
    server: NatsServer, device: Callable[..., Device], caplog: pytest.LogCaptureFixture
) -> None:
    one, two = device(1), device(2)
    one.enrol("Ada")
    one.enrol("Bob", BOB)

    async def test() -> None:
        async with one.online(), two.online(), linked(server.options("door-3")) as hostile:
            people = (await Buckets.open(hostile, simulated=True)).people
            await until(lambda: two.people() == {"Ada": 1, "Bob": 1})
            before = await records(server)
            one.forget("Ada")
            await until(lambda: two.people() == {"Bob": 1})
            for key, raw in before.items():  # yesterday's words of honest devices
                await people.put(key, raw)
            while len(await enrolled(server)) > 1:
                await asyncio.sleep(0.05)
            await until(lambda: two.people() == one.people() == {"Bob": 1})
            [bob] = [key for key in before if key in await enrolled(server)]
            for garbage in (
                b"",
                b"\xff" * 100,
                before[bob].replace(b'"revision": 1', b'"revision": 9'),
            ):
                await people.put(bob, garbage)
                while garbage in (await records(server)).values():
                    await asyncio.sleep(0.05)
            await people.delete(bob)
            while bob not in await enrolled(server):
                await asyncio.sleep(0.05)
            assert two.people() == one.people() == {"Bob": 1}

    run(test)
    assert "it is not believed" in caplog.text


async def enrolled(server: NatsServer) -> list[str]:
    """Return the keys of those whom the server has as enrolled."""
    found = await records(server)
    return [key for key, raw in found.items() if raw.startswith(b'{"state": "enrolled"')]


def test_templates_of_another_model_are_refused_and_said_and_kept_for_others(
    server: NatsServer, device: Callable[..., Device], caplog: pytest.LogCaptureFixture
) -> None:
    one, two, other = device(1), device(2), device(3)
    other.passport = replace(other.passport, sha256="b" * 64)
    other.enrol("Ada", BOB)

    async def test() -> None:
        async with other.online():
            while not await records(server):
                await asyncio.sleep(0.05)
            async with one.online():
                await until(lambda: "are of another model" in caplog.text)
                assert one.people() == {}
                one.enrol("Ada")
                async with two.online():
                    await until(lambda: two.people() == {"Ada": 1})
                    assert other.people() == one.people() == {"Ada": 1}
                    while await all_outcomes(server) != {"enrolled"}:
                        await asyncio.sleep(0.05)

    run(test)


def test_a_lost_gallery_forgets_nobody_and_an_old_copy_of_it_revives_nobody(
    server: NatsServer, device: Callable[..., Device], caplog: pytest.LogCaptureFixture
) -> None:
    one, two = device(1), device(2)
    for name, embedding in (("Ada", ADA), ("Bob", BOB), ("Zoe", ZOE)):
        one.enrol(name, embedding)

    async def test() -> None:
        async with two.online():
            async with one.online():
                await until(lambda: two.people() == {"Ada": 1, "Bob": 1, "Zoe": 1})
                copy = shutil.copy(one.folder / "gallery.sqlite", one.folder / "copy")
                await asyncio.sleep(1)  # times of enrolments have seconds
                two.forget("Zoe")
                await until(lambda: one.people() == {"Ada": 1, "Bob": 1})
            (one.folder / "gallery.sqlite").unlink()
            async with one.online():
                await until(lambda: "people are gone here at once" in caplog.text)
                await asyncio.sleep(3 * 0.2)
                assert two.people() == {"Ada": 1, "Bob": 1}
            shutil.move(copy, one.folder / "gallery.sqlite")
            async with one.online():
                await until(lambda: one.people() == {"Ada": 1, "Bob": 1})
                await until(lambda: "was back, and is forgotten" in caplog.text)
                assert two.people() == {"Ada": 1, "Bob": 1}

    run(test)


def test_a_stolen_card_and_the_servers_disk_have_neither_name_nor_template(
    server: NatsServer, device: Callable[..., Device]
) -> None:
    one, two = device(1, key=b"1" * 32), device(2, key=b"2" * 32)
    one.enrol("Zacharias")

    async def test() -> None:
        async with one.online(), two.online():
            await until(lambda: two.people() == {"Zacharias": 1})
            await until((two.folder / "fleet" / "simulated.json").exists)

    run(test)
    server.stop()
    folders = (one.folder, two.folder, server.store)
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    files = [path for path in files if path.suffix not in {".npy", ".json", ".tflite"}]
    files += [folder / "fleet" / "simulated.json" for folder in folders[:2]]
    assert len(files) > 5
    with two.gallery as gallery:
        [person] = gallery.people()
    for secret in (b"Zacharias", ADA.tobytes(), person.templates[0].embedding.tobytes()):
        assert [path for path in files if secret in path.read_bytes()] == []


def test_what_was_erased_is_nothing_and_what_somebody_else_wrote_is_not_written_over(
    server: NatsServer,
) -> None:
    async def test() -> None:
        async with linked(server.options("door-1")) as link:
            buckets = await Buckets.open(link, simulated=True)
            key = "a" * 64
            first = await buckets.write(key, b"1", 0)
            assert first is not None
            await buckets.purge(key, first)
            assert await buckets.write(key, b"2", 0) is not None
            assert await buckets.write(key, b"3", 0) is None
            await buckets.people.delete(key)
            assert await buckets.write(key, b"4", 0) is not None
            assert list((await records(server)).values()) == [b"4"]

    run(test)
