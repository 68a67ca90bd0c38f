"""Pipes and sockets are noticed, at once or within a tenth of a second of samples."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import zmq

from daemon.service.poller import ASK_EVERY_TURNS, Poller, Socket


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


@pytest.fixture
def sockets(context: zmq.Context[Socket]) -> tuple[Socket, Socket]:
    """A socket to be polled, and one that writes to it."""
    reading, writing = context.socket(zmq.PULL), context.socket(zmq.PUSH)
    reading.bind("inproc://poller")
    writing.connect("inproc://poller")
    return reading, writing


def test_nothing_to_read_takes_the_time_that_was_given(
    pipe: tuple[int, int], sockets: tuple[Socket, Socket]
) -> None:
    assert Poller([pipe[0]], [sockets[0]]).poll(1) == set()


def test_a_pipe_is_ready_when_written_to_and_when_closed(sockets: tuple[Socket, Socket]) -> None:
    reading, writing = os.pipe()
    poller = Poller([reading], [sockets[0]])
    poller.poll(0)

    os.write(writing, b"sample")
    assert poller.poll(1000) == {reading}
    os.read(reading, 10)
    os.close(writing)
    assert poller.poll(1000) == {reading}
    os.close(reading)


def test_a_socket_is_ready_until_all_its_messages_are_read(
    pipe: tuple[int, int], sockets: tuple[Socket, Socket]
) -> None:
    reading, writing = sockets
    poller = Poller([pipe[0]], [reading])
    poller.poll(0)

    for number in range(3):
        writing.send(bytes([number]))
    received = []
    while poller.poll(10):
        received.append(reading.recv())

    assert received == [b"\0", b"\1", b"\2"]


def test_a_socket_whose_descriptor_was_read_empty_is_asked_all_the_same(
    pipe: tuple[int, int], sockets: tuple[Socket, Socket]
) -> None:
    reading, writing = sockets
    poller = Poller([pipe[0]], [reading])
    poller.poll(0)

    writing.send(b"a request")
    assert reading.getsockopt(zmq.EVENTS) & zmq.POLLIN  # this empties the descriptor
    os.write(pipe[1], b"samples that always come")

    turns = [poller.poll(1000) for _ in range(ASK_EVERY_TURNS)]
    assert reading in set().union(*turns)
