"""A crowd at a socket is kept small, and those who are in stay in."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import zmq

from daemon.wire.connection_limit import ConnectionLimit, raise_descriptor_limit

MOST = 20


@pytest.fixture
def publisher(context: zmq.Context[zmq.Socket[bytes]]) -> Iterator[zmq.Socket[bytes]]:
    publisher = context.socket(zmq.XPUB)
    yield publisher
    publisher.close(linger=0)


def settle(limit: ConnectionLimit) -> None:
    until_s = time.monotonic() + 0.5
    while time.monotonic() < until_s:
        limit.enforce()
        time.sleep(0.01)


def is_open(client: socket.socket) -> bool:
    """Tell whether the other end has not hung up; it greets before it does."""
    client.settimeout(0.01)
    try:
        while client.recv(1000):
            pass
    except TimeoutError:
        return True
    except ConnectionError:
        return False
    return False


def test_who_comes_beyond_the_limit_is_hung_up_on(
    context: zmq.Context[zmq.Socket[bytes]], publisher: zmq.Socket[bytes]
) -> None:
    limit = ConnectionLimit(publisher, MOST)
    port = publisher.bind_to_random_port("tcp://127.0.0.1")
    with context.socket(zmq.SUB) as subscriber, ExitStack() as crowd:
        subscriber.connect(f"tcp://127.0.0.1:{port}")
        subscriber.subscribe(b"")
        assert publisher.recv() == b"\x01"

        clients = [
            crowd.enter_context(socket.create_connection(("127.0.0.1", port)))
            for _ in range(5 * MOST)
        ]
        settle(limit)

        assert sum(map(is_open, clients)) == MOST - 1  # the subscriber is the other one
        assert limit.refused == 4 * MOST + 1
        publisher.send(b"still here")
        assert subscriber.recv() == b"still here"
    limit.close()


def test_a_place_is_free_again_once_somebody_leaves(publisher: zmq.Socket[bytes]) -> None:
    limit = ConnectionLimit(publisher, most=1)
    port = publisher.bind_to_random_port("tcp://127.0.0.1")
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", port)) as client:
            settle(limit)
            assert is_open(client)
        settle(limit)
    assert limit.refused == 0
    limit.close()


def test_the_process_may_have_as_many_descriptors_as_the_system_allows() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
    try:
        raise_descriptor_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(65536, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
