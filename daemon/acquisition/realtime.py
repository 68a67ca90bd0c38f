"""What the acquisition process asks of the kernel: to be scheduled at once, and never paged out.

Each is refused to an ordinary user unless the unit allows it (LimitRTPRIO, LimitMEMLOCK). The
process goes on without, and the status message says what it got.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
from contextlib import suppress
from resource import RLIM_INFINITY, RLIMIT_MEMLOCK, getrlimit
from typing import TypedDict

PRIORITY = 40
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
_PR_SET_PDEATHSIG = 1


class Scheduling(TypedDict):
    """What was granted.

    Attributes:
        policy: ``SCHED_FIFO`` or ``SCHED_OTHER``.
        cpu: the one processor it is bound to, None if it may run on all.
        memory_locked: whether its memory stays in RAM.
    """

    policy: str
    cpu: int | None
    memory_locked: bool


def ask_for_realtime() -> Scheduling:
    """Ask for SCHED_FIFO, a processor of one's own and locked memory; return what was granted."""
    return {
        "policy": "SCHED_FIFO" if _schedule_first() else "SCHED_OTHER",
        "cpu": _bind_to_last_cpu(),
        "memory_locked": _lock_memory(),
    }


def stop_collecting_garbage() -> None:
    """Keep the collector, which may take 20 ms, out of the sample loop, which makes no cycles."""
    gc.collect()
    gc.freeze()
    gc.disable()


def die_with_parent() -> None:
    """Have the kernel send SIGTERM when the parent process ends, however it ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _schedule_first() -> bool:
    """Schedule every thread of this process, gpiozero's too, before all ordinary ones."""
    try:
        for thread in os.listdir("/proc/self/task"):
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.sched_setscheduler(int(thread), os.SCHED_FIFO, os.sched_param(PRIORITY))
    except OSError:
        return False
    return True


def _bind_to_last_cpu() -> int | None:
    """Bind to the highest processor where there are more than two: interrupts go to the lowest."""
    cpus = os.sched_getaffinity(0)
    if len(cpus) <= 2:
        return None
    os.sched_setaffinity(0, {max(cpus)})
    return max(cpus)


def _lock_memory() -> bool:
    """Keep every page that is ever touched, which is 17 MB; all of them would be 45 MB.

    Under a limit that is not unlimited nothing is locked, because later allocations would fail.
    """
    if os.geteuid() != 0 and getrlimit(RLIMIT_MEMLOCK)[0] != RLIM_INFINITY:
        return False
    locked: int = ctypes.CDLL(None).mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT)
    return locked == 0
