"""Limits on the number of connections, and on the size of a message, of a socket.

libzmq accepts every connection, waits half a minute for a greeting, and aborts the process when it
runs out of descriptors. So connections are counted by the socket's monitor, those beyond the limit
are shut down, and the limit on descriptors is far above what can be accepted between two counts.

ZMQ_MAXMSGSIZE limits a frame, but a message may have any number of frames, and libzmq hands it out
only when the last has come. So the kernel is asked how much each TCP connection has sent. It does
not tell this of ipc sockets, to which only the service's user and root can connect.
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
MOST_TOGETHER_BYTES = 1 << 26  # that all connections of a socket may have sent and not completed
DESCRIPTORS = 65536
THROWN_AWAY_BYTES = 1 << 20  # at once
BYTES_RECEIVED_AT = 128  # tcpi_bytes_received in struct tcp_info of linux/tcp.h


class ConnectionLimit:
    """Counts the connections of a bound socket, and shuts down those beyond the limits.

    Args:
        socket: not bound yet.
        most_bytes: what a connection may send between two calls of ``heard``.
        most: connections that may be open at once.

    Attributes:
        socket: the monitor; to be polled.
        refused: connections that were shut down for being too many.
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
        """Count the connections that came and went; to be called when the monitor can be read."""
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

    def enforce_bytes(self) -> None:
        """Shut down connections that sent too much; to be called ten times a second.

        Where all together have, those that sent most are shut down.
        """
        self.enforce()
        unheard = {each: _bytes_received(each) - heard for each, heard in self._open.items()}
        together = sum(unheard.values())
        for descriptor, count in sorted(unheard.items(), key=lambda each: -each[1]):
            if count > self._most_bytes or together > MOST_TOGETHER_BYTES:
                hang_up(descriptor)
                together -= count

    def heard(self, descriptor: int) -> None:
        """Begin to count a connection's bytes anew, as a whole message of it was received."""
        if descriptor in self._open:
            self._open[descriptor] = _bytes_received(descriptor)

    def hang_up_on_all(self) -> None:
        """Shut down every connection; ZeroMQ's clients reconnect by themselves within a second."""
        self.enforce()
        for descriptor in self._open:
            hang_up(descriptor)

    def close(self) -> None:
        """Close the monitor, not the socket."""
        self._watched.disable_monitor()
        self.socket.close()


def raise_descriptor_limit() -> None:
    """Raise this process's limit on descriptors as far as allowed and needed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def hang_up(descriptor: int) -> None:
    """Shut down a connection, and leave its descriptor for libzmq to close.

    What has come already, megabytes perhaps, would still be read: TCP throws it away if told to.
    """
    with suppress(OSError), _lent(descriptor) as connection:
        with suppress(OSError):  # unless it has gone by itself
            connection.shutdown(network.SHUT_RDWR)
        if connection.family != network.AF_UNIX:
            while connection.recv(THROWN_AWAY_BYTES, network.MSG_TRUNC | network.MSG_DONTWAIT):
                pass


def _bytes_received(descriptor: int) -> int:
    """Return how many bytes a TCP connection has sent; 0 for others."""
    with suppress(OSError, struct.error), _lent(descriptor) as connection:
        info = connection.getsockopt(network.IPPROTO_TCP, network.TCP_INFO, 256)
        return int(struct.unpack_from("=Q", info, BYTES_RECEIVED_AT)[0])
    return 0


@contextmanager
def _lent(descriptor: int) -> Iterator[network.socket]:
    """Yield a socket of libzmq's, which stays open."""
    connection = network.socket(fileno=descriptor)
    try:
        yield connection
    finally:
        connection.detach()
