"""Connections that cost the server nothing for long: too many, or too slow, are hung up on.

uvicorn waits for ever for the head of a request, and takes any number of connections.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from config.web_address import is_loopback
from daemon.web.throttle import source_of

HEAD_S = 10.0  # for the head of a request to arrive
MOST_CONNECTIONS = 512
MOST_OF_A_SOURCE = 128  # if it is another machine


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that hangs up on who does not get to the end of a request's head."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._mind_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what comes; a head that is whole stops the clock."""
        super().data_received(data)
        self._mind_deadline()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection on, which is a WebSocket's from here."""
        super().handle_websocket_upgrade(event)
        self._cancel()

    def _mind_deadline(self) -> None:
        if self.conn.their_state is not h11.IDLE or self.transport.get_protocol() is not self:
            self._cancel()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_S, self.transport.abort)

    def _cancel(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class BoundedSocket(socket.socket):
    """A listening socket that hangs up at once on connections beyond the limits.

    asyncio calls ``accept``, before anything of TLS is done for a connection.
    """

    def __init__(self, family: int) -> None:
        super().__init__(family, socket.SOCK_STREAM)
        self._open: list[tuple[socket.socket, str]] = []

    def accept(self) -> tuple[socket.socket, Any]:
        """Return the next connection.

        Raises:
            BlockingIOError: there is none for now.
        """
        while True:
            connection, address = super().accept()
            source = source_of(address[0])
            self._open = [(each, whose) for each, whose in self._open if each.fileno() != -1]
            of_source = sum(whose == source for _, whose in self._open)
            most = MOST_CONNECTIONS if is_loopback(source) else MOST_OF_A_SOURCE
            if len(self._open) < MOST_CONNECTIONS and of_source < most:
                self._open.append((connection, source))
                return connection, address
            connection.close()
