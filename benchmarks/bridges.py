"""Two services side by side: one alone, one with every bridge and a fleet, whose servers are dead.

    python -m benchmarks.bridges --minutes 10

MQTT broker, database and NATS server are addresses where nobody answers; Lab Streaming Layer has an
inlet here, which counts samples and looks at their stamps. Latency is from the edge of the last
sample that a beat needs to the identity message's arrival here, so both services and this share the
machine.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pylsl
from rich.table import Table

from benchmarks.real_time import Usage, listen, told, used, wait_until_it_runs
from benchmarks.running import running
from config.lsl import LslOptions
from daemon.apps.lsl import set_up
from daemon.fleet.site_folder import add_device, credentials_path, make_site, site_key_path
from daemon.offline.results import show
from daemon.tables import filled

Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"

NOBODY = "192.0.2.1"  # of RFC 5737: no such machine
DEVICE = "benchmark-with-bridges"
SOURCE = f"qrsd-{DEVICE}-ecg"  # of the stream
SITE = "house"


def pull(until_s: float) -> tuple[Floats, Floats, Floats]:
    """Receive the stream until then: samples (n, 2) in mV, their stamps, and when they came."""
    found = pylsl.resolve_byprop("source_id", SOURCE, 1, 60)
    inlet = pylsl.StreamInlet(found[0], max_buflen=60)
    samples_mv, stamps_s, came_s = [], [], []
    while time.monotonic() < until_s:
        chunk, stamps = inlet.pull_chunk(timeout=0.2)
        samples_mv += chunk
        stamps_s += stamps
        came_s += [pylsl.local_clock()] * len(stamps)
    return np.array(samples_mv), np.array(stamps_s), np.array(came_s)


def bridges(folder: Path) -> Iterator[tuple[tuple[str, str], dict[str, str]]]:
    """Make keys in a folder, and yield the commands of all bridges with their settings."""
    make_site(folder, SITE)
    add_device(folder, SITE, DEVICE)
    yield ("bridge", "mqtt"), {"QRSD_MQTT_HOST": NOBODY}
    influx = {"QRSD_INFLUX_URL": f"https://{NOBODY}", "QRSD_INFLUX_EVERY_S": "1"}
    yield ("bridge", "influx"), influx
    yield ("bridge", "lsl"), {"QRSD_DEVICE": DEVICE}
    fleet = {
        "SERVERS": f"['tls://{NOBODY}:4222']",
        "SITE": SITE,
        "CREDENTIALS": str(credentials_path(folder, SITE, DEVICE)),
        "SITE_KEY": str(site_key_path(folder, SITE)),
    }
    yield ("fleet", "run"), {f"QRSD_FLEET_{name}": value for name, value in fleet.items()}


def measure(minutes: float, folder: Path) -> None:
    """Run both services, and print the tables."""
    set_up(LslOptions())
    with ExitStack() as stack:
        addresses, services = [], []
        for name in ("alone", "bridged"):
            place = folder / name
            place.mkdir()
            addresses.append(f"ipc://{place}/messages.ipc")
            publish = ("--set", f"publish.addresses=['{addresses[-1]}']")
            services.append(stack.enter_context(running(place, "run", "--simulated", *publish)))
        for address in addresses:
            wait_until_it_runs(address)
        apps = [
            stack.enter_context(
                running(folder / "bridged", *words, f"--address={addresses[1]}", **settings)
            )
            for words, settings in bridges(folder / "sites")
        ]
        pylsl.resolve_byprop("source_id", SOURCE, 1, 60)
        before = [Usage.of(each.pid) for each in services]
        pool = stack.enter_context(ThreadPoolExecutor(1))
        pulling = pool.submit(pull, time.monotonic() + 60 * minutes)
        tallies = listen(addresses, minutes)
        after = [Usage.of(each.pid) for each in services]
        streamed = pulling.result()
        assert [each.poll() for each in apps] == [None] * len(apps), "a bridge has ended"
    alone, bridged = (
        told(tally) | used("service", first, last, minutes)
        for tally, first, last in zip(tallies, before, after, strict=True)
    )
    rows = [(name, alone[name], bridged[name]) for name in alone]
    title = f"{minutes:g} minutes at 250 Hz, simulated chips side by side"
    headings = ("what", "alone", "with bridges and fleet")
    show([filled(title, headings, rows), stream_table(*streamed)])


def stream_table(samples_mv: Floats, stamps_s: Floats, came_s: Floats) -> Table:
    """Draw what came by Lab Streaming Layer."""
    steps_s = np.diff(stamps_s)
    missing = np.round(steps_s * 250).astype(int) - 1
    numbers = np.arange(len(stamps_s))
    off_ms = 1000 * (stamps_s - np.polyval(np.polyfit(numbers, stamps_s, 1), numbers))
    way_ms = 1000 * (came_s - stamps_s)
    rows = [
        ("samples", str(len(samples_mv))),
        (
            "not numbers (lost by the chip's driver, told)",
            str(int(np.isnan(samples_mv[:, 1]).sum())),
        ),
        ("missing between stamps", str(int(missing.clip(0).sum()))),
        ("out of order", str(int((steps_s <= 0).sum()))),
        ("stamps off a line, SD", f"{off_ms.std():.3f} ms"),
        ("stamps off a line, largest", f"{np.abs(off_ms).max():.3f} ms"),
        ("from a sample's stamp to the inlet, median", f"{np.median(way_ms):.0f} ms"),
    ]
    return filled("The stream of Lab Streaming Layer", ("what", "measured"), rows)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (%(default)s)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="qrsd-benchmark-") as folder:
        measure(args.minutes, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
