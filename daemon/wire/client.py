"""The client's side: subscribe to the service's messages, and send it commands.

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
import time
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import zmq
from zmq.utils.monitor import recv_monitor_message

from config.folders import SYSTEM_RUNTIME
from config.typed_json import typed
from daemon.closing import Closing
from daemon.wire.addresses import IPC, is_ipv6, somebody_has
from daemon.wire.codec import decode
from daemon.wire.errors import (
    CommandRefused,
    MessageError,
    ServiceNotPermitted,
    ServiceRefusesKey,
    ServiceUnavailable,
)
from daemon.wire.keepalive import keep_alive
from daemon.wire.keys import ClientKeys
from daemon.wire.messages import KINDS, Received, Stamp, StatusMessage

HINT = "is qrsd running? systemctl status qrsd"
#: Of silence, after which what was heard last is not true any more: the status comes each second.
STALE_S = 3.0
NO_ACCESS = 400  # ZAP's status for a client that is not allowed


@dataclass(frozen=True, slots=True)
class Silent:
    """No message came for a while, though the service sends its status each second."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Lost:
    """Messages of a topic did not arrive, most likely because this subscriber was too slow."""

    topic: str
    count: int


@dataclass(frozen=True, slots=True)
class Restarted:
    """The service was restarted: sequence numbers and sample indices begin again."""

    boot: str


Item: TypeAlias = Received | Silent | Lost | Restarted


class Continuity:
    """Detects lost messages and restarts by the stamps of messages."""

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


class Subscriber(Closing):
    """Iterates over the service's messages, without end; loss and silence are items like others.

    Args:
        address: where the service publishes.
        topics: which to subscribe to; the status is subscribed to anyway, as a sign of life.
        timeout_s: a :class:`Silent` comes after so many seconds without a message, again and again.
        keys: needed where the service asks for them.

    Raises:
        MessageError: while iterating, if the other end speaks another protocol.
        ServiceRefusesKey: while iterating, if the service does not allow our key, or no longer.
    """

    def __init__(
        self,
        address: str,
        topics: Collection[str] = tuple(KINDS),
        timeout_s: float = STALE_S,
        keys: ClientKeys | None = None,
    ) -> None:
        unknown = set(topics) - set(KINDS)
        if unknown:
            raise ValueError(f"topics: {unknown.pop()!r} is not one of {', '.join(KINDS)}")
        self._topics = frozenset(topics)
        self._heard = self._topics | {StatusMessage.TOPIC}
        self._timeout_s = timeout_s
        self._silent_s = 0.0
        self._continuity = Continuity()
        self._waiting: deque[Item] = deque()
        self._line = _Line(zmq.SUB, address, keys)
        self._socket = self._line.socket
        for topic in self._heard:
            self._socket.subscribe(topic)

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        while not self._waiting:
            self._listen()
        return self._waiting.popleft()

    def _listen(self) -> None:
        if not self._line.poll(self._timeout_s):
            self._silent_s += self._timeout_s
            self._waiting.append(Silent(self._silent_s))
            return
        self._silent_s = 0.0
        frames = self._socket.recv_multipart()
        topic = frames[0].decode("ascii", "replace")
        if topic not in self._heard:  # ZeroMQ takes a topic for the beginning of one
            return
        received = decode(frames)
        news = self._continuity.check(topic, received.stamp)
        if news is None:
            return
        for item in news:
            if isinstance(item, Restarted) or item.topic in self._topics:
                self._waiting.append(item)
        if topic in self._topics:
            self._waiting.append(received)

    def close(self) -> None:
        """Disconnect."""
        self._line.close()


