"""How the service tells the time and lets it pass: the machine's way, or that of a virtual time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import zmq


@dataclass(frozen=True, slots=True)
class TimeSource:
    """The machine's own time, where nothing else is given.

    Attributes:
        monotonic: the clock of the edges, in seconds.
        wall: seconds since 1970 in UTC.
        poller: makes what waits for sockets and pipes.
        sleep: lets seconds pass.
    """

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    poller: Callable[[], zmq.Poller] = zmq.Poller
    sleep: Callable[[float], None] = time.sleep
