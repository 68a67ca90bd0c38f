"""Put a crowd of browsers on the web server, and see what the service and its heartbeats notice.

    python -m benchmarks.web --minutes 10 --clients 100 --deaf 10

A service on the simulated chip runs without and with the crowd, by turns of half a minute. The
crowd asks for all topics of the WebSocket; the deaf ones among it never read. Latency is from the
edge of the newest sample of a waveform to its arrival here: straight from the service, and by way
of the web server.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import socket
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from benchmarks.real_time import Usage
from benchmarks.running import running
from daemon.offline.results import show
from daemon.tables import filled
from daemon.wire.client import Subscriber
from daemon.wire.messages import Received, StatusMessage, WaveMessage
from daemon.wire.status import StatusCounters

TURN_S = 30.0
SETTLE_S = 5.0  # of each turn, in which the crowd comes
PERCENTILES = (50.0, 99.0, 100.0)
MESSAGES, PORT = "tcp://127.0.0.1:15392", 15380
SERVICE = {"QRSD_PUBLISH_ADDRESSES": f"['{MESSAGES}']"}
HANDSHAKE = (
    f"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
).encode()


@dataclass
class Heard:
    """What was heard while the crowd was there, or was not."""

    direct_s: list[float] = field(default_factory=list)
    by_web_s: list[float] = field(default_factory=list)
    counters: list[StatusCounters] = field(default_factory=list)
    lost: int = 0
    cpu_s: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0


class Listener:
    """Listens to the service and to the web server, and files what comes under a turn."""

    def __init__(self) -> None:
        self.turn: Heard | None = None
        self.began = threading.Event()
        for work in (self._service, self._web):
            threading.Thread(target=work, daemon=True).start()

    def _service(self) -> None:
        with Subscriber(MESSAGES, ["wave", "status"]) as subscriber:
            for item in subscriber:
                if not isinstance(item, Received):
                    continue
                turn = self.turn
                if isinstance(item.message, WaveMessage):
                    self.began.set()
                    count, utc = len(item.message.counts), item.stamp.utc
                    if turn:
                        turn.direct_s.append(_age_s(utc, count, item.message.rate_hz))
                elif turn and isinstance(item.message, StatusMessage):
                    turn.counters.append(item.message.counters)

    def _web(self) -> None:
        self.began.wait()
        address = f"ws://127.0.0.1:{PORT}/api/v1/live?topics=wave"
        with suppress(ConnectionClosed), connect(address) as stream:
            for message in stream:
                assert isinstance(message, bytes)
                (length,) = struct.unpack_from("<H", message)
                header = json.loads(message[2 : 2 + length])
                if (turn := self.turn) and header["topic"] == "wave":
                    utc = datetime.fromisoformat(header["utc"])
                    turn.by_web_s.append(_age_s(utc, header["count"], header["rate_hz"]))


def _age_s(first: datetime, count: int, rate_hz: float) -> float:
    """Return how long ago the last sample of a waveform was taken."""
    return time.time() - first.timestamp() - (count - 1) / rate_hz


def crowd(clients: int, deaf: int) -> None:
    """Be a crowd until killed."""
    never_read = [socket.create_connection(("127.0.0.1", PORT)) for _ in range(deaf)]
    for each in never_read:
        each.sendall(HANDSHAKE)
    asyncio.run(_read_all(clients - deaf))


async def _read_all(clients: int) -> None:
    async def read() -> None:
        stream, writer = await asyncio.open_connection("127.0.0.1", PORT)
        writer.write(HANDSHAKE)
        while await stream.read(1 << 16):
            pass
        raise ConnectionError("a client that reads was closed")

    await asyncio.gather(*(read() for _ in range(clients)))


def measure(minutes: float, clients: int, deaf: int) -> tuple[dict[bool, Heard], list[float]]:
    """Return what was heard without (False) and with (True) a crowd, and the memory with it."""
    heard = {False: Heard(), True: Heard()}
    memory_mib: list[float] = []
    with (
        tempfile.TemporaryDirectory(prefix="qrsd-web-") as folder,
        running(Path(folder), "run", "--simulated", **SERVICE) as service,
        running(Path(folder), "web", "--port", str(PORT), **SERVICE) as server,
    ):
        pids = {"service": service.pid, "web server": server.pid}
        listener = Listener()
        listener.began.wait()
        time.sleep(SETTLE_S)
        for _ in range(max(1, round(minutes * 60 / (2 * TURN_S)))):
            for crowded in (False, True):
                with _crowded(clients if crowded else 0, deaf):
                    _turn(listener, heard[crowded], pids, memory_mib if crowded else [])
    return heard, memory_mib


@contextmanager
def _crowded(clients: int, deaf: int) -> Iterator[None]:
    if not clients:
        yield
        return
    process = multiprocessing.Process(target=crowd, args=(clients, deaf))
    process.start()
    yield
    assert process.is_alive()
    process.kill()
    process.join()


def _turn(listener: Listener, heard: Heard, pids: dict[str, int], memory: list[float]) -> None:
    time.sleep(SETTLE_S)
    before = {name: Usage.of(pid) for name, pid in pids.items()}
    known = len(heard.counters)
    listener.turn = heard
    for _ in range(round(TURN_S - SETTLE_S)):
        time.sleep(1.0)
        memory.append(Usage.of(pids["web server"]).memory_mib)
    listener.turn = None
    heard.seconds += TURN_S - SETTLE_S
    for name, pid in pids.items():
        used_s = Usage.of(pid).cpu_s - before[name].cpu_s
        heard.cpu_s[name] = heard.cpu_s.get(name, 0.0) + used_s
    told = heard.counters[known:]
    heard.lost += told[-1].lost - told[0].lost


def rows(heard: dict[bool, Heard], memory_mib: Sequence[float]) -> Iterator[list[str]]:
    """Yield the lines of the table."""
    sides = heard[False], heard[True]
    yield ["samples lost", *(f"{each.lost}" for each in sides)]
    for name, of in (("service", "direct_s"), ("web server", "by_web_s")):
        spread = [np.percentile(getattr(each, of), PERCENTILES) * 1000 for each in sides]
        for place, percent in enumerate(PERCENTILES):
            what = "edge to the " + ("subscriber" if of == "direct_s" else "WebSocket client")
            yield [f"{what}, {percent:g} %", *(f"{each[place]:.1f} ms" for each in spread)]
        shares = [each.cpu_s[name] / each.seconds for each in sides]
        yield [f"CPU of the {name}", *(f"{share:.1%}" for share in shares)]
    tenth = max(1, len(memory_mib) // 10)
    first, last = np.median(memory_mib[:tenth]), np.median(memory_mib[-tenth:])
    tenths = [f"{first:.1f} MiB", f"{last:.1f} MiB"]
    yield ["memory of the web server, first and last tenth", *tenths]
    yield ["most of it", "", f"{max(memory_mib):.1f} MiB"]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (%(default)s)")
    parser.add_argument("--clients", type=int, default=100, help="of the crowd (%(default)s)")
    parser.add_argument("--deaf", type=int, default=10, help="of these never read (%(default)s)")
    args = parser.parse_args()
    heard, memory_mib = measure(args.minutes, args.clients, args.deaf)
    title = f"{args.minutes:g} minutes, {args.clients} clients, {args.deaf} of them deaf"
    show([filled(title, ("what", "without", "with"), list(rows(heard, memory_mib)))])
    return 0


if __name__ == "__main__":
    sys.exit(main())
