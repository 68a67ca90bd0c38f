"""Memory, descriptors and threads of this process, which must not grow."""

from __future__ import annotations

import os
import sys
import threading
import tracemalloc
from pathlib import Path
from typing import NamedTuple

TRACED_HOURS = 0.5  # at the end: tracing makes everything twice as slow
TRACED_SHARE = 0.1


class Taken(NamedTuple):
    """What the process holds at one time."""

    hours: float  # virtual time
    rss_mib: float  # resident memory
    blocks: int  # objects that Python has allocated
    descriptors: int  # open files, pipes and sockets
    threads: int  # Python's


def resident_mib(process: int | str = "self") -> float:
    """Return a process's resident memory."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def taken(hours: float) -> Taken:
    """Return what the process holds now."""
    return Taken(
        hours,
        resident_mib(),
        sys.getallocatedblocks(),
        len(os.listdir("/proc/self/fd")),
        threading.active_count(),
    )


class Tracer:
    """Follows Python's allocations over the last part of a soak.

    Attributes:
        grown_kib: what was allocated in that part's second half and not freed; None until then.
        where: the lines that allocated most of it.
    """

    def __init__(self, hours: float) -> None:
        self._traced_hours = min(TRACED_HOURS, TRACED_SHARE * hours)
        self._begin_hours = hours - self._traced_hours
        self._middle_hours = hours - self._traced_hours / 2
        self._before: tracemalloc.Snapshot | None = None
        self.grown_kib: float | None = None
        self.where: list[str] = []

    def look(self, hours: float) -> None:
        """Begin, and remember the middle, when it is time."""
        if hours >= self._begin_hours and not tracemalloc.is_tracing() and self._before is None:
            tracemalloc.start()
        if hours >= self._middle_hours and self._before is None:
            self._before = tracemalloc.take_snapshot()

    def end(self) -> None:
        """Compare the end with the middle."""
        if self._before is None:
            return
        differences = tracemalloc.take_snapshot().compare_to(self._before, "lineno")
        tracemalloc.stop()
        ours = [d for d in differences if "tracemalloc" not in d.traceback[0].filename]
        self.grown_kib = sum(difference.size_diff for difference in ours) / 1024
        self.where = [str(difference) for difference in ours[:3]]
