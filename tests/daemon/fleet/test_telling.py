"""What a site's server is told of its devices, and what it still knows after it was away."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path

import nats.errors
import pytest

from daemon.fleet import live, telling
from daemon.fleet.digest import Event
from daemon.fleet.errors import DeviceUnreachable
from daemon.fleet.link import Link, linked
from daemon.fleet.live import LONGEST_BYTES, LiveSubscriber
from daemon.fleet.site import Seen, devices_of
from daemon.fleet.telling import LEASE_S, MOST_EVENTS, EventQueue, Telling
from daemon.wire.client import Item
from daemon.wire.messages import IdentityMessage, Received, StatusMessage, WaveMessage
from tests.daemon.apps.made_up_service import CHUNK, Service
from tests.daemon.fleet.nats_server import SITE, NatsServer, serving

servers = pytest.mark.servers
PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with serving(tmp_path_factory.mktemp("fleet") / "server", "door-1", "door-2") as running:
        yield running


class Spied(Telling):
    """Remembers what it sent live."""

    def __init__(self, version: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(version, monotonic=monotonic)
        self.leased: list[Item] = []

    def send_live(self, received: Received) -> None:
        self.leased.append(received)
        super().send_live(received)


@asynccontextmanager
async def device(
    server: NatsServer, name: str, now: Callable[[], float] = time.monotonic
) -> AsyncIterator[Spied]:
    """Tell of a device until the end of the block."""
    async with linked(server.options(name)) as link:
        said = Spied("1.2.3", monotonic=now)
        running = asyncio.create_task(said.run(link))
        try:
            yield said
        finally:
            running.cancel()


async def seen(link: Link, *devices: str) -> list[Seen]:
    """Wait until the server knows of some devices that are not silent."""
    while True:
        try:
            found = await devices_of(link)
        except Exception:
            found = []
        if [each.device for each in found if each.digest and each.digest.state == "running"] == [
            *devices
        ]:
            return found
        await asyncio.sleep(0.05)


async def events(link: Link, count: int) -> list[tuple[str, str]]:
    """Return the first events that the server keeps, by subject and state."""
    consumer = await link.jetstream.pull_subscribe(
        f"qrsd.{SITE}.*.event.>", stream=f"EVENTS_{SITE}"
    )
    messages = await consumer.fetch(count, timeout=10)
    return [
        (message.subject.split(".", 2)[2], json.loads(message.data).get("state"))
        for message in messages
    ]


@servers
def test_every_device_of_a_site_sees_how_the_others_are(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "DIGEST_S", 0.2)

    async def run() -> list[Seen]:
        async with (
            device(server, "door-1") as one,
            device(server, "door-2") as two,
            linked(server.options("door-2")) as link,
        ):
            for each in (one, two):
                each.put(Service().status())
            one.put(Service().accepts("Zacharias"))
            return await seen(link, "door-1", "door-2")

    [one, two] = asyncio.run(asyncio.wait_for(run(), PATIENCE_S))

    assert one.digest is not None
    assert two.digest is not None
    assert (one.digest.identity, two.digest.identity) == ("accepted", None)
    assert 0 <= one.age_s < 5
    assert one.is_here


@servers
def test_events_wait_for_a_server_that_is_away_and_come_once_and_in_order(tmp_path: Path) -> None:
    async def run() -> list[tuple[str, str]]:
        with serving(tmp_path / "server", "door-1") as server:
            async with device(server, "door-1") as one, linked(server.options("operator")) as link:
                service = Service()
                one.put(service.status())
                await _kept(link, 1)
                server.stop(signal.SIGKILL)
                for person in ("Ada", "Ben", "Cleo"):
                    one.put(service.identity("undecided"))
                    one.put(service.accepts(person))
                await asyncio.sleep(0.5)
                await asyncio.to_thread(server.start)
                await _kept(link, 7)
                return await events(link, 7)

    told = asyncio.run(asyncio.wait_for(run(), 2 * PATIENCE_S))

    assert told == [
        ("door-1.event.service", "running"),
        *[("door-1.event.identity", "undecided"), ("door-1.event.identity", "accepted")] * 3,
    ]


async def _kept(link: Link, count: int) -> None:
    """Wait until the server keeps so many events, and no more."""
    kept = 0
    while kept < count:
        with suppress(nats.errors.Error):  # no stream yet, or no server
            kept = (await link.jetstream.stream_info(f"EVENTS_{SITE}")).state.messages
        await asyncio.sleep(0.1)
    assert kept == count


def test_the_oldest_events_give_way_and_are_counted() -> None:
    queue = EventQueue()
    for number in range(MOST_EVENTS + 3):
        queue.add(Event("identity", f"{number}", {}))

    first, lost = asyncio.run(queue.oldest())

    assert first.event.utc == "3"
    assert lost == 3
    queue.told(first, lost)
    assert asyncio.run(queue.oldest())[1] == 0


@servers
def test_a_device_is_watched_on_a_lease_without_names(server: NatsServer) -> None:
    topics = ("status", "identity", "wave")
    clock = [0.0]

    async def run() -> tuple[list[Item], list[int]]:
        async with device(server, "door-1", lambda: clock[0]) as one:
            saying = asyncio.create_task(_say_for_ever(one, topics))
            with LiveSubscriber(server.options("operator"), "door-1", topics) as subscriber:
                heard = await asyncio.to_thread(lambda: list(islice(subscriber, 60)))
            sent = []
            for clock[0] in (LEASE_S - 1, LEASE_S + 1):
                one.leased.clear()
                await asyncio.sleep(0.2)
                sent.append(len(one.leased))
            saying.cancel()
            return heard, sent

    heard, sent = asyncio.run(asyncio.wait_for(run(), PATIENCE_S))

    messages = [item.message for item in heard if isinstance(item, Received)]
    people = {message.person for message in messages if isinstance(message, IdentityMessage)}
    waves = [message.index for message in messages if isinstance(message, WaveMessage)]
    assert {type(message) for message in messages} == {StatusMessage, IdentityMessage, WaveMessage}
    assert people == {None}
    assert waves == [waves[0] + CHUNK * i for i in range(len(waves))]
    assert sent[0] > 0
    assert sent[1] == 0


@servers
def test_what_is_longer_than_any_message_is_not_kept(server: NatsServer) -> None:
    async def run() -> list[Item]:
        async with device(server, "door-1") as one, linked(server.options("door-1")) as hostile:
            saying = asyncio.create_task(_say_for_ever(one, ("status", "identity", "wave")))
            with LiveSubscriber(server.options("operator"), "door-1", ("wave",)) as subscriber:
                heard = await asyncio.to_thread(lambda: list(islice(subscriber, 5)))
                for _ in range(20):
                    await hostile.nats.publish(hostile.subject("wave"), bytes(LONGEST_BYTES + 1))
                heard += await asyncio.to_thread(lambda: list(islice(subscriber, 40)))
            saying.cancel()
            return heard

    heard = asyncio.run(asyncio.wait_for(run(), PATIENCE_S))

    assert {type(item) for item in heard} == {Received}


async def _say_for_ever(one: Telling, topics: tuple[str, ...]) -> None:
    """Have a device's service say all that may be asked for, as fast as may be."""
    service, numbers = Service(), dict.fromkeys(topics, 0)
    while True:
        for item in (service.accepts("Zacharias"), *service.waves(0.1)):
            assert isinstance(item, Received)
            topic = item.message.TOPIC
            one.put(replace(item, stamp=replace(item.stamp, sequence=numbers[topic])))
            numbers[topic] += 1
        await asyncio.sleep(0.01)


@servers
@pytest.mark.parametrize(
    ("who", "watched", "told"),
    [
        ("operator", "door-2", "door-2 does not answer"),
        ("door-1", "door-2", "door-2 does not answer"),
    ],
)
def test_who_cannot_be_watched_is_said(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch, who: str, watched: str, told: str
) -> None:
    monkeypatch.setattr(live, "ANSWER_S", 1.0)

    with (
        LiveSubscriber(server.options(who), watched, ["status"]) as subscriber,
        pytest.raises(DeviceUnreachable, match=told),
    ):
        next(subscriber)
