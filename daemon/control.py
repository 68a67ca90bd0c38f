"""The service's ear: commands as JSON, one answer each, and an answer to rubbish too.

    {"command": "enroll", "person": "Ada"}  ->  {"ok": true, ...}
    {"command": "enrol"}                    ->  {"ok": false, "error": "enrol: not one of ..."}

A command is a function: its parameters are the fields that a request may have, their annotations
the types, their defaults what a request may leave out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from typing import Any, Self, TypeAlias, get_type_hints

import zmq

from config.typed_json import typed
from daemon.addresses import bind
from daemon.errors import CommandRefused
from model.errors import ModelError

Command: TypeAlias = Callable[..., Mapping[str, object]]

MAX_REQUEST_BYTES = 65536


class ControlServer:
    """Answers requests on one ipc address.

    Args:
        context: the service's ZeroMQ context.
        address: where to listen, see ``daemon.addresses``.
        commands: by name, functions that return the fields of the answer. They say no by raising
            ``CommandRefused`` or a ``ModelError``.

    Attributes:
        socket: to be polled; readable when there are requests.

    Raises:
        AddressRefused, AddressInUse, AddressUnusable: the address cannot be had.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        address: str,
        commands: Mapping[str, Command],
    ) -> None:
        self._commands = dict(commands)
        self.socket: zmq.Socket[bytes] = context.socket(zmq.ROUTER)
        self.socket.linger = 0
        self.socket.maxmsgsize = MAX_REQUEST_BYTES
        try:
            self.address = bind(self.socket, address)
        except BaseException:
            self.socket.close()
            raise

    def answer(self) -> None:
        """Answer every request that is waiting; a client that has left is not waited for."""
        while self.socket.poll(0):
            *envelope, request = self.socket.recv_multipart()
            self.socket.send_multipart([*envelope, self.reply(request)])

    def reply(self, request: bytes) -> bytes:
        """Return the answer to the bytes of one request."""
        try:
            answer = {"ok": True, **self._obey(_read(request))}
        except (CommandRefused, ModelError) as refusal:
            answer = {"ok": False, "error": str(refusal)}
        return json.dumps(answer).encode()

    def _obey(self, fields: dict[str, Any]) -> Mapping[str, object]:
        name = fields.pop("command", None)
        if not (isinstance(name, str) and name in self._commands):
            raise CommandRefused(f"{name!r:.40} is not one of {', '.join(self._commands)}.")
        command = self._commands[name]
        return command(**_arguments(name, command, fields))

    def close(self) -> None:
        """Stop listening."""
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _read(request: bytes) -> dict[str, Any]:
    try:
        fields: dict[str, Any] = typed(dict[str, Any], json.loads(request), "request")
    except (ValueError, RecursionError) as error:
        raise CommandRefused(f"The request is not a JSON object: {error}.") from error
    return fields


def _arguments(name: str, command: Command, fields: dict[str, Any]) -> dict[str, Any]:
    """Hold the fields of a request to the parameters of its command."""
    known = signature(command).parameters
    hints = get_type_hints(command)
    for field in fields:
        if field not in known:
            raise CommandRefused(f"{name}: {field!r:.40} is not one of its fields.")
    for field, parameter in known.items():
        if parameter.default is Parameter.empty and field not in fields:
            raise CommandRefused(f"{name}: {field} is missing.")
    try:
        return {
            field: typed(hints[field], value, f"{name}.{field}") for field, value in fields.items()
        }
    except ValueError as error:
        raise CommandRefused(f"{error}.") from error
