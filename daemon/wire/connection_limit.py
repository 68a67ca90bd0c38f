"""No more connections, and no longer messages, than a service can bear: others are hung up on.

libzmq accepts whoever connects, holds half a minute for a greeting that never comes, and aborts the
whole process where it runs out of descriptors. So each socket's monitor counts the connections, and
the limit on descriptors is raised far above what can be accepted before the count is looked at.

ZMQ_MAXMSGSIZE bounds a frame, and a message may have any number of them, which libzmq shows to
nobody before the last has come. So what a TCP connection has sent is asked of the kernel. It does
not count for ipc sockets, to which nobody can connect but the service's user and root.
"""

from __future__ import annotations

import resource
import socket as network
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import zmq
from zmq.utils.monitor import recv_monitor_message

MOST_CONNECTIONS = 500  # of a socket
GREETING_MS = 5000  # a client says within milliseconds that it speaks ZeroMQ
EVENTS_AT_ONCE = 1000
DESCRIPTORS = 65536
BYTES_RECEIVED_AT = 128  # tcpi_bytes_received in struct tcp_info of linux/tcp.h


class ConnectionLimit:
    """Counts the connections of a socket that is bound, and hangs up on those beyond the limit.

    Args:
        socket: whose connections; make this before it is bound.
        most_bytes: what each may send between two whole messages of which ``heard`` is told.
        most: how many may be open at once.

    Attributes:
        socket: the monitor; to be polled.
        refused: how many were hung up on.
    """

    def __init__(
        self, socket: zmq.Socket[bytes], most_bytes: int, most: int = MOST_CONNECTIONS
    ) -> None:
        self._watched = socket
        self._most_bytes = most_bytes
        self._most = most
        self._open: dict[int, int] = {}  # descriptor: bytes received with its last whole message
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
            self._open.pop(descriptor, None)
        elif event["event"] == zmq.Event.ACCEPTED:
            self._open[descriptor] = 0
            if len(self._open) > self._most:
                self.refused += 1
                hang_up(descriptor)

    def look_around(self) -> None:
        """Hang up on those who sent too much; to be called each second."""
        self.enforce()
        for descriptor, heard in self._open.items():
            if _bytes_received(descriptor) - heard > self._most_bytes:
                hang_up(descriptor)

    def heard(self, descriptor: int) -> None:
        """Take note that a whole message of a connection was received."""
        if descriptor in self._open:
            self._open[descriptor] = _bytes_received(descriptor)

    def hang_up_on_all(self) -> None:
        """End every connection; ZeroMQ's clients come again by themselves within a second."""
        self.enforce()
        for descriptor in self._open:
            hang_up(descriptor)

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


def hang_up(descriptor: int) -> None:
    """End a connection whose descriptor is libzmq's to close."""
    with suppress(OSError), _lent(descriptor) as connection:  # unless it has gone by itself
        connection.shutdown(network.SHUT_RDWR)


def _bytes_received(descriptor: int) -> int:
    """Return what a TCP connection has sent us so far; 0 for others."""
    with suppress(OSError, struct.error), _lent(descriptor) as connection:
        info = connection.getsockopt(network.IPPROTO_TCP, network.TCP_INFO, 256)
        return int(struct.unpack_from("=Q", info, BYTES_RECEIVED_AT)[0])
    return 0


@contextmanager
def _lent(descriptor: int) -> Iterator[network.socket]:
    """Give a socket of libzmq's without closing it afterwards."""
    connection = network.socket(fileno=descriptor)
    try:
        yield connection
    finally:
        connection.detach()
