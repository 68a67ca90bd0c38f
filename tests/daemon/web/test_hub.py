"""The hub: what is kept for newcomers, and what happens to listeners that take too little."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import replace

from daemon.web.hub import MOST_EVENTS, MOST_WAVEFORMS, PATIENCE_S, Heard, Hub, Queue
from daemon.wire.client import Lost, Restarted, Silent
from daemon.wire.messages import KINDS, Message, Received, Stamp
from tests.daemon.web.serving import BEGIN, ecg, identity, status

BOOT = "4fd2b8b5-9f5c-4d0e-9a70-5f1b2d1f0c11"
EVERYTHING = tuple(KINDS)


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def said(message: Message, sequence: int = 0, boot: str = BOOT) -> Received:
    return Received(Stamp("bench", boot, sequence, BEGIN, "simulated"), message)


async def take_all(queue: Queue) -> list[Heard]:
    """Return everything that a listener gets that takes all there is."""
    heard = []
    with suppress(TimeoutError):
        while each := await asyncio.wait_for(queue.get(), 0.01):
            heard.append(each)
    return heard


def taken(queue: Queue) -> list[Heard]:
    return asyncio.run(take_all(queue))


def topics(heard: list[Heard]) -> list[str]:
    return [each.topic for each in heard]


def counts(heard: list[Heard]) -> list[int]:
    return [json.loads(each.header)["count"] for each in heard if each.topic == "dropped"]


def test_waveforms_older_than_ten_seconds_are_forgotten_and_states_are_not() -> None:
    clock = Clock()
    hub = Hub(clock)
    hub.take(said(identity()))
    for second in range(30):
        clock.now_s = second
        hub.take(said(ecg(250 * second), second))

    recent = [json.loads(each.header)["index"] // 250 for each in hub.recent(EVERYTHING)]
    assert recent == list(range(19, 30))
    assert topics(hub.welcome(EVERYTHING)) == ["identity"]
    assert hub.recent(["status"]) == []


def test_of_a_slow_listener_the_oldest_waveforms_are_dropped_and_counted() -> None:
    clock = Clock()
    hub = Hub(clock)
    queue = hub.join(EVERYTHING, [])
    hub.take(said(identity()))
    for i in range(MOST_WAVEFORMS + 7):
        hub.take(said(ecg(i), i))

    heard = taken(queue)

    assert counts(heard) == [7]
    assert topics(heard)[:3] == ["dropped", "identity", "ecg"]
    indices = [json.loads(each.header)["index"] for each in heard if each.topic == "ecg"]
    assert indices == list(range(7, MOST_WAVEFORMS + 7))
    assert hub.dropped == 7


def test_a_listener_that_takes_nothing_is_ended_and_one_that_takes_something_is_not() -> None:
    clock = Clock()
    hub = Hub(clock)
    deaf, slow = hub.join(EVERYTHING, []), hub.join(EVERYTHING, [])
    for second in range(round(PATIENCE_S) + 2):
        clock.now_s = second
        hub.take(said(status(second), second))
        asyncio.run(slow.get(clock)) if second % 5 == 4 else None

    assert hub.listeners == 1
    assert (deaf.is_laggard, slow.is_laggard) == (True, False)
    assert taken(deaf) == []


def test_a_listener_that_nothing_came_for_is_not_taken_for_a_deaf_one() -> None:
    clock = Clock()
    hub = Hub(clock)
    queue = hub.join(["hrv", "status"], [])

    async def listen() -> None:
        for hour in range(3):
            clock.now_s = 3600 * hour
            hub.take(said(status(hour), hour))
            assert topics(await take_all(queue)) == ["status"]

    asyncio.run(listen())
    assert hub.listeners == 1


def test_silence_loss_and_a_restart_are_told_to_everybody() -> None:
    hub = Hub(Clock())
    hub.take(said(identity()))
    queue = hub.join(["hrv"], [])
    hub.take(Silent(1.0))
    hub.take(Silent(3.0))
    hub.take(Lost("ecg", 4))
    hub.take(Restarted("other"))

    assert [(each.topic, json.loads(each.header)) for each in taken(queue)] == [
        ("silent", {"seconds": 3.0}),
        ("lost", {"of": "ecg", "count": 4}),
        ("restarted", {"boot": "other"}),
    ]
    assert hub.welcome(EVERYTHING) == []
    assert hub.recent(EVERYTHING) == []


def test_events_after_the_last_one_are_said_again() -> None:
    hub = Hub(Clock())
    for i in range(5):
        hub.take(said(status(i), i))
        hub.take(said(identity(i), i))
        hub.take(said(ecg(i), i))

    assert [each.id for each in hub.since(f"{BOOT}:identity:3", ["status", "identity"])] == [
        f"{BOOT}:status:4",
        f"{BOOT}:identity:4",
    ]
    assert hub.since(f"{BOOT}:identity:4", EVERYTHING) == []


def test_events_that_are_not_kept_any_more_are_told_to_be_lost() -> None:
    hub = Hub(Clock())
    for i in range(MOST_EVENTS + 1):
        hub.take(said(status(i), i))

    missed = hub.since(f"{BOOT}:status:0", EVERYTHING)

    assert topics(missed[:2]) == ["lost", "status"]
    assert len(missed) == 1 + MOST_EVENTS


def test_after_a_restart_the_newest_states_come_instead() -> None:
    hub = Hub(Clock())
    hub.take(said(status(0)))
    hub.take(Restarted("other"))
    hub.take(said(status(9), 0, "other"))
    hub.take(said(replace(identity(9), person=None), 0, "other"))

    for last in ("no-such-boot:status:7", "nonsense", ":::"):
        assert topics(hub.since(last, EVERYTHING)) == ["restarted", "status", "identity"]
