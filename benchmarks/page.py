"""Open the live view in Chromium, and measure what it costs and how late the trace is.

    python -m benchmarks.page http://127.0.0.1:5280 --seconds 60

Start `qrsd run` and `qrsd web` first, on this machine: the trace's delay is by its clock. It is
from the edge of a sample to the end of drawing the frame that shows it; the screen's own delay
comes on top. Without a graphics card all pixels are made by the processor, as here.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.real_time import Usage
from daemon.offline.results import show
from daemon.tables import filled

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync")
SETTLE_S = 15.0  # until beats are stacked and intervals drawn
#: Notes the time of each frame, what drawing its traces took, and how old the ECG's head then is.
WATCH = """
const done = arguments[0];
const modules = ["monitor/sweep.js", "scene.js"].map((name) => import(`/static/${name}`));
Promise.all(modules).then(([{ Sweep }, { RATE_HZ, scene }]) => {
  window.watched = { frames: [], drawn_ms: [], age_ms: [] };
  const frame = Sweep.prototype.frame;
  Sweep.prototype.frame = function (...given) {
    const begin = performance.now();
    frame.apply(this, given);
    watched.drawn_ms.push(performance.now() - begin);
    if (this.ring !== scene.ecg || Number.isNaN(this.head)) return;
    watched.frames.push(begin);
    watched.age_ms.push(Date.now() - scene.zero_ms - (1000 * this.head) / RATE_HZ);
  };
  done();
});
"""


@contextmanager
def browser(width: int, height: int) -> Iterator[Chrome]:
    """Start Chromium with an empty profile."""
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    with tempfile.TemporaryDirectory() as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
            options.add_argument(flag)
        chrome = Chrome(options=options, service=ChromeService(shutil.which("chromedriver")))
        try:
            yield chrome
        finally:
            chrome.quit()


def cpu_s(root: int) -> float:
    """Return the processor time of all processes that came of one."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = (line.split() for line in listed.stdout.splitlines())
    parents = {int(pid): int(parent) for pid, parent in pairs}
    total = 0.0
    for pid in parents:
        ancestor = pid
        while ancestor not in {0, root}:
            ancestor = parents.get(ancestor, 0)
        if ancestor == root:
            with suppress(OSError):  # it has just ended
                total += Usage.of(pid).cpu_s
    return total


def measure(address: str, width: int, height: int, seconds: float) -> list[str]:
    """Return a row: size, frames a second, processor, drawing, and age of the trace."""
    with browser(width, height) as chrome:
        chrome.get(address)
        time.sleep(SETTLE_S)
        chrome.execute_async_script(WATCH)
        root = chrome.service.process.pid
        used_s, began_s = cpu_s(root), time.monotonic()
        time.sleep(seconds)
        used_s, lasted_s = cpu_s(root) - used_s, time.monotonic() - began_s
        seen = chrome.execute_script("return watched")
    drawn = np.percentile(seen["drawn_ms"], (50, 99))
    age = np.percentile(seen["age_ms"], (50, 99))
    return [
        f"{width} x {height}",
        f"{len(seen['frames']) / lasted_s:.0f}",
        f"{100 * used_s / lasted_s:.0f} %",
        f"{drawn[0]:.1f} / {drawn[1]:.1f} ms",
        f"{age[0]:.0f} / {age[1]:.0f} ms",
    ]


def main(arguments: Sequence[str]) -> int:
    """Measure at two sizes, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("address", help="of the page, such as http://127.0.0.1:5280")
    parser.add_argument("--seconds", type=float, default=60.0, help="at each size (60)")
    given = parser.parse_args(arguments)
    rows = [
        measure(given.address, width, height, given.seconds)
        for width, height in ((1280, 900), (2560, 1440))
    ]
    columns = (
        "page",
        "frames/s",
        "a core's",
        "a trace, median / p99",
        "edge to drawn, median / p99",
    )
    show([filled("the live view in Chromium", columns, rows)])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
