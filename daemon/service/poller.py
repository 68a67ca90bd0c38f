"""Waiting for pipes and ZeroMQ sockets with one system call a sample.

``zmq.Poller`` asks each socket on every turn, 250 times a second, though the sockets have something
to say a few times a minute. Here the kernel watches the descriptor that each socket has (ZMQ_FD).
It becomes readable once for whatever happens, and sending may read it empty (zmq_getsockopt(3)), so
the sockets are also asked every tenth of a second, and for as long as one of them has more.
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from typing import TypeAlias

import zmq

ASK_EVERY_TURNS = 25

Socket: TypeAlias = zmq.Socket[bytes]


class Poller:
    """Waits until there is something to read."""

    def __init__(self, pipes: Sequence[int], sockets: Sequence[Socket]) -> None:
        self._pipes = frozenset(pipes)
        self._sockets = tuple(sockets)
        self._turns = 0
        self._more = True
        self._kernel = select.poll()
        for pipe in pipes:
            self._kernel.register(pipe, select.POLLIN)
        for socket in sockets:
            self._kernel.register(socket.fileno(), select.POLLIN)

    def poll(self, timeout_ms: int) -> set[int | Socket]:
        """Return the pipes and sockets that can be read, after ``timeout_ms`` at most."""
        ready: set[int | Socket] = set()
        self._turns += 1
        ask = self._more or self._turns % ASK_EVERY_TURNS == 0
        for number, _ in self._kernel.poll(0 if self._more else timeout_ms):
            if number in self._pipes:
                ready.add(number)
            else:
                ask = True
        if ask or not ready:
            talking = {socket for socket in self._sockets if _can_be_read(socket)}
            self._more = bool(talking)
            ready |= talking
        return ready


def _can_be_read(socket: Socket) -> bool:
    events = socket.getsockopt(zmq.EVENTS)
    assert isinstance(events, int)
    return bool(events & zmq.POLLIN)
