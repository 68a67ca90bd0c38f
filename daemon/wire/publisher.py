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
WELCOMES_AT_ONCE = 100  # then it is the samples' turn
LONGEST_SUBSCRIPTION = 1024  # bytes; libzmq disconnects a client that sends more
MOST_BYTES = 1 << 18  # of subscriptions and pings in the life of a connection
FOREIGN_BYTES = 100_000  # of subscriptions to what is no topic, each of which libzmq keeps
REMEMBERED = (StatusMessage.TOPIC, IdentityMessage.TOPIC)
SUBSCRIBED = b"\1"
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
        self.socket: zmq.Socket[bytes] = context.socket(zmq.XPUB)
        self.connections = ConnectionLimit(self.socket, MOST_BYTES)
        self.socket.linger = 0
        self.socket.sndhwm = QUEUE_MESSAGES
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
        for _ in range(WELCOMES_AT_ONCE):
            if not self.socket.poll(0):
                return
            self._take_subscription(self.socket.recv())

    def _take_subscription(self, said: bytes) -> None:
        subscribed, topic = said[:1] == SUBSCRIBED, said[1:]
        if not any(each.startswith(topic) for each in TOPICS):
            self._foreign_bytes += len(said) if subscribed else 0  # as what never was can be ended
            if self._foreign_bytes > FOREIGN_BYTES:
                self._forget_subscriptions()
        elif subscribed:
            for stamp, message, at_s in self._last.values():
                if message.TOPIC.encode().startswith(topic):
                    aged = replace(stamp, age_s=round(self._monotonic() - at_s, 3))
                    self.socket.send_multipart(encode(aged, message))

    def _forget_subscriptions(self) -> None:
        self._foreign_bytes = 0
        self.connections.hang_up_on_all()
        _LOG.warning(
            "somebody subscribed to %d bytes of what is no topic: all subscribers were hung up on",
            FOREIGN_BYTES,
            extra=event("subscriptions_forgotten"),
        )

    def close(self) -> None:
        """Stop listening, and drop what was not sent yet."""
        self.connections.close()
        self.socket.close()
