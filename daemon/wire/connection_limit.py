"""No more connections than a service can bear: who comes beyond them is hung up on at once.

libzmq accepts whoever connects, holds half a minute for a greeting that never comes, and aborts the
whole process where it runs out of descriptors. So each socket's monitor counts the connections, and
the limit on descriptors is raised far above what can be accepted before the count is looked at.
"""

from __future__ import annotations

import resource
import socket as network
from contextlib import suppress
from typing import Any

import zmq
from zmq.utils.monitor import recv_monitor_message

MOST_CONNECTIONS = 500  # of a socket
GREETING_MS = 5000  # a client says within milliseconds that it speaks ZeroMQ
EVENTS_AT_ONCE = 1000
DESCRIPTORS = 65536


class ConnectionLimit:
    """Counts the connections of a socket that is bound, and hangs up on those beyond the limit.

    Args:
        socket: whose connections; make this before it is bound.
        most: how many may be open at once.

    Attributes:
        socket: the monitor; to be polled.
        refused: how many were hung up on.
    """

    def __init__(self, socket: zmq.Socket[bytes], most: int = MOST_CONNECTIONS) -> None:
        self._watched = socket
        self._most = most
        self._open: set[int] = set()
        self.refused = 0
        socket.handshake_ivl = GREETING_MS
        self.socket: zmq.Socket[bytes] = socket.get_monitor_socket(
            zmq.Event.ACCEPTED | zmq.Event.DISCONNECTED
        )

    def enforce(self) -> None:
        """Take note of who came and went since, some at a time."""
        for _ in range(EVENTS_AT_ONCE):
            if not self.socket.poll(0):
                return
            self._take(recv_monitor_message(self.socket))

    def _take(self, event: Any) -> None:
        descriptor = event["value"]
        if event["event"] == zmq.Event.DISCONNECTED:
            self._open.discard(descriptor)
        elif event["event"] == zmq.Event.ACCEPTED:
            self._open.add(descriptor)
            if len(self._open) > self._most:
                self.refused += 1
                _hang_up(descriptor)

    def hang_up_on_all(self) -> None:
        """End every connection; ZeroMQ's clients come again by themselves within a second."""
        self.enforce()
        for descriptor in self._open:
            _hang_up(descriptor)

    def close(self) -> None:
        """Stop counting; the socket itself is closed by whoever opened it."""
        self._watched.disable_monitor()
        self.socket.close()


def raise_descriptor_limit() -> None:
    """Allow this process as many descriptors as the system lets it have, within reason."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _hang_up(descriptor: int) -> None:
    """End a connection whose descriptor is libzmq's to close."""
    with suppress(OSError):  # it has gone by itself
        connection = network.socket(fileno=descriptor)
        try:
            connection.shutdown(network.SHUT_RDWR)
        finally:
            connection.detach()
