"""TCP keepalive: a peer whose machine or network died is noticed, though nobody sends anything.

Without it a subscriber waits for ever for a service whose Pi lost its power and is back, and the
service keeps a connection for each laptop that was closed, until their limit is reached.
"""

from __future__ import annotations

import zmq

IDLE_S = 30  # before the first probe
INTERVAL_S = 10  # between probes
PROBES = 3  # without an answer, until the connection is given up; ZeroMQ's clients reconnect


def keep_alive(socket: zmq.Socket[bytes]) -> None:
    """Let the system probe a socket's TCP connections; before it is bound or connected."""
    socket.tcp_keepalive = 1
    socket.tcp_keepalive_idle = IDLE_S
    socket.tcp_keepalive_intvl = INTERVAL_S
    socket.tcp_keepalive_cnt = PROBES
