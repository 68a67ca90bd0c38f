"""Read a simulated chip at 250 Hz by the wall clock, as the acquisition process does, and time it.

    python -m benchmarks.jitter --minutes 60 --load 2
    python -m benchmarks.jitter --minutes 60 --load 2 --ordinary

Jitter is from the edge of DRDY to the sample in hand; 4 ms later the next one overwrites it. The
simulated chip lives in the same process and takes part of that time, as no real one would. --load
lets stress-ng keep so many processors busy; --ordinary does without SCHED_FIFO.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from array import array
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import numpy as np

from config.source import PlayOptions, SimulatedOptions, SourceOptions
from daemon.acquisition.process import acquire
from daemon.acquisition.realtime import ask_for_realtime, stop_collecting_garbage
from daemon.acquisition.sources import Source, open_source
from daemon.offline.results import show
from daemon.tables import filled
from drivers.bus import Clock
from drivers.chip_setup import ChipOptions
from drivers.frame import Frame

PERCENTILES = (50.0, 99.0, 99.9, 100.0)


class Stopwatch:
    """Takes samples, and the time that they took."""

    dropped = 0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.jitter_s = array("d")

    def write(self, frame: Frame) -> None:
        """Take one."""
        self.jitter_s.append(self._clock.now() - frame.time_s)


def measure(source: Source) -> dict[str, float]:
    """Read until the play is over, and return the figures."""
    stopwatch = Stopwatch(source.board.clock)
    last: dict[str, Any] = {}

    def report(news: Mapping[str, Any]) -> None:
        if news["report"] == "counters":
            last.update(news)

    acquire(source, ChipOptions(), stopwatch, report)
    jitter_ms = 1000 * np.array(stopwatch.jitter_s)
    counted = {name: last[name] for name in ("frames", "lost", "late_reads")}
    spread = zip(PERCENTILES, np.percentile(jitter_ms, PERCENTILES).tolist(), strict=True)
    return counted | {f"jitter, {percent:g} %": value for percent, value in spread}


@contextmanager
def busy(processors: int) -> Iterator[None]:
    """Keep so many processors busy."""
    if not processors:
        yield
        return
    try:
        stress = subprocess.Popen(["stress-ng", "--quiet", "-c", str(processors)])
    except FileNotFoundError:
        sys.exit("stress-ng is not installed: sudo apt install stress-ng")
    try:
        yield
    finally:
        stress.terminate()
        stress.wait()


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (%(default)s)")
    parser.add_argument("--load", type=int, default=0, metavar="N", help="busy processors (0)")
    parser.add_argument("--ordinary", action="store_true", help="do without SCHED_FIFO")
    args = parser.parse_args()
    play = (PlayOptions(heart=1, seconds=60 * args.minutes),)
    options = SourceOptions("simulated", simulated=SimulatedOptions(play=play, repeat=False))
    source = open_source(options)
    with busy(args.load), closing(source.board):
        stop_collecting_garbage()
        granted = "SCHED_OTHER" if args.ordinary else ask_for_realtime()["policy"]
        figures = measure(source)
    title = f"{args.minutes:g} minutes, {granted}, {args.load} processors kept busy"
    rows = (
        (what, f"{value:.3f} ms" if "jitter" in what else f"{value:.0f}")
        for what, value in figures.items()
    )
    show([filled(title, ("what", "measured"), rows)])
    return 0


if __name__ == "__main__":
    sys.exit(main())
