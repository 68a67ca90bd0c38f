"""Run the whole service at 250 Hz by the wall clock, and measure what a subscriber gets.

    python -m benchmarks.real_time --minutes 10

The chip is simulated, in the acquisition process; everything else is as on a Raspberry Pi. Latency
is from the edge of the last sample that a beat needs to the identity message's arrival here.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.running import running
from benchmarks.soak.machine import resident_mib
from daemon.offline.results import show
from daemon.tables import filled
from daemon.wire.client import Lost, Subscriber
from daemon.wire.messages import IdentityMessage, Received, StatusMessage

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used so far."""

    cpu_s: float
    memory_mib: float

    @classmethod
    def of(cls, pid: int) -> Usage:
        """Read it from /proc."""
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        cpu_s = (int(fields[11]) + int(fields[12])) / TICKS_PER_S
        return cls(cpu_s, resident_mib(pid))


@dataclass(slots=True)
class Tally:
    """What the subscriber got."""

    latencies_s: list[float]
    first: StatusMessage
    last: StatusMessage
    lost_messages: int


def wait_until_it_runs(address: str) -> None:
    """Return once a service says that it does."""
    with Subscriber(address, ["status"], timeout_s=1.0) as subscriber:
        for item in subscriber:
            match item:
                case Received(_, StatusMessage(state="running")):
                    return


def listen(addresses: Sequence[str], minutes: float) -> list[Tally]:
    """Listen to services that run, all at once, with a progress bar."""
    seconds = 60 * minutes
    with ThreadPoolExecutor(len(addresses)) as pool:
        tallies = [pool.submit(_listen_to, address, seconds) for address in addresses]
        for _ in track(range(round(seconds)), "listening", console=Console(stderr=True)):
            time.sleep(1)
        return [each.result() for each in tallies]


def _listen_to(address: str, seconds: float) -> Tally:
    latencies_s: list[float] = []
    first: StatusMessage | None = None
    last: StatusMessage | None = None
    lost_messages = 0
    end_s = time.monotonic() + seconds
    with Subscriber(address, ["status", "identity"], timeout_s=1.0) as subscriber:
        for item in subscriber:
            match item:
                case Received(stamp, _) if stamp.age_s:
                    continue  # said before
                case Received(stamp, IdentityMessage()):
                    latencies_s.append(time.time() - stamp.utc.timestamp())
                case Received(_, StatusMessage(state="running") as status):
                    first, last = first or status, status
                case Lost():
                    lost_messages += item.count
            if time.monotonic() > end_s and first is not None and last is not None:
                return Tally(latencies_s, first, last, lost_messages)
    raise AssertionError("a subscriber never ends by itself")


def measure(minutes: float, folder: Path) -> Table:
    """Run a service in ``folder`` and return the table of what was measured."""
    address = f"ipc://{folder}/messages.ipc"
    publish = ("--set", f"publish.addresses=['{address}']")
    with running(folder, "run", "--simulated", *publish) as service:
        wait_until_it_runs(address)
        acquisition = int(
            Path(f"/proc/{service.pid}/task/{service.pid}/children").read_text().split()[0]
        )
        pids = {"service": service.pid, "acquisition, with the simulated chip": acquisition}
        before = {name: Usage.of(pid) for name, pid in pids.items()}
        [tally] = listen([address], minutes)
        rows = told(tally)
        for name, pid in pids.items():
            rows |= used(name, before[name], Usage.of(pid), minutes)
    title = f"{minutes:g} minutes at 250 Hz, simulated chip"
    return filled(title, ("what", "measured"), rows.items())


def told(tally: Tally) -> dict[str, str]:
    """Return what a service told, by its name in the table."""
    counters, start = tally.last.counters, tally.first.counters
    latencies_ms = 1000 * np.array(tally.latencies_s)
    return {
        "samples received": f"{counters.received - start.received:.0f}",
        "samples lost": f"{counters.lost - start.lost:.0f}",
        "late reads": f"{counters.late_reads - start.late_reads:.0f}",
        "most samples queued in the pipe": f"{counters.queued_max:.0f}",
        "messages lost by the subscriber": str(tally.lost_messages),
        "identity messages": str(len(latencies_ms)),
        "last sample to identity, median": f"{np.median(latencies_ms):.2f} ms",
        "last sample to identity, p99": f"{np.percentile(latencies_ms, 99):.2f} ms",
        "last sample to identity, max": f"{latencies_ms.max():.2f} ms",
        "scheduling": tally.last.scheduling.policy if tally.last.scheduling else "unknown",
    }


def used(name: str, before: Usage, after: Usage, minutes: float) -> dict[str, str]:
    """Return what a process used, by its name in the table."""
    share = (after.cpu_s - before.cpu_s) / (minutes * 60)
    return {
        f"CPU of the {name}": f"{share:.1%} of a core",
        f"memory of the {name}": f"{after.memory_mib:.0f} MiB",
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (%(default)s)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="qrsd-benchmark-") as folder:
        drawn = measure(args.minutes, Path(folder))
    show([drawn])
    return 0


if __name__ == "__main__":
    sys.exit(main())
