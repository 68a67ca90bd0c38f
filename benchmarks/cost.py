"""Count what a sample costs at 250 Hz: machine instructions and system calls, not seconds.

    python -m benchmarks.cost                      all parts, some minutes
    python -m benchmarks.cost --part acquisition

Needs valgrind (callgrind) and strace. Each part runs twice, with few and with many samples, and the
difference is what samples cost; starting up drops out. The service is counted with nobody enrolled,
the same without kinds of beats and rhythm, and with a stranger at the electrodes ("stranger": it
then listens upside down now and then, so over a minute). The acquisition is counted without what
its stand-ins for the chip cost. A processor's share is an estimate: as many instructions as here,
the kernel's not counted, at the rate that CORES assumes.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.cost_run import PERIOD_S
from daemon.acquisition.frame_records import pack
from drivers.frame import Frame, millivolts_per_count
from drivers.waveforms.hearts import Heart

RATE_HZ = round(1 / PERIOD_S)
EVENT = struct.Struct("=QIIII24x")  # linux/gpio.h, struct gpio_v2_line_event
STATUS = 0xC00000
FEW, MANY = 1000, 3000
TO_BE_UNKNOWN, MINUTE_LATER = 2500, 20_000
CALLGRIND = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")


@dataclass(frozen=True)
class Core:
    """A processor, with the instructions a cycle that an interpreter is assumed to reach on it."""

    name: str
    hz: float
    instructions_per_cycle: float


CORES = (Core("Cortex-A53 (Zero 2 W)", 1.0e9, 0.5), Core("Cortex-A72 (Pi 4)", 1.5e9, 1.0))


@dataclass(frozen=True)
class Cost:
    """Of one sample."""

    instructions: float
    system_calls: float

    def share(self, core: Core) -> float:
        """Return the estimated share of a processor."""
        return self.instructions * RATE_HZ / (core.hz * core.instructions_per_cycle)


def frames(count: int) -> Iterator[Frame]:
    """Yield samples of a synthetic heart with some noise."""
    noise = np.random.default_rng(1).normal(0.0, 15.0, (count, 2))
    ecg = np.resize(Heart(1).ecg_mv, count) / millivolts_per_count(6, 2.42)
    for index, (first, second) in enumerate(np.rint(noise + np.c_[0 * ecg, ecg]).astype(int)):
        yield Frame(index, index * PERIOD_S, STATUS, (int(first), int(second)))


def answer(frame: Frame) -> bytes:
    """Return what the chip says to RDATA."""
    words = (STATUS, *(counts & 0xFFFFFF for counts in frame.counts))
    return b"\0" + b"".join(word.to_bytes(3, "big") for word in words)


def run(part: str, samples: int, under: Sequence[str], folder: Path) -> str:
    """Run a part under a tool and return what that tool printed."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    module = (sys.executable, "-m", "benchmarks.cost_run", part, str(samples))
    process = subprocess.Popen(
        [*under, *module, str(theirs.fileno()), folder / "frames"],
        pass_fds=[theirs.fileno()],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **_environment(folder)},
    )
    theirs.close()
    feeder = threading.Thread(target=_feed, args=(ours, part, samples))
    feeder.start()
    _, said = process.communicate()
    feeder.join()  # which nobody reads from any more
    ours.close()
    if process.returncode:
        sys.exit(f"{part} ended with {process.returncode}:\n{said[-2000:]}")
    return said


def _environment(folder: Path) -> dict[str, str]:
    """Return the unit's variables, with a folder of its own for the files of each run."""
    state = tempfile.mkdtemp(dir=folder)
    folders = dict.fromkeys(("STATE_DIRECTORY", "RUNTIME_DIRECTORY"), state)
    return {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1", **folders}


def _feed(end: socket.socket, part: str, samples: int) -> None:
    """Send a packet for each sample; whoever reads is who sets the pace."""
    try:
        for frame in frames(samples):
            edge = (frame.index * round(PERIOD_S * 1e9), 2, 25, frame.index, frame.index)
            end.send(EVENT.pack(*edge) if part == "acquisition" else pack(frame))
        end.shutdown(socket.SHUT_WR)
    except ConnectionError:  # the stand-ins read nothing
        return


def instructions(part: str, folder: Path) -> float:
    """Return how many a sample takes."""
    lengths = _lengths(part)
    few, many = (
        int(re.search(r"Collected : (\d+)", run(part, samples, CALLGRIND, folder))[1])  # type: ignore[index]
        for samples in lengths
    )
    return (many - few) / (lengths[1] - lengths[0])


def system_calls(part: str, folder: Path) -> float:
    """Return how many a sample takes, in all threads."""
    log = folder / "calls"
    counts = []
    for samples in _lengths(part):
        run(part, samples, ("strace", "-f", "-c", "-o", str(log)), folder)
        counts.append(int(re.search(r"(\d+)(?:\s+\d+)?\s+total", log.read_text())[1]))  # type: ignore[index]
    few, many = _lengths(part)
    return (counts[1] - counts[0]) / (many - few)


def _lengths(part: str) -> tuple[int, int]:
    return (TO_BE_UNKNOWN, MINUTE_LATER) if part == "stranger" else (FEW, MANY)


def measure(part: str, folder: Path) -> Cost:
    """Return what a sample costs."""
    taken = instructions(part, folder)
    if part == "acquisition":
        taken -= instructions("stand-ins", folder)
    return Cost(taken, system_calls(part, folder))


def main() -> int:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parts = ("acquisition", "service", "without-rhythm", "stranger")
    parser.add_argument("--part", choices=parts, action="append", help="only this part")
    args = parser.parse_args()
    for tool in ("valgrind", "strace"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is not installed: sudo apt install {tool}")
    table = Table(title="the cost of a sample", title_justify="left")
    table.add_column("part")
    table.add_column("instructions", justify="right")
    table.add_column("system calls", justify="right")
    for core in CORES:
        assumed = f"{core.hz / 1e9:g} GHz, {core.instructions_per_cycle:g} a cycle"
        table.add_column(f"{core.name}\n{assumed}", justify="right")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "frames").write_bytes(b"".join(map(answer, frames(FEW))))
        for part in args.part or parts:
            cost = measure(part, folder)
            shares = [f"{cost.share(core):.2%}" for core in CORES]
            table.add_row(part, f"{cost.instructions:,.0f}", f"{cost.system_calls:.2f}", *shares)
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
