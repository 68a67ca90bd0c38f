"""The system, not qrsd, is asked whether it probes the connections of both ends."""

from __future__ import annotations

import os
import socket as network
from collections.abc import Iterator
from contextlib import suppress

import zmq

from daemon.wire.client import Subscriber
from daemon.wire.publisher import Publisher


def connections(port: int) -> Iterator[network.socket]:
    """Yield this process's TCP connections from and to a port."""
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError), network.socket(fileno=os.dup(int(name))) as each:
            if port in (each.getsockname()[1], each.getpeername()[1]):
                yield each


def test_both_ends_notice_within_a_minute_that_the_other_died(
    context: zmq.Context[zmq.Socket[bytes]],
) -> None:
    """The system's own default is never; and with keepalive, two hours and more."""
    with Publisher(context, ["tcp://127.0.0.1:*"], "bench", "simulated") as publisher:
        address = publisher.addresses[0]
        with Subscriber(address, ["identity"]):
            assert publisher.socket.poll(5000)
            probed = 0
            for each in connections(int(address.rpartition(":")[2])):
                probed += each.getsockopt(network.SOL_SOCKET, network.SO_KEEPALIVE)
                idle_s, interval_s, probes = (
                    each.getsockopt(network.IPPROTO_TCP, option)
                    for option in (network.TCP_KEEPIDLE, network.TCP_KEEPINTVL, network.TCP_KEEPCNT)
                )
                assert idle_s + interval_s * probes <= 60
            assert probed == 2
