"""A simulated chip in this process, wired to a Raspberry Pi that another process pretends to be.

    this process                                   python -m tests.drivers.pretended_pi
    simulated chip -- one socket: SPI ------------ spidev_shim.c -- spidev -- driver
               `----- another: DRDY, START, RESET -- gpiozero's mock pins -----'

On the first a packet is a chip-select frame. On the other the chip says ``fell`` and when, or
``rose``, and the Pi the name of a pin and its new level.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any, Self

from daemon.acquisition.realtime import PRIORITY
from drivers.raspberry import BoardOptions
from drivers.simulator import SimulatorOptions
from drivers.simulator.board import SimulatedReadyLine, reset_pin, start_pin
from drivers.simulator.spidev import SimulatedSpiDev
from drivers.simulator.world import PacedWorld
from drivers.waveforms import Electrodes

ROOT = Path(__file__).parents[2]
#: What a packet of the shim begins with: SCLK in Hz, delay in microseconds, mode.
REQUEST = struct.Struct("=IHBx")
ERROR = struct.Struct("=i")
LONGEST = REQUEST.size + 4096


@contextmanager
def soonest() -> Iterator[None]:
    """Schedule threads that are started meanwhile before others, if that is allowed.

    A chip has its own time, and does not wait for whatever else this machine does.
    """
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


class WiredChip:
    """A simulated chip that lives by the wall clock.

    Attributes:
        spi: the Pi's end of the SPI bus.
        pins: the Pi's end of the other wires.
    """

    @soonest()
    def __init__(self, electrodes: Electrodes) -> None:
        self._world = world = PacedWorld(electrodes, SimulatorOptions(noise=0.0))
        self._device = SimulatedSpiDev(world)
        self._device.open(0, 0)
        self._ready = SimulatedReadyLine(world)
        wiring = BoardOptions()
        self._inputs = {
            f"GPIO{wiring.start_pin}": start_pin(world),
            f"GPIO{wiring.reset_pin}": reset_pin(world),
        }
        self._spi, self.spi = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._pins, self.pins = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._plugged_in = True
        tasks = (self._answer_transfers, self._follow_pins, self._tell_edges)
        self._threads = [Thread(target=task) for task in tasks]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._plugged_in = False
        for end in (self._spi, self._pins):
            end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for end in (self._spi, self.spi, self._pins, self.pins):
            end.close()
        self._world.close()

    @property
    def violations(self) -> list[str]:
        """What was done to the chip that its datasheet forbids."""
        return self._world.chip.violations

    def _answer_transfers(self) -> None:
        while request := self._spi.recv(LONGEST):
            answer = self._answer(request)
            if not self._ready.is_low():
                self._say("rose")
            self._spi.send(answer)

    def _answer(self, request: bytes) -> bytes:
        hz, delay_us, self._device.mode = REQUEST.unpack_from(request)
        try:
            answer = self._device.xfer2(request[REQUEST.size :], hz, delay_us)
        except OSError as error:
            return ERROR.pack(error.errno)
        return ERROR.pack(0) + bytes(answer)

    def _follow_pins(self) -> None:
        while change := self._pins.recv(100):
            name, level = change.decode().split()
            self._inputs[name].set(level == "1")

    def _tell_edges(self) -> None:
        while self._plugged_in:
            for edge in self._ready.wait(0.1):
                self._say(f"fell {edge.time_s!r}")

    def _say(self, news: str) -> None:
        with suppress(BrokenPipeError):  # nobody listens any more
            self._pins.send(news.encode())


def on_a_pretended_pi(what: str, chip: WiredChip, shim: Path) -> Any:
    """Return what ``tests.drivers.pretended_pi`` saw, run on a chip with the shim before spidev."""
    ends = (chip.spi.fileno(), chip.pins.fileno())
    done = subprocess.run(
        [sys.executable, "-m", "tests.drivers.pretended_pi", str(ends[1]), what],
        env={**os.environ, "LD_PRELOAD": str(shim), "SPI_SOCKET": str(ends[0])},
        cwd=ROOT,
        pass_fds=ends,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
