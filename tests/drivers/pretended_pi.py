"""A Raspberry Pi in a process of its own, with mock pins and the real spidev on ``spidev_shim.c``.

python -m tests.drivers.pretended_pi PINS stream     power the chip up, and print a second of frames
python -m tests.drivers.pretended_pi PINS calls      print what spidev's own calls return
"""

from __future__ import annotations

import json
import socket
import sys
from contextlib import closing
from dataclasses import asdict
from itertools import islice
from threading import Thread
from typing import Any, ClassVar

from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPin

from daemon.acquisition.realtime import ask_for_realtime
from drivers.ads1292r import Ads1292r
from drivers.bus import Board
from drivers.chip_setup import ChipOptions
from drivers.opcodes import Opcode
from drivers.raspberry import BoardOptions, open_board

FRAMES = 250
#: Reads one register, the first, which is the ID.
RREG_ID = [Opcode.RREG, 0, 0]


class WiredPin(MockPin):
    """A pin with the simulated chip at the other end of its wire."""

    wires: ClassVar[socket.socket]

    def _change_state(self, value: bool) -> bool:
        changed: bool = super()._change_state(value)
        if changed and self.function == "output":
            self.wires.send(f"{self.info.name} {value:d}".encode())
        return changed

    def fall(self, time_s: float) -> None:
        """Fall with the kernel's time stamp, even if the rise before went unseen."""
        self._change_state(True)
        self._change_state(False)
        self._last_change = time_s
        self._call_when_changed()


def follow_drdy(wires: socket.socket, pin: WiredPin) -> None:
    """Let a pin do what DRDY does."""
    while news := wires.recv(100).decode().split():
        match news:
            case ["fell", time_s]:
                pin.fall(float(time_s))
            case ["rose"]:
                pin.drive_high()


def stream(board: Board) -> dict[str, Any]:
    """Return the setup, a second of frames and what happened, by the driver that a Pi runs."""
    with closing(board):
        driver = Ads1292r(board, ChipOptions())
        setup = driver.power_up()
        with driver.stream() as frames:
            seen = [frame._asdict() for frame in islice(frames, FRAMES)]
            return {
                "setup": asdict(setup),
                "frames": seen,
                "counters": asdict(frames.counters),
                "period_s": frames.period_s,
            }


def calls(device: Any) -> list[Any]:
    """Return what each call returns and what has become of its argument."""
    device.open(0, 0)
    device.mode = 1
    device.max_speed_hz = 1_000_000
    seen: list[Any] = [device.mode, device.max_speed_hz]
    device.xfer2([Opcode.SDATAC], 1_000_000, 10)
    for argument in ([*RREG_ID], tuple(RREG_ID), bytes(RREG_ID)):
        answer = device.xfer2(argument, 1_000_000, 10)
        seen.append([type(answer).__name__, list(answer), list(argument), answer is argument])
    device.close()
    try:
        device.xfer2([0])
    except OSError as error:
        seen.append(error.errno)
    return seen


def main() -> None:
    """Be a Pi."""
    import spidev

    WiredPin.wires = wires = socket.socket(fileno=int(sys.argv[1]))
    factory = Device.pin_factory = MockFactory(pin_class=WiredPin)
    drdy = factory.pin(BoardOptions().drdy_pin)
    Thread(target=follow_drdy, args=(wires, drdy), daemon=True).start()
    ask_for_realtime()  # as the acquisition process does
    done = stream(open_board(BoardOptions())) if sys.argv[2] == "stream" else calls(spidev.SpiDev())
    print(json.dumps(done))


if __name__ == "__main__":
    main()
