"""The control socket (ROUTER): answers each request, malformed ones included, with one answer.

    {"command": "enroll", "person": "Ada"}  ->  {"ok": true, ...}
    {"command": "enrol"}                    ->  {"ok": false, "error": "...", "code": "..."}

A command is a function: its parameters are the fields that a request may have, their annotations
the types, their defaults what a request may leave out. It returns the fields of the answer
(``daemon.wire.answers``) or, if it takes long, a future of them, sent when it is done.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import MISSING, asdict, fields
from inspect import Parameter, signature
from typing import Any, TypeAlias, get_type_hints

import zmq

from config.typed_json import typed
from daemon.closing import Closing
from daemon.errors import DaemonError
from daemon.wire.answers import Answer, Refusal
from daemon.wire.binding import bind
from daemon.wire.connection_limit import ConnectionLimit, hang_up
from daemon.wire.curve_gate import CurveGate
from daemon.wire.errors import CommandRefused
from model.errors import ModelError

Command: TypeAlias = Callable[..., Answer | Future[Any]]

MAX_REQUEST_BYTES = 1 << 20  # two recordings of a minute, with all the digits that JSON may write
CUT_OFF_BYTES = 1 << 21  # a client that sends more is disconnected
UNHEARD_BYTES = 1 << 24  # nor may it send more before a request is whole, in the kernel too
MOST_FRAMES = 16  # of a request with its envelope: a REQ client's has four
REQUESTS_WAITING = 2  # of one client; more wait on its side
ANSWERS_WAITING = 20  # of one client; it gets no more unread
ANSWERS_AT_ONCE = 20  # then it is the samples' turn ...
ANSWERS_S = 0.1  # ... or after so long, should the gallery be another program's just now


class ControlServer(Closing):
    """Answers requests.

    Args:
        context: the service's ZeroMQ context.
        address: where to listen, see ``daemon.wire.addresses``.
        commands: by name; they and their futures refuse a request by raising a ``DaemonError`` or
            a ``ModelError``.
        more: further addresses.
        gate: authenticates clients from the network; None without keys.

    Attributes:
        address: the first one.
        more: the others, with the port chosen for a ``*``.
        socket: to be polled; readable when there are requests.
        connections: to be polled and enforced, too.

    Raises:
        AddressRefused, AddressInUse, AddressUnusable: it cannot listen on an address.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        address: str,
        commands: Mapping[str, Command],
        more: Iterable[str] = (),
        gate: CurveGate | None = None,
    ) -> None:
        self._commands = dict(commands)
        self.socket: zmq.Socket[bytes] = context.socket(zmq.ROUTER)
        self.connections = ConnectionLimit(self.socket, UNHEARD_BYTES)
        self.socket.linger = 0
        self.socket.maxmsgsize = CUT_OFF_BYTES
        self.socket.rcvhwm, self.socket.sndhwm = REQUESTS_WAITING, ANSWERS_WAITING
        self._promised: list[tuple[list[bytes], Future[Answer]]] = []
        try:
            self.address = bind(self.socket, address, "control", gate)
            self.more = tuple(bind(self.socket, each, "control", gate) for each in more)
        except BaseException:
            self.close()
            raise

    def answer(self) -> None:
        """Answer some of the requests that are waiting, so that the service gets to its samples."""
        until_s = time.monotonic() + ANSWERS_S
        for _ in range(ANSWERS_AT_ONCE):
            if time.monotonic() > until_s or not self.socket.poll(0):
                return
            frames = self.socket.recv_multipart(copy=False)
            descriptor = int(frames[0].get(zmq.MessageOption.SRCFD))
            if len(frames) > MOST_FRAMES or sum(map(len, frames)) > CUT_OFF_BYTES:
                hang_up(descriptor)
                continue
            self.connections.heard(descriptor)
            *envelope, request = (frame.bytes for frame in frames)
            answer = self.reply(request)
            if isinstance(answer, Future):
                self._promised.append((envelope, answer))
            else:
                self.socket.send_multipart([*envelope, answer])

    def keep_promises(self) -> None:
        """Send the answers of futures that are done."""
        if not self._promised:
            return  # as nearly always, with each sample
        finished = [promise for promise in self._promised if promise[1].done()]
        for promise in finished:
            self._promised.remove(promise)
            envelope, future = promise
            self.socket.send_multipart([*envelope, _result_of(future)])

    def reply(self, request: bytes) -> bytes | Future[Answer]:
        """Return the answer to a request, or the future of the answer's fields."""
        try:
            answer = self._run(_read(request))
        except (DaemonError, ModelError) as refusal:
            return _refused(refusal)
        return answer if isinstance(answer, Future) else _accepted(answer)

    def _run(self, given: dict[str, Any]) -> Answer | Future[Answer]:
        name = given.pop("command", None)
        if not (isinstance(name, str) and name in self._commands):
            raise CommandRefused(
                f"{name!r:.40} is not one of {', '.join(self._commands)}.", "unknown_command"
            )
        command = self._commands[name]
        return command(**_arguments(name, command, given))

    def close(self) -> None:
        """Stop listening."""
        self.connections.close()
        self.socket.close()


def _accepted(answer: Answer) -> bytes:
    """Encode an answer, without the fields that are not known."""
    given = {
        part.name: value
        for part in fields(answer)
        if (value := getattr(answer, part.name)) is not None or part.default is MISSING
    }
    return json.dumps({"ok": True, **given}, default=asdict).encode()


def _result_of(future: Future[Answer]) -> bytes:
    try:
        return _accepted(future.result())
    except (DaemonError, ModelError) as refusal:
        return _refused(refusal)


def _refused(refusal: DaemonError | ModelError) -> bytes:
    return json.dumps({"ok": False, **asdict(Refusal(str(refusal), refusal.code))}).encode()


def _read(request: bytes) -> dict[str, Any]:
    if len(request) > MAX_REQUEST_BYTES:
        raise CommandRefused(
            f"The request has {len(request)} bytes, {MAX_REQUEST_BYTES} are the most."
        )
    try:
        given: dict[str, Any] = typed(dict[str, Any], json.loads(request), "request")
    except (ValueError, RecursionError) as error:
        raise CommandRefused(f"The request is not a JSON object: {error}.") from error
    return given


def _arguments(name: str, command: Command, given: dict[str, Any]) -> dict[str, Any]:
    """Check the fields of a request by the parameters of its command."""
    known = signature(command).parameters
    hints = get_type_hints(command)
    for field in given:
        if field not in known:
            raise CommandRefused(f"{name}: {field!r:.40} is not one of its fields.")
    for field, parameter in known.items():
        if parameter.default is Parameter.empty and field not in given:
            raise CommandRefused(f"{name}: {field} is missing.")
    try:
        return {
            field: typed(hints[field], value, f"{name}.{field}") for field, value in given.items()
        }
    except ValueError as error:
        raise CommandRefused(f"{error}.") from error
