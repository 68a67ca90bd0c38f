"""What a device of the fleet says just now, as a subscriber of its own would hear it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Iterator
from concurrent.futures import Future, wait
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Event
from typing import Any

from nats.aio.msg import Msg

from config.fleet import FleetOptions
from config.typed_json import typed
from daemon.background import started
from daemon.closing import Closing
from daemon.fleet.errors import DeviceUnreachable
from daemon.fleet.link import BROKEN, Link, linked
from daemon.fleet.order import order
from daemon.wire.client import STALE_S, Continuity, Item, Silent
from daemon.wire.codec import decode

PATIENCE_S = 10.0  # with servers that do not answer
RENEWED_S = 10.0  # a third of the lease
ANSWER_S = 5.0
MOST_WAITING = 1000
LONGEST_BYTES = 1 << 14  # of a message; a status, the longest, has less than a tenth


class LiveSubscriber(Closing):
    """Iterates over what a device says, without end, as :class:`daemon.wire.client.Subscriber`.

    The device sends for as long as this lasts, and ends by itself half a minute later.

    Args:
        options: the ``fleet`` section of the settings.
        device: name of the device.
        topics: which to be sent.

    Raises:
        DaemonError, KeysError, SettingsError: while iterating, if the site or the device cannot be
            reached, or speaks otherwise.
    """

    def __init__(self, options: FleetOptions, device: str, topics: Collection[str]) -> None:
        self._options = options
        self._device = device
        self._topics = tuple(topics)
        self._continuity = Continuity()
        self._heard: Queue[bytes | Future[None]] = Queue(MOST_WAITING)
        self._waiting: list[Item] = []
        self._silent_s = 0.0
        self._ended = Event()
        self._listening = started(lambda: asyncio.run(self._listen()))
        self._listening.add_done_callback(self._put)

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        while not self._waiting:
            self._take_next()
        return self._waiting.pop(0)

    def _take_next(self) -> None:
        try:
            heard = self._heard.get(timeout=STALE_S)
        except Empty:
            self._silent_s += STALE_S
            self._waiting.append(Silent(self._silent_s))
            return
        if isinstance(heard, Future):
            heard.result()
            return
        self._silent_s = 0.0
        received = decode(heard.split(b"\n", 2))
        news = self._continuity.check(received.message.TOPIC, received.stamp)
        if news is not None:
            self._waiting += [*news, received]

    async def _listen(self) -> None:
        async with linked(self._options, PATIENCE_S) as link:

            async def take(message: Msg) -> None:
                if len(message.data) <= LONGEST_BYTES:  # else a hostile device's: as if lost
                    self._put(message.data)

            await link.nats.subscribe(link.subject("wave", self._device), cb=take)
            await self._take_lease(link)
            while not await asyncio.to_thread(self._ended.wait, RENEWED_S):
                try:
                    await self._take_lease(link)
                except DeviceUnreachable:  # it may come back; meanwhile it is silent
                    continue

    async def _take_lease(self, link: Link) -> None:
        subject = link.subject("lease", self._device)
        asked = order(link.credentials, subject, {"topics": self._topics})
        try:
            answer = await link.nats.request(subject, asked, timeout=ANSWER_S)
            said = typed(dict[str, Any], json.loads(answer.data), "answer")
        except (ValueError, RecursionError, *BROKEN) as error:
            raise DeviceUnreachable(
                f"{self._device} does not answer {link.device}: qrsd fleet status says which "
                f"devices of {link.site} are there, and only the site's operator may watch them"
            ) from error
        if not said.get("ok"):
            raise DeviceUnreachable(f"{self._device} refuses: {said.get('error')}")

    def _put(self, heard: bytes | Future[None]) -> None:
        """Add what was heard; what is not taken gives way, which the sequence numbers show."""
        while True:
            try:
                self._heard.put_nowait(heard)
                return
            except Full:
                with suppress(Empty):  # taken just now
                    self._heard.get_nowait()

    def close(self) -> None:
        """Disconnect."""
        self._ended.set()
        wait([self._listening], ANSWER_S)
