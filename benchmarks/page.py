"""Open the page in Chromium, and measure what it costs, and how late the live trace is.

    python -m benchmarks.page http://127.0.0.1:5280 --seconds 60
    python -m benchmarks.page http://127.0.0.1:5280 --recording day.bdf

The first is of the live view with four traces: ECG and breathing, which it has, and another of
each. The second pans and zooms in the viewer of a recording, by a step in each frame. Start `qrsd
run` and `qrsd web` first, on this machine: the trace's delay is by its clock. It is from the edge
of a sample to the end of drawing the frame that shows it; the screen's own delay comes on top.
Without a graphics card all pixels are made by the processor, as here.
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
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.real_time import Usage
from daemon.offline.results import show
from daemon.tables import filled

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync")
SETTLE_S = 15.0  # until beats are stacked and intervals drawn
SIZES = ((1280, 900), (2560, 1440))
COLUMNS = ("frames/s", "a core's", "drawing, median / p99")
PATIENCE_S = 120.0  # until a day has been read
WARM_S = 3.0  # of each move before it is measured
#: Adds another trace of ECG and of breathing, and notes what drawing all four takes in each frame,
#: and how old the ECG's head then is.
WATCH = """
const [lasts_ms, done] = arguments;
const modules = ["monitor/sweep.js", "scene.js"].map((name) => import(`/static/${name}`));
Promise.all(modules).then(([{ Sweep }, { RATE_HZ, scene }]) => {
  const watched = { drawn_ms: [], age_ms: [] };
  const { signal } = new AbortController();
  const more = [...document.querySelectorAll(".paper")].map((paper, which) => {
    const copy = paper.cloneNode(true);
    paper.after(copy);
    const [canvas, dot] = copy.querySelectorAll("canvas, .sweep-dot");
    const [ring, mm_per_s, height_mm] = [[scene.ecg, 25, 40], [scene.respiration, 6.25, 16]][which];
    const look = { mm_per_s, mm_per_mv: 10, height_mm, zero: 0.6, colour: "trace" };
    return new Sweep(canvas, dot, ring, look, () => (which ? [] : scene.beats), signal);
  });
  let spent_ms = 0;
  const { frame } = Sweep.prototype;
  Sweep.prototype.frame = function (...given) {
    const begin = performance.now();
    frame.apply(this, given);
    spent_ms += performance.now() - begin;
    if (this.ring !== scene.ecg || more.includes(this)) return;
    watched.age_ms.push(Date.now() - scene.zero_ms - (1000 * this.head) / RATE_HZ);
  };
  let last_ms = performance.now();
  const animate = (now_ms) => {
    for (const sweep of more) sweep.frame(now_ms, (now_ms - last_ms) / 1000);
    last_ms = now_ms;
    watched.drawn_ms.push(spent_ms);
    spent_ms = 0;
    requestAnimationFrame(animate);
  };
  requestAnimationFrame(animate);
  setTimeout(() => done(watched), lasts_ms);
});
"""
STILL = "setTimeout(arguments[1], arguments[0])"
IS_DRAWN = "return document.querySelector('#seen')?.textContent.includes(' mV')"
#: Shows a span around the middle, and then pans or zooms in each frame; notes what drawing takes.
MOVE = """
const [lasts_ms, span_s, pan, zoom, done] = arguments;
import("/static/viewer.js").then(({ Viewer }) => {
  const { draw } = Viewer.prototype;
  const drawn_ms = [];
  let factor = zoom;
  let viewer = null;
  Viewer.prototype.draw = function () {
    const begin = performance.now();
    draw.call(this);
    if (viewer !== null) drawn_ms.push(performance.now() - begin);
    viewer = this;
  };
  let goes_on = true;
  const move = () => {
    if (!goes_on) return;
    const seen_s = viewer.to_s - viewer.from_s;
    if (seen_s < 10) factor = 1 / zoom;
    if (seen_s >= viewer.duration_s) factor = zoom;
    if (viewer.to_s >= viewer.duration_s) viewer.show(0, seen_s);
    if (pan) viewer.pan(pan);
    else viewer.zoom(factor);
    requestAnimationFrame(move);
  };
  document.dispatchEvent(new Event("theme"));  // has it drawn, by which it is known
  setTimeout(() => {
    const middle_s = viewer.duration_s / 2;
    viewer.show(middle_s - span_s / 2, middle_s + span_s / 2);
    move();
  }, 500);
  setTimeout(() => {
    Viewer.prototype.draw = draw;
    goes_on = false;
    done(drawn_ms);
  }, lasts_ms + 500);
});
"""
#: What is seen at first, which part of it each frame moves on, and by how much it zooms.
MOVES = {
    "pan over the day": (43_200, 0.005, 1),
    "pan over an hour": (3_600, 0.02, 1),
    "pan over ten seconds": (10, 0.02, 1),
    "zoom from day to seconds": (86_400, 0, 1.03),
}


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


def measured(chrome: Chrome, watch: str, seconds: float, *given: object) -> tuple[Any, float]:
    """Return what a script has seen after some seconds, and which part of a core that took."""
    root = chrome.service.process.pid
    chrome.set_script_timeout(seconds + PATIENCE_S)
    used_s, began_s = cpu_s(root), time.monotonic()
    seen = chrome.execute_async_script(watch, 1000 * seconds, *given)
    return seen, (cpu_s(root) - used_s) / (time.monotonic() - began_s)


def two(milliseconds: Sequence[float]) -> str:
    """Write the median and the 99th percentile."""
    median, late = np.percentile(milliseconds, (50, 99))
    return f"{median:.1f} / {late:.1f} ms"


def measure_live(address: str, width: int, height: int, seconds: float) -> list[str]:
    """Return a row: size, frames a second, processor, drawing, age of the trace, and each frame.

    What a frame costs the processor is of all that the page does, in all of Chromium's processes.
    """
    with browser(width, height) as chrome:
        chrome.get(address)
        time.sleep(SETTLE_S)
        seen, share = measured(chrome, WATCH, seconds)
    frames = len(seen["drawn_ms"]) / seconds
    size = f"{width} x {height}"
    figures = two(seen["drawn_ms"]), two(seen["age_ms"]), f"{1000 * share / frames:.1f} ms"
    return [size, f"{frames:.0f}", f"{share:.0%}", *figures]


def measure_viewer(
    address: str, recording: str, width: int, height: int, seconds: float
) -> Iterator[list[str]]:
    """Yield a row for each way to move: size, way, frames a second, processor, drawing, and frame.

    What a frame costs the processor is told without what the page costs while nothing moves.
    """
    with browser(width, height) as chrome:
        chrome.get(f"{address}#recordings/{recording}")
        end_s = time.monotonic() + PATIENCE_S
        while not chrome.execute_script(IS_DRAWN):
            if time.monotonic() > end_s:
                sys.exit(f"{recording} is not shown after {PATIENCE_S:g} s: is it a recording?")
            time.sleep(0.5)
        for how in MOVES.values():  # until code is compiled, and some of it has been read
            measured(chrome, MOVE, WARM_S, *how)
        _, still = measured(chrome, STILL, seconds)
        for name, how in MOVES.items():
            seen, share = measured(chrome, MOVE, seconds, *how)
            frames = len(seen) / seconds
            each_ms = 1000 * (share - still) / frames
            figures = f"{frames:.0f}", f"{share:.0%}", two(seen), f"{each_ms:.0f} ms"
            yield [f"{width} x {height}", name, *figures]


def main(arguments: Sequence[str]) -> int:
    """Measure at two sizes, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("address", help="of the page, such as http://127.0.0.1:5280")
    parser.add_argument("--seconds", type=float, default=60.0, help="at each size (60)")
    parser.add_argument("--recording", help="the id of one, whose viewer is measured instead")
    given = parser.parse_args(arguments)
    address, seconds = given.address.rstrip("/") + "/", given.seconds
    if given.recording is None:
        rows = [measure_live(address, *size, seconds) for size in SIZES]
        columns = ["page", *COLUMNS, "edge to drawn, median / p99", "processor a frame"]
    else:
        moves = (measure_viewer(address, given.recording, *size, seconds) for size in SIZES)
        rows = [*chain.from_iterable(moves)]
        columns = ["page", "move", *COLUMNS, "processor a frame"]
    show([filled(f"{given.recording or 'the live view'} in Chromium", columns, rows)])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
