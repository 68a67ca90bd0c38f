"""How the service tells the time and lets it pass: the machine's way, or that of a virtual time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from daemon.service.poller import Poller, Socket


@dataclass(frozen=True, slots=True)
class TimeSource:
    """The machine's own time, where nothing else is given."""

    monotonic: Callable[[], float] = time.monotonic  # the clock of the edges, in seconds
    wall: Callable[[], float] = time.time  # seconds since 1970 in UTC
    #: makes what waits for pipes and sockets
    poller: Callable[[Sequence[int], Sequence[Socket]], Poller] = Poller
    sleep: Callable[[float], None] = time.sleep  # lets seconds pass
