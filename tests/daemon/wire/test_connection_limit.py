"""A crowd at a socket is kept small, and those who are in stay in."""

from __future__ import annotations

import resource
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import zmq

from daemon.wire import connection_limit
from daemon.wire.connection_limit import ConnectionLimit, raise_descriptor_limit

MOST = 20
MOST_BYTES = 100_000
GREETING = b"\xff" + bytes(8) + b"\x7f\3\0" + b"NULL".ljust(20, b"\0") + bytes(32)
READY = b"\4\x19\5READY\x0bSocket-Type\0\0\0\3SUB"
FRAME_AND_MORE = b"\3" + struct.pack(">Q", 1000) + bytes(1000)


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
    limit = ConnectionLimit(publisher, MOST_BYTES, MOST)
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
    limit = ConnectionLimit(publisher, MOST_BYTES, most=1)
    port = publisher.bind_to_random_port("tcp://127.0.0.1")
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", port)) as client:
            settle(limit)
            assert is_open(client)
        settle(limit)
    assert limit.refused == 0
    limit.close()


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def test_a_message_without_a_last_frame_is_bounded_in_memory(
    publisher: zmq.Socket[bytes],
) -> None:
    publisher.maxmsgsize = 1024  # which no frame exceeds
    limit = ConnectionLimit(publisher, MOST_BYTES)
    port = publisher.bind_to_random_port("tcp://127.0.0.1")
    before_mib, sent = resident_mib(), 0
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(GREETING)
        client.sendall(READY)
        client.settimeout(2)  # Linux may leave who found its window closed in doubt for a minute
        with suppress(ConnectionError, TimeoutError):
            while sent < 1000:  # half a gigabyte in libzmq, where nobody cares
                client.sendall(FRAME_AND_MORE * 500)
                limit.enforce_bytes()
                sent += 1
        assert 0 < sent < 100
        assert not is_open(client)
    assert resident_mib() - before_mib < 100
    limit.close()


def test_all_unfinished_messages_together_are_bounded(
    publisher: zmq.Socket[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limit, "MOST_TOGETHER_BYTES", 2 * MOST_BYTES)
    limit = ConnectionLimit(publisher, MOST_BYTES)
    port = publisher.bind_to_random_port("tcp://127.0.0.1")
    with ExitStack() as crowd:
        clients = [
            crowd.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(4)
        ]
        for number, client in enumerate(clients, 60):  # none of them sends as much as one may
            for words in (GREETING, READY, number * FRAME_AND_MORE):
                client.sendall(words)
                assert is_open(client)
        until_s = time.monotonic() + 5.0
        while all(map(is_open, clients)) and time.monotonic() < until_s:
            limit.enforce_bytes()
        settle(limit)
        limit.enforce_bytes()
        assert [is_open(client) for client in clients] == [True, True, True, False]
    limit.close()


def test_whole_messages_are_not_added_up(
    context: zmq.Context[zmq.Socket[bytes]],
) -> None:
    with context.socket(zmq.ROUTER) as router, context.socket(zmq.DEALER) as client:
        limit = ConnectionLimit(router, MOST_BYTES)
        port = router.bind_to_random_port("tcp://127.0.0.1")
        client.connect(f"tcp://127.0.0.1:{port}")
        for number in range(10):
            client.send_multipart([bytes([number]), bytes(MOST_BYTES // 2)])
            assert router.poll(20_000)
            frames = router.recv_multipart(copy=False)
            assert frames[1].bytes == bytes([number])
            limit.enforce()
            limit.heard(int(frames[0].get(zmq.MessageOption.SRCFD)))
            limit.enforce_bytes()
        limit.close()


def test_the_process_may_have_as_many_descriptors_as_the_system_allows() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
    try:
        raise_descriptor_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(65536, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
