"""What the kernel grants is what is told, and what it refuses is gone without."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from daemon.acquisition import realtime
from daemon.acquisition.realtime import PRIORITY, ask_for_realtime

#: Asks in a process of its own, and looks up what the kernel says that it got.
ASK = """
import json, os
from daemon.acquisition.realtime import ask_for_realtime
told = ask_for_realtime()
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({
    "told": told,
    "policy": os.sched_getscheduler(0),
    "priority": os.sched_getparam(0).sched_priority,
    "locked_kb": int(status["VmLck"].split()[0]),
    "cpus": sorted(os.sched_getaffinity(0)),
}))
"""

REFUSED = ["prlimit", "--memlock=0:0", "--rtprio=0:0"]
if os.geteuid() == 0:
    REFUSED += ["setpriv", "--bounding-set=-ipc_lock,-sys_nice", "--inh-caps=-all"]


def ask(*under: str) -> dict[str, Any]:
    answer = subprocess.run([*under, sys.executable, "-c", ASK], capture_output=True, check=True)
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


@pytest.mark.parametrize("under", [[], REFUSED], ids=["as we are", "refused"])
def test_what_is_told_is_what_the_kernel_granted(under: list[str]) -> None:
    got = ask(*under)
    told = got["told"]
    assert told["policy"] == ("SCHED_FIFO" if got["policy"] == os.SCHED_FIFO else "SCHED_OTHER")
    assert got["priority"] == (PRIORITY if told["policy"] == "SCHED_FIFO" else 0)
    assert told["memory_locked"] == (got["locked_kb"] > 0)
    if told["cpu"] is not None:
        assert got["cpus"] == [told["cpu"]]


def test_who_may_nothing_goes_on_without() -> None:
    told = ask(*REFUSED)["told"]
    assert (told["policy"], told["memory_locked"]) == ("SCHED_OTHER", False)


def test_nothing_is_locked_under_a_limit_that_later_allocations_would_meet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(realtime, "getrlimit", lambda _: (1 << 26, 1 << 26))
    monkeypatch.setattr(ctypes, "CDLL", lambda _: pytest.fail("asked all the same"))
    assert not realtime._lock_memory()


@pytest.mark.parametrize(("cpus", "bound_to"), [({0}, None), ({0, 1}, None), ({0, 1, 2, 3}, 3)])
def test_one_of_many_processors_is_its_own(
    cpus: set[int], bound_to: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound: list[set[int]] = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: cpus)
    monkeypatch.setattr(os, "sched_setaffinity", lambda _, to: bound.append(to))
    monkeypatch.setattr(os, "sched_setscheduler", lambda *_: None)
    monkeypatch.setattr(realtime, "_lock_memory", lambda: False)
    assert ask_for_realtime()["cpu"] == bound_to
    assert bound == ([] if bound_to is None else [{bound_to}])