class Control(Closing):
    """Sends commands to the service's control socket.

    Args:
        address: of the control socket.
        timeout_s: how long to wait for an answer.
        keys: needed over the network.
    """

    def __init__(
        self, address: str, timeout_s: float = 5.0, keys: ClientKeys | None = None
    ) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._line = _Line(zmq.REQ, address, keys)
        self._socket = self._line.socket
        self._socket.setsockopt(zmq.REQ_RELAXED, 1)  # ask again after an answer that never came,
        self._socket.setsockopt(zmq.REQ_CORRELATE, 1)  # and throw it away should it come at last

    def request(self, command: str, **fields: object) -> dict[str, Any]:
        """Send a command and return the fields of the answer.

        Raises:
            CommandRefused: the service says no, and why, with a code for programs.
            ServiceUnavailable: no answer came in time, or there is no such socket.
            ServiceNotPermitted: the socket belongs to another user.
            ServiceRefusesKey: it asks for a key with the right to control, and ours has none.
            MessageError: the answer is none of this protocol.
        """
        _check_ours(self._address)
        answer = self._exchange(json.dumps({"command": command, **fields}).encode())
        if answer is None:
            raise ServiceUnavailable(
                f"No answer from {self._address} within {self._timeout_s:g} s: {HINT}"
            )
        try:
            said: dict[str, Any] = typed(dict[str, Any], json.loads(answer), "the answer")
            refusal = None
            if not typed(bool, said.get("ok"), "ok"):
                refusal = typed(str, said.get("error"), "error")
                code = typed(str, said.get("code", CommandRefused.code), "code")
        except (ValueError, RecursionError) as error:
            raise MessageError(
                f"What answers at {self._address} is not qrsd, or another version of it: {error}."
            ) from error
        if refusal is not None:
            raise CommandRefused(refusal, code)
        return said

    def _exchange(self, request: bytes) -> bytes | None:
        """Send a request and return its answer, or None if none came in time.

        Without waiting in ZeroMQ, which would wait for ever: it cannot send to a service that has
        just disconnected us, and what is readable may turn out to be the answer to an earlier
        request, which REQ_CORRELATE drops.
        """
        waiting_to = zmq.POLLOUT
        while self._line.poll(self._timeout_s, waiting_to):
            try:
                if waiting_to == zmq.POLLIN:
                    return self._socket.recv(zmq.NOBLOCK)
                self._socket.send(request, zmq.NOBLOCK)
                waiting_to = zmq.POLLIN
            except zmq.Again:
                continue
        return None

    def close(self) -> None:
        """Disconnect."""
        self._line.close()


class _Line:
    """A connection that tells when the other end refuses it, of which ZeroMQ says nothing."""

    def __init__(self, kind: int, address: str, keys: ClientKeys | None) -> None:
        self._address = address
        self._has_key = keys is not None
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.socket: zmq.Socket[bytes] = self._context.socket(kind)
        self.socket.linger = 0
        self.socket.ipv6 = is_ipv6(address)
        keep_alive(self.socket)
        if keys is not None:
            self.socket.curve_publickey = keys.own.public
            self.socket.curve_secretkey = keys.own.secret
            self.socket.curve_serverkey = keys.service
        self._refusals = self.socket.get_monitor_socket(
            zmq.Event.HANDSHAKE_FAILED_AUTH | zmq.Event.HANDSHAKE_FAILED_PROTOCOL
        )
        try:
            self.socket.connect(address)
        except zmq.ZMQError as error:
            self.close()
            raise ServiceUnavailable(
                f"Cannot connect to {address}: {error.strerror}; an address is like tcp://pi:5292 "
                "or ipc:///run/qrsd/control.ipc."
            ) from error

    def poll(self, timeout_s: float, event: int = zmq.POLLIN) -> bool:
        """Wait until the socket can receive (or send, as told); return False after the timeout.

        Raises:
            ServiceRefusesKey: the other end does not allow our key.
        """
        poller = zmq.Poller()
        poller.register(self.socket, event)
        poller.register(self._refusals, zmq.POLLIN)
        until_s = time.monotonic() + timeout_s
        while ready := dict(poller.poll(max(0, round((until_s - time.monotonic()) * 1000)))):
            if self.socket in ready:
                return True
            self._check_allowed(recv_monitor_message(self._refusals))
            if time.monotonic() > until_s:  # a busy service may refuse us again and again
                break
        return False

    def _check_allowed(self, event: Mapping[str, Any]) -> None:
        """Raise ``ServiceRefusesKey``, unless the service was just too busy to check our key."""
        other_mechanism = event["event"] == zmq.Event.HANDSHAKE_FAILED_PROTOCOL
        if other_mechanism and self._has_key:
            raise ServiceRefusesKey(f"{self._address} takes no keys: leave --key out")
        if other_mechanism or event["value"] == NO_ACCESS:
            raise ServiceRefusesKey(
                f"{self._address} refuses us: it wants a key that it knows and that may do this; "
                "see qrsd keys --help"
            )

    def close(self) -> None:
        self.socket.disable_monitor()
        self._refusals.close()
        self.socket.close()
        self._context.term()


def _check_ours(address: str) -> None:
    """Raise at once where ZeroMQ would try to connect for ever in silence."""
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
    if not somebody_has(path):
        raise ServiceUnavailable(f"Nobody listens on {path} any more: {HINT}")


def _not_ours(path: Path) -> ServiceNotPermitted:
    return ServiceNotPermitted(
        f"{path} belongs to another user: run this as that user, or with sudo."
    )
