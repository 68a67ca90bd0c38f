"""Tells a site's server of this device: digests, events, and live waveforms on a lease.

The service waits for none of this. A dead or slow server costs events older than the newest
``MOST_EVENTS``, which the next one tells the number of, and live messages older than the newest
``MOST_LIVE``, which their sequence numbers show.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from nats.aio.msg import Msg
from nats.js.api import Header

from config.typed_json import typed
from daemon.fleet.digest import Event, EventKind, Happenings, digest_of, happened
from daemon.fleet.link import BROKEN, Link
from daemon.fleet.order import read_order
from daemon.fleet.site import make_streams
from daemon.journal import event
from daemon.wire.client import Item
from daemon.wire.codec import encode
from daemon.wire.messages import KINDS, IdentityMessage, Received, StatusMessage

DIGEST_S = 10.0
LEASE_S = 30.0  # until live messages end, unless the lease is renewed
MOST_EVENTS = 1000
MOST_LIVE = 400  # of one second some 25
ANSWER_S = 5.0
AGAIN_S = 2.0
STREAMS_S = 600.0  # how often the streams are made, should the server have lost them

_LOG = logging.getLogger(__name__)


class Waiting(NamedTuple):
    """An event that nobody was told of yet."""

    number: int  # of this run
    event: Event


class EventQueue:
    """Keeps events until they are told; the oldest gives way to one too many."""

    def __init__(self) -> None:
        self._waiting: deque[Waiting] = deque()
        self._added = 0
        self._lost = 0
        self._filled = asyncio.Event()

    def add(self, happened: Event) -> None:
        """Add one."""
        if len(self._waiting) >= MOST_EVENTS:
            self._waiting.popleft()
            self._lost += 1
        self._added += 1
        self._waiting.append(Waiting(self._added, happened))
        self._filled.set()

    async def oldest(self) -> tuple[Waiting, int]:
        """Wait for one and return it, with how many before it are lost, of which nobody knows."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        return self._waiting[0], self._lost

    def told(self, waiting: Waiting, lost: int) -> None:
        """Take in that somebody was told of one, and of how many were lost."""
        self._lost -= lost
        if self._waiting and self._waiting[0] is waiting:
            self._waiting.popleft()
        else:  # it gave way meanwhile, and is not lost
            self._lost -= 1


class Telling:
    """Takes what the service says, and tells a server of it while there is one.

    Args:
        version: of qrsd.
        wall: the device's clock.
        monotonic: seconds from any begin.

    Attributes:
        happenings: what is known of the service.
    """

    def __init__(
        self,
        version: str,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._version = version
        self._wall = wall
        self._monotonic = monotonic
        self.happenings = Happenings()
        self._run = f"{wall().timestamp():.6f}"  # so that no event is taken for one of before
        self._events = EventQueue()
        self._leases: dict[str, float] = {}  # topic, and until when it is sent
        self._live: deque[bytes] = deque(maxlen=MOST_LIVE)
        self._waves = asyncio.Event()

    def put(self, item: Item) -> None:
        """Take in what was heard next."""
        for each in self.happenings.take(item):
            self._events.add(each)
        if isinstance(item, Received) and self._is_leased(item.message.TOPIC):
            self.send_live(item)

    def send_live(self, received: Received) -> None:
        """Send a message to whoever watches just now, without a name."""
        self._live.append(packed(nameless(received)))
        self._waves.set()

    def add(self, kind: EventKind, **fields: object) -> None:
        """Tell of something that did not come from the service."""
        self._events.add(happened(kind, self._wall(), **fields))

    def _is_leased(self, topic: str) -> bool:
        return self._leases.get(topic, float("-inf")) > self._monotonic()

    async def run(self, link: Link) -> None:
        """Tell until cancelled."""
        await link.nats.subscribe(link.subject("lease"), cb=partial(self._lease, link))
        async with asyncio.TaskGroup() as tasks:
            for work in (self._tell_digests, self._tell_events, self._tell_waves):
                tasks.create_task(work(link))

    async def _tell_digests(self, link: Link) -> None:
        made: tuple[int, float] | None = None
        while True:
            if link.nats.is_connected:  # else it would be told when it is not true any more
                now = link.connects, self._monotonic() // STREAMS_S
                if made != now and await _made_streams(link):
                    made = now
                digest = digest_of(self.happenings.scene, self._wall(), self._version)
                await _publish(link, "digest", digest.to_bytes())
            await asyncio.sleep(DIGEST_S)

    async def _tell_events(self, link: Link) -> None:
        """Tell the oldest until the server has it, then the next."""
        while True:
            waiting, lost = await self._events.oldest()
            try:
                await link.jetstream.publish(
                    link.subject(f"event.{waiting.event.kind}"),
                    waiting.event.to_bytes(lost),
                    timeout=ANSWER_S,
                    headers={Header.MSG_ID: f"{link.device}-{self._run}-{waiting.number}"},
                )
            except BROKEN as error:
                said = event("fleet_not_told", what="event", error=type(error).__name__)
                _LOG.info("an event is told again later", extra=said)
                await asyncio.sleep(AGAIN_S)
            else:
                self._events.told(waiting, lost)

    async def _tell_waves(self, link: Link) -> None:
        while True:
            while not self._live:
                self._waves.clear()
                await self._waves.wait()
            await _publish(link, "wave", self._live.popleft())

    async def _lease(self, link: Link, asked: Msg) -> None:
        """Send some topics for a while, to whoever may listen to them."""
        try:
            given = read_order(link.credentials, link.subject("lease"), asked.data)
            topics = typed(tuple[str, ...], given["topics"], "topics")
            if strange := sorted(set(topics) - set(KINDS)):
                raise ValueError(f"topics: {strange[0]!r:.40} is not one of {', '.join(KINDS)}")
        except (ValueError, KeyError, RecursionError) as error:
            answer: dict[str, Any] = {"ok": False, "error": f"{error}"}
        else:
            self._leases |= dict.fromkeys(topics, self._monotonic() + LEASE_S)
            answer = {"ok": True, "seconds": LEASE_S}
        await asked.respond(json.dumps(answer).encode())


async def _made_streams(link: Link) -> bool:
    """Make the streams, and return whether they are there."""
    try:
        await make_streams(link)
    except BROKEN as error:
        said = event("fleet_not_told", what="streams", error=type(error).__name__)
        _LOG.info("the server keeps nothing yet: %s", type(error).__name__, extra=said)
        return False
    return True


async def _publish(link: Link, what: str, content: bytes) -> None:
    """Publish something that is worth nothing later."""
    try:
        await link.nats.publish(link.subject(what), content)
    except BROKEN as error:
        said = event("fleet_not_told", what=what, error=type(error).__name__)
        _LOG.info("%s: not told: %s", what, type(error).__name__, extra=said)


def nameless(received: Received) -> Received:
    """Return a message without what says somebody's name."""
    message = received.message
    match message:
        case IdentityMessage():
            return replace(received, message=replace(message, person=None))
        case StatusMessage():
            bare = replace(message, enrolment=None, playing=None)
            return replace(received, message=bare)
    return received


def packed(received: Received) -> bytes:
    """Return a message's frames as one: a header has no line break in it."""
    return b"\n".join(encode(received.stamp, received.message))
