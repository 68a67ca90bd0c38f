"""What the handlers of requests work with: settings, the hub of messages, and the service."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from starlette.requests import HTTPConnection

from config.folders import recorder_address
from config.settings import Loaded
from daemon.web.children import Children
from daemon.web.doctor import Doctor
from daemon.web.gate import Gate
from daemon.web.hub import Hub
from daemon.web.overview import Overviews
from daemon.web.problems import Problem
from daemon.web.site_view import SiteView
from daemon.wire.client import Control
from daemon.wire.keys import ClientKeys

AT_ONCE = 4  # requests to the service
MOST_WAITING = 32  # more are refused at once
ANSWER_S = 5.0


@dataclass(frozen=True, slots=True)
class Socket:
    """Where a socket of the service's is, and the keys for it."""

    address: str
    keys: ClientKeys | None = None


class Service:
    """Sends commands to the service, each in a thread of a few, on a connection of its own."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._workers = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="control")
        self._waiting = 0

    async def request(
        self, command: str, /, timeout_s: float | None = None, **fields: object
    ) -> dict[str, Any]:
        """Send a command and return the fields of the answer, without ``ok``.

        Raises:
            DaemonError: as of :meth:`daemon.wire.client.Control.request`.
            Problem: too many requests wait already.
        """
        if self._waiting >= MOST_WAITING:
            raise Problem(503, "busy", "Too many requests wait for the service.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._workers, partial(self._ask, command, timeout_s or ANSWER_S, fields)
            )
        finally:
            self._waiting -= 1

    def _ask(self, command: str, timeout_s: float, fields: dict[str, object]) -> dict[str, Any]:
        with Control(self._socket.address, timeout_s, self._socket.keys) as control:
            answer = control.request(command, **fields)
        answer.pop("ok")
        return answer

    def close(self) -> None:
        """End the threads; what they wait for is given up."""
        self._workers.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class Context:
    """What all handlers share."""

    loaded: Loaded  # the settings, and where each came from
    hub: Hub  # of what the service says
    service: Service  # to be asked
    gate: Gate  # who may
    site: SiteView  # of the devices of a fleet
    #: the recorder, to be asked
    recorder: Service = field(default_factory=lambda: Service(Socket(recorder_address())))
    doctor: Doctor = field(default_factory=Doctor)  # of the device
    overviews: Overviews = field(default_factory=Overviews)  # of recordings
    uploads: Children = field(default_factory=Children)  # that work on what is uploaded
    conversions: Children = field(default_factory=Children)  # that write what is downloaded
    #: held while the service does what it does only one at a time of
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)


def context_of(request: HTTPConnection) -> Context:
    """Return what a request's handler works with."""
    context: Context = request.app.state.context
    return context
