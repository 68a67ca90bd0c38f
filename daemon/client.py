"""The other end of the line: what a subscriber hears, and asking the service for something.

with Subscriber("tcp://127.0.0.1:5292", topics=["identity"]) as subscriber:
    for item in subscriber:
        match item:
            case Received(message=IdentityMessage(state="accepted", person=person)):
                print(person)
            case Silent(seconds=seconds):
                print(f"nothing heard for {seconds:.0f} s")
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeAlias

import zmq

from daemon.addresses import IPC
from daemon.errors import MessageError, ServiceNotPermitted, ServiceUnavailable
from daemon.folders import SYSTEM_RUNTIME
from daemon.messages import KINDS, Received, Stamp, StatusMessage, decode

HINT = "is qrsd running? systemctl status qrsd"


@dataclass(frozen=True, slots=True)
class Silent:
    """The service has said nothing at all for a while, though its status comes each second."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Lost:
    """Messages of a topic did not arrive, most likely because this subscriber was too slow."""

    topic: str
    count: int


@dataclass(frozen=True, slots=True)
class Restarted:
    """The service runs anew: sequence numbers and sample indices begin again."""

    boot: str


Item: TypeAlias = Received | Silent | Lost | Restarted


class Continuity:
    """Tells from the stamps what a subscriber missed."""

    def __init__(self) -> None:
        self._boot: str | None = None
        self._next: dict[str, int] = {}

    def check(self, topic: str, stamp: Stamp) -> list[Lost | Restarted] | None:
        """Return what happened before this message, or None if it was received before."""
        news: list[Lost | Restarted] = []
        if stamp.boot != self._boot:
            if self._boot is not None:
                news.append(Restarted(stamp.boot))
            self._boot = stamp.boot
            self._next.clear()
        missed = stamp.sequence - self._next.get(topic, stamp.sequence)
        if missed < 0:  # the last value, sent again for a subscriber that has just come
            return None
        if missed > 0:
            news.append(Lost(topic, missed))
        self._next[topic] = stamp.sequence + 1
        return news


class Subscriber:
    """Iterates over what the service says, without end; loss and silence are items like others.

    Args:
        address: where the service publishes.
        topics: what to listen to; the status is always listened to, as a sign of life.
        timeout_s: seconds without any message that make a :class:`Silent`, again and again.

    Raises:
        MessageError: while iterating, if the other end speaks another protocol.
    """

    def __init__(
        self, address: str, topics: Collection[str] = tuple(KINDS), timeout_s: float = 3.0
    ) -> None:
        unknown = set(topics) - set(KINDS)
        if unknown:
            raise ValueError(f"topics: {unknown.pop()!r} is not one of {', '.join(KINDS)}")
        self._topics = frozenset(topics)
        self._timeout_s = timeout_s
        self._silent_s = 0.0
        self._continuity = Continuity()
        self._waiting: deque[Item] = deque()
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket: zmq.Socket[bytes] = self._context.socket(zmq.SUB)
        self._socket.linger = 0
        try:
            _connect(self._socket, address)
        except ServiceUnavailable:
            self.close()
            raise
        for topic in self._topics | {StatusMessage.TOPIC}:
            self._socket.subscribe(topic)

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        while not self._waiting:
            self._listen()
        return self._waiting.popleft()

    def _listen(self) -> None:
        if not self._socket.poll(round(self._timeout_s * 1000)):
            self._silent_s += self._timeout_s
            self._waiting.append(Silent(self._silent_s))
            return
        self._silent_s = 0.0
        received = decode(self._socket.recv_multipart())
        topic = received.message.TOPIC
        news = self._continuity.check(topic, received.stamp)
        if news is None:
            return
        for item in news:
            if isinstance(item, Restarted) or item.topic in self._topics:
                self._waiting.append(item)
        if topic in self._topics:
            self._waiting.append(received)

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
        self._context.term()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Control:
    """Asks the service for something, over its control socket.

    Args:
        address: ipc address of the control socket.
        timeout_s: how long to wait for an answer.
    """

    def __init__(self, address: str, timeout_s: float = 5.0) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket: zmq.Socket[bytes] = self._context.socket(zmq.REQ)
        self._socket.linger = 0
        self._socket.setsockopt(zmq.REQ_RELAXED, 1)  # ask again after an answer that never came,
        self._socket.setsockopt(zmq.REQ_CORRELATE, 1)  # and throw it away should it come at last
        try:
            _connect(self._socket, address)
        except ServiceUnavailable:
            self.close()
            raise

    def request(self, command: str, **fields: object) -> dict[str, Any]:
        """Send a command and return the answer: ``ok`` and more, ``error`` if ``ok`` is false.

        Raises:
            ServiceUnavailable: no answer came in time, or there is no such socket.
            ServiceNotPermitted: the socket belongs to another user.
            MessageError: the answer is not JSON.
        """
        _check_ours(self._address)
        self._socket.send_json({"command": command, **fields})
        if not self._socket.poll(round(self._timeout_s * 1000)):
            raise ServiceUnavailable(
                f"No answer from {self._address} within {self._timeout_s:g} s: {HINT}"
            )
        try:
            return dict(json.loads(self._socket.recv()))
        except (ValueError, TypeError) as error:
            raise MessageError(f"The answer from {self._address} is not JSON: {error}.") from error

    def close(self) -> None:
        """Hang up."""
        self._socket.close()
        self._context.term()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _connect(socket: zmq.Socket[bytes], address: str) -> None:
    try:
        socket.connect(address)
    except zmq.ZMQError as error:
        raise ServiceUnavailable(f"Cannot connect to {address}: {error}.") from error


def _check_ours(address: str) -> None:
    """Find out at once what ZeroMQ would keep trying in silence."""
    if not address.startswith(IPC):
        return
    path = Path(address.removeprefix(IPC))
    try:
        path.stat()
    except PermissionError as error:
        raise _not_ours(path) from error
    except OSError as error:
        if os.geteuid() != 0 and SYSTEM_RUNTIME.is_dir():
            raise _not_ours(SYSTEM_RUNTIME) from error
        raise ServiceUnavailable(f"There is no {path}: {HINT}") from error
    if not os.access(path, os.W_OK):
        raise _not_ours(path)


def _not_ours(path: Path) -> ServiceNotPermitted:
    return ServiceNotPermitted(
        f"{path} belongs to another user: run this as that user, or with sudo."
    )
