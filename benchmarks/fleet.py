"""Have a site of many simulated devices tell their digests to one real nats-server, and measure it.

    python -m benchmarks.fleet --devices 1000 --minutes 5

Each device has a connection, an NKey and rights of its own, over TLS, and tells a digest each ten
seconds, as `qrsd fleet run` does. All devices are one process, which shares the machine with the
server, so what the server takes is told as processor time. It needs nats-server 2.10.20 or newer.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import track

from benchmarks.real_time import Usage
from config.fleet import FleetOptions
from daemon.fleet.digest import Digest
from daemon.fleet.link import Link, linked
from daemon.fleet.site import Seen, devices_of, make_streams
from daemon.fleet.site_folder import add_device, credentials_path, make_site
from daemon.fleet.telling import DIGEST_S
from daemon.offline.results import show
from daemon.tables import filled
from daemon.web.certificate import own_certificate, own_paths
from daemon.wire.codec import utc_text

SITE = "house"
CONNECT_AT_ONCE = 16
DIGEST = Digest(
    *("", "0.0.1", "running", "simulated", "on", 61.2, 0.98, "accepted", "sinus", None, 0),
    "ab" * 32,
)


@contextmanager
def serving(program: str, folder: Path, devices: list[str]) -> Iterator[tuple[int, str]]:
    """Run a server that knows some devices; yield its process number and address."""
    make_site(folder, SITE)
    for device in track(devices, "making keys", console=Console(stderr=True)):
        add_device(folder, SITE, device)
    own_certificate(folder)
    for made, name in zip(own_paths(folder), ("server.pem", "server.key"), strict=True):
        made.rename(folder / name)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = folder / "nats-server.conf"
    text = config.read_text().replace("0.0.0.0:4222", f"127.0.0.1:{port}")
    config.write_text(text.replace("/var/lib/nats", str(folder / "store")))
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([program, "-c", str(config)], stderr=log)
    try:
        while "Server is ready" not in (folder / "log").read_text():
            if process.poll() is not None:
                raise SystemExit((folder / "log").read_text())
            time.sleep(0.1)
        yield process.pid, f"tls://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


async def tell(link: Link, until_s: float) -> int:
    """Tell digests as a device does, from any moment of its ten seconds; return how many."""
    told = 0
    await asyncio.sleep(random.uniform(0, DIGEST_S))
    while time.monotonic() < until_s:
        content = replace(DIGEST, utc=utc_text(datetime.now(UTC), "seconds")).to_bytes()
        await link.nats.publish(link.subject("digest"), content)
        told += 1
        await asyncio.sleep(DIGEST_S)
    await link.nats.flush()
    return told


async def measure(pid: int, options: list[FleetOptions], operator: FleetOptions, s: float) -> None:
    """Have devices tell digests for so many seconds, and print what it took."""
    async with AsyncExitStack() as stack:
        office = await stack.enter_async_context(linked(operator))
        await make_streams(office)
        alone = Usage.of(pid)
        gate = asyncio.Semaphore(CONNECT_AT_ONCE)

        async def connect(each: FleetOptions) -> Link:
            async with gate:
                return await stack.enter_async_context(linked(each))

        links = await asyncio.gather(*map(connect, options))
        before, stored = Usage.of(pid), await _stored(office)
        told = sum(await asyncio.gather(*(tell(link, time.monotonic() + s) for link in links)))
        after, kept = Usage.of(pid), await _stored(office) - stored
        begin_s = time.process_time()
        seen = await devices_of(office)
        asking_s = time.process_time() - begin_s
        asked = Usage.of(pid)
    _print(len(links), seen, [
        ("digests told", f"{told}"),
        ("of which the server kept", f"{kept}"),
        ("bytes of a digest", f"{len(replace(DIGEST, utc='2026-01-01T00:00:00Z').to_bytes())}"),
        ("server: processor, of one core (%)", f"{100 * (after.cpu_s - before.cpu_s) / s:.2f}"),
        ("server: processor for a digest (us)", f"{1e6 * (after.cpu_s - before.cpu_s) / told:.0f}"),
        ("server: processor to let a device in (ms)",
         f"{1000 * (before.cpu_s - alone.cpu_s) / len(links):.2f}"),
        ("server: memory before they came (MiB)", f"{alone.memory_mib:.0f}"),
        ("server: memory at the end (MiB)", f"{after.memory_mib:.0f}"),
        ("asking for all devices: server, processor (ms)",
         f"{1000 * (asked.cpu_s - after.cpu_s):.0f}"),
        ("asking for all devices: who asks, processor (ms)", f"{1000 * asking_s:.0f}"),
    ])  # fmt: skip


async def _stored(link: Link) -> int:
    """Return how many digests the server has taken so far."""
    return int((await link.jetstream.stream_info(f"DIGESTS_{SITE}")).state.last_seq)


def _print(devices: int, seen: list[Seen], rows: list[tuple[str, str]]) -> None:
    here = sum(each.is_here for each in seen)
    show([filled(f"{devices} devices, of which {here} are here", ("", ""), rows)])


def main() -> None:
    """Run a server and its devices."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--nats-server", default="nats-server", metavar="PROGRAM")
    args = parser.parse_args()
    names = [f"door-{number}" for number in range(args.devices)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "server"
        folder.mkdir()
        with serving(args.nats_server, folder, names) as (pid, address):

            def options(device: str) -> FleetOptions:
                credentials = str(credentials_path(folder, SITE, device))
                authority = str(folder / "server.pem")
                return FleetOptions((address,), SITE, credentials, ca=authority)

            everybody = [options(device) for device in names]
            asyncio.run(measure(pid, everybody, options("operator"), 60 * args.minutes))


if __name__ == "__main__":
    main()
