"""Publishes stamped messages on an XPUB socket, with a last-value cache for late subscribers.

Sending never blocks: a slow subscriber loses messages once its queue is full, and sees it by the
sequence numbers. Who subscribes late gets the last status and identity at once, with their age.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

import zmq

from daemon.closing import Closing
from daemon.journal import event
from daemon.wire.binding import bind
from daemon.wire.codec import encode
from daemon.wire.connection_limit import ConnectionLimit
from daemon.wire.curve_gate import CurveGate
from daemon.wire.messages import (
    KINDS,
    IdentityMessage,
    Message,
    Source,
    Stamp,
    StatusMessage,
)

QUEUE_MESSAGES = 1000  # for each subscriber: about half a minute of everything
TAKEN_AT_ONCE = 500  # subscriptions; then it is the samples' turn
MOST_A_SECOND = 10_000  # 500 clients that come at once and subscribe to everything say 5500
LONGEST_SUBSCRIPTION = 1024  # bytes; libzmq disconnects a client that sends more
MOST_BYTES = 1 << 16  # of subscriptions and pings in the life of a connection
FOREIGN_BYTES = 100_000  # of what is no subscription to a topic; libzmq keeps each that was begun
REMEMBERED = (StatusMessage.TOPIC, IdentityMessage.TOPIC)
SUBSCRIBED, UNSUBSCRIBED = b"\1", b"\0"
TOPICS = tuple(topic.encode() for topic in KINDS)

_LOG = logging.getLogger(__name__)


class Publisher(Closing):
    """Publishes on every address given.

    Args:
        context: the service's ZeroMQ context.
        addresses: where to listen, see ``daemon.wire.addresses``.
        device: name of the device.
        source: ``simulated`` if no real chip is behind it.
        gate: authenticates subscribers from other machines; None without keys.
        monotonic: the clock that messages age by, in seconds.

    Attributes:
        boot: UUID of this run of the service.
        addresses: where it listens, with the port chosen for a ``*``.
        socket: to be polled; readable when a client has subscribed or unsubscribed.
        connections: to be polled and enforced, too.

    Raises:
        AddressRefused, AddressInUse, AddressUnusable: it cannot listen on an address.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        addresses: Iterable[str],
        device: str,
        source: Source,
        gate: CurveGate | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self.boot = str(uuid4())
        self._device = device
        self._source: Source = source
        self._sequences: Counter[str] = Counter()
        self._last: dict[str, tuple[Stamp, Message, float]] = {}
        self._foreign_bytes = 0
        self._said, self._said_since_s = 0, time.monotonic()  # by all clients, in this second
        self.socket: zmq.Socket[bytes] = context.socket(zmq.XPUB)
        self.connections = ConnectionLimit(self.socket, MOST_BYTES)
        self.socket.linger = 0
        self.socket.sndhwm = QUEUE_MESSAGES
        self.socket.rcvhwm = 10  # else libzmq takes in a flood without an end
        self.socket.maxmsgsize = LONGEST_SUBSCRIPTION
        self.socket.setsockopt(zmq.XPUB_VERBOSE, 1)  # tell of the second subscriber too
        try:
            self.addresses = tuple(
                bind(self.socket, address, "listen", gate) for address in addresses
            )
        except BaseException:
            self.close()
            raise

    def publish(self, message: Message, utc: datetime) -> None:
        """Send a message, whose sample was taken at ``utc``, to its topic's subscribers."""
        topic = message.TOPIC
        stamp = Stamp(self._device, self.boot, self._sequences[topic], utc, self._source)
        self._sequences[topic] += 1
        if topic in REMEMBERED:
            self._last[topic] = stamp, message, self._monotonic()
        self.socket.send_multipart(encode(stamp, message))

    def welcome(self) -> None:
        """Send the last status and identity to clients that have just subscribed to them.

        Other subscribers get them a second time, with a sequence number that they have seen.
        """
        begun = set[bytes]()
        for _ in range(TAKEN_AT_ONCE):
            try:  # without a poll, by which libzmq takes in as much again as is read here
                said = self.socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                break
            self._count(said)
            if said[:1] == SUBSCRIBED and _is_of_topics(said[1:]):
                begun.add(said[1:])
        for stamp, message, at_s in self._last.values():  # once, however many have come
            if message.TOPIC.encode().startswith(tuple(begun)):
                aged = replace(stamp, age_s=round(self._monotonic() - at_s, 3))
                self.socket.send_multipart(encode(aged, message))

    def _count(self, said: bytes) -> None:
        """Hang up on all when there is too much of it: it does not say whose it is."""
        now_s = time.monotonic()
        if now_s - self._said_since_s >= 1.0:
            self._said, self._said_since_s = 0, now_s
        self._said += 1
        is_ours = said[:1] == SUBSCRIBED and _is_of_topics(said[1:])
        if said[:1] != UNSUBSCRIBED and not is_ours:  # libzmq ends what somebody leaves behind
            self._foreign_bytes += len(said)
        if self._foreign_bytes > FOREIGN_BYTES or self._said > MOST_A_SECOND:
            self._forget_subscriptions()

    def _forget_subscriptions(self) -> None:
        self._foreign_bytes = self._said = 0
        self.connections.hang_up_on_all()
        _LOG.warning(
            "somebody said far more than to subscribe to topics: all subscribers were hung up on",
            extra=event("subscriptions_forgotten"),
        )

    def close(self) -> None:
        """Stop listening, and drop what was not sent yet."""
        self.connections.close()
        self.socket.close()


def _is_of_topics(topic: bytes) -> bool:
    """Tell whether what somebody subscribed to begins a topic."""
    return any(each.startswith(topic) for each in TOPICS)
