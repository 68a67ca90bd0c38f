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
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress
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


def listen(subscriber: Subscriber, seconds: float) -> Tally:
    """Listen to a service that runs, for so many seconds, with a progress bar."""
    latencies_s: list[float] = []
    first: StatusMessage | None = None
    last: StatusMessage | None = None
    lost_messages = 0
    begin_s = time.monotonic()
    with Progress(console=Console(stderr=True)) as progress:
        bar = progress.add_task("listening", total=seconds)
        for item in subscriber:
            match item:
                case Received(stamp, IdentityMessage()):
                    latencies_s.append(time.time() - stamp.utc.timestamp())
                case Received(_, StatusMessage(state="running") as status):
                    first, last = first or status, status
                case Lost():
                    lost_messages += item.count
            elapsed_s = time.monotonic() - begin_s
            progress.update(bar, completed=elapsed_s)
            if elapsed_s > seconds and first is not None and last is not None:
                return Tally(latencies_s, first, last, lost_messages)
    raise AssertionError("a subscriber never ends by itself")


def measure(minutes: float, folder: Path) -> Table:
    """Run a service in ``folder`` and return the table of what was measured."""
    address = f"ipc://{folder}/messages.ipc"
    publish = ("--set", f"publish.addresses=['{address}']")
    with (
        running(folder, "run", "--simulated", *publish) as service,
        Subscriber(address, ["status", "identity"], timeout_s=1.0) as subscriber,
    ):
        for item in subscriber:
            if isinstance(item, Received) and item.message.index is not None:
                break
        acquisition = int(
            Path(f"/proc/{service.pid}/task/{service.pid}/children").read_text().split()[0]
        )
        pids = {"service": service.pid, "acquisition, with the simulated chip": acquisition}
        before = {name: Usage.of(pid) for name, pid in pids.items()}
        tally = listen(subscriber, minutes * 60)
        after = {name: Usage.of(pid) for name, pid in pids.items()}
    return table(tally, before, after, minutes)


def table(tally: Tally, before: dict[str, Usage], after: dict[str, Usage], minutes: float) -> Table:
    """Draw the figures."""
    counters, start = tally.last.counters, tally.first.counters
    latencies_ms = 1000 * np.array(tally.latencies_s)
    rows: list[tuple[str, str]] = [
        ("samples received", f"{counters.received - start.received:.0f}"),
        ("samples lost", f"{counters.lost - start.lost:.0f}"),
        ("late reads", f"{counters.late_reads - start.late_reads:.0f}"),
        ("most samples queued in the pipe", f"{counters.queued_max:.0f}"),
        ("messages lost by the subscriber", str(tally.lost_messages)),
        ("identity messages", str(len(latencies_ms))),
        ("last sample to identity, median", f"{np.median(latencies_ms):.2f} ms"),
        ("last sample to identity, p99", f"{np.percentile(latencies_ms, 99):.2f} ms"),
        ("last sample to identity, max", f"{latencies_ms.max():.2f} ms"),
        ("scheduling", tally.last.scheduling.policy if tally.last.scheduling else "unknown"),
    ]
    for name, used in after.items():
        share = (used.cpu_s - before[name].cpu_s) / (minutes * 60)
        rows.append((f"CPU of the {name}", f"{share:.1%} of a core"))
        rows.append((f"memory of the {name}", f"{used.memory_mib:.0f} MiB"))
    return filled(f"{minutes:g} minutes at 250 Hz, simulated chip", ("what", "measured"), rows)


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
