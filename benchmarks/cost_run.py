"""What ``benchmarks.cost`` counts: a part of qrsd with nothing behind it but a socket.

    python -m benchmarks.cost_run PART SAMPLES SOCKET_FD FRAMES_FILE

Each read of the socket gives one sample: an edge as the kernel writes it to the acquisition, a
record of the acquisition to the service. Nobody waits for the wall clock, so the count is the same
in each run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from daemon.acquisition.handle import Acquisition
from daemon.acquisition.process import PipeSink, pass_on
from daemon.acquisition.realtime import stop_collecting_garbage
from daemon.acquisition.sources import Source
from drivers.bus import Board
from drivers.chip_setup import ChipOptions, ChipSetup, planned_registers, setup_from
from drivers.errors import DriverError
from drivers.frame import Frame
from drivers.registers import RESET_VALUES
from drivers.stream import FrameStream

PERIOD_S = 0.004
TRANSFER_BYTES = 10  # RDATA and a frame
TAKEN_S = 0.0005  # from an edge to whoever asks for the time


class EnoughSamples(Exception):
    """All that were wanted have been passed on."""


class StandInClock:
    """Time that passes by the samples."""

    def __init__(self) -> None:
        self.time_s = TAKEN_S

    def now(self) -> float:
        """Return the time of the newest sample, and a little."""
        return self.time_s

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self.time_s += seconds


class StandInSpiDev:
    """One system call for each transfer, as ``spidev``'s, and a list for its answer."""

    def __init__(self, frames: Path) -> None:
        self._file = os.open(frames, os.O_RDONLY)
        self._places = frames.stat().st_size // TRANSFER_BYTES
        self._transfers = 0

    def xfer2(self, _values: bytes, _speed_hz: int, _delay_usec: int, /) -> list[int]:
        """Return the next answer of the file."""
        place = self._transfers % self._places
        self._transfers += 1
        return list(os.pread(self._file, TRANSFER_BYTES, place * TRANSFER_BYTES))

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


class StandInChip:
    """Has nothing to complain about."""

    def diagnose(self) -> DriverError | None:
        """Find nothing."""
        return None

    def restart(self) -> ChipSetup:
        """Refuse: what is counted is a stream without faults."""
        raise AssertionError("the stream failed")


class CountingSink(PipeSink):
    """A pipe that ends the run after so many samples, and lets the time of one pass for each."""

    def __init__(self, clock: StandInClock, samples: int) -> None:
        super().__init__(os.open(os.devnull, os.O_WRONLY))
        self._write = super().write
        self._clock = clock
        self._left = samples

    def write(self, frame: Frame) -> None:
        """Write one."""
        self._write(frame)
        self._clock.time_s += PERIOD_S
        self._left -= 1
        if not self._left:
            raise EnoughSamples


def chip_setup() -> ChipSetup:
    """Return the setup of a chip that took what is written to it by default."""
    options, registers = ChipOptions(), list(RESET_VALUES)
    for register, value in planned_registers(options, "ADS1292R").items():
        registers[register] = value
    return setup_from(tuple(registers), options, simulated=False)


def acquisition(samples: int, edges: int, frames: Path) -> None:
    """Run the driver on libgpiod's line and ``spidev``'s bus, and write records."""
    from drivers.gpio_lines import GpiodReadyLine
    from drivers.raspberry import SpidevBus

    sys.modules["gpiod"] = _stand_in_gpiod(edges)
    clock = StandInClock()
    line = GpiodReadyLine("/dev/gpiochip0", 25)
    board = Board(SpidevBus(StandInSpiDev(frames)), line, None, None, clock, simulated=False)
    stream = FrameStream(board, StandInChip(), chip_setup(), continuous=False, settle_s=0.0)
    stop_collecting_garbage()
    try:
        pass_on(stream, Source(board, None), CountingSink(clock, samples), lambda _: None)
    except EnoughSamples:
        assert stream.counters.lost == stream.counters.late_reads == 0, stream.counters


def _stand_in_gpiod(edges: int) -> Any:
    """Return as much of the module gpiod as names a descriptor of the kernel's events."""
    names = SimpleNamespace(INPUT=0, FALLING=0, PULL_UP=0, MONOTONIC=0, INACTIVE=0)
    line = SimpleNamespace(Direction=names, Edge=names, Bias=names, Clock=names, Value=names)
    request = SimpleNamespace(fd=edges, get_value=lambda _: 0, release=lambda: None)
    return SimpleNamespace(
        line=line, LineSettings=SimpleNamespace, request_lines=lambda *_, **__: request
    )


def stand_ins(samples: int, _edges: int, frames: Path) -> None:
    """Do for each sample what the acquisition's stand-ins do, and nothing else."""
    device, clock = StandInSpiDev(frames), StandInClock()
    left = samples
    while left:
        device.xfer2(b"", 0, 0)
        clock.now()
        clock.now()
        clock.time_s += PERIOD_S
        left -= 1


def service(_samples: int, records: int, _frames: Path, *, rhythm: bool = True) -> None:
    """Run the whole service on records, with nobody enrolled, until they end."""
    import json
    from dataclasses import asdict

    from config.folders import runtime_folder
    from config.settings import PublishOptions, Settings
    from daemon.service.assembly import assembled
    from daemon.service.time_source import TimeSource
    from dsp.options import LivenessOptions, RhythmOptions

    clock = StandInClock()

    class Recorded(Acquisition):
        """Records that come one at a time."""

        def __init__(self) -> None:
            super().__init__()
            os.dup2(records, self.samples)
            setup = {"report": "setup", **asdict(chip_setup())}
            for report in (setup, {"report": "end"}):
                os.write(self._ends[1], json.dumps(report).encode() + b"\n")

        def read_frames(self) -> list[Frame]:
            frames = super().read_frames()
            if frames:
                clock.time_s = frames[-1].time_s + TAKEN_S
            return frames

        def stop(self) -> int:
            self._close_ends()
            return 0

    time = TimeSource(clock.now, lambda: 1.8e9 + clock.time_s, sleep=clock.sleep)
    warning = LivenessOptions("warn")  # or this synthetic heart would be suspect, not unknown
    publish = PublishOptions((f"ipc://{runtime_folder()}/messages.ipc",))
    settings = Settings(liveness=warning, publish=publish, rhythm=RhythmOptions(enabled=rhythm))
    with assembled(settings, Recorded, time) as running:
        running.run()


def without_rhythm(samples: int, records: int, frames: Path) -> None:
    """Run the same without kinds of beats and rhythm."""
    service(samples, records, frames, rhythm=False)


def stranger(samples: int, records: int, frames: Path) -> None:
    """Run the service with somebody enrolled whose heart is not the one that is heard."""
    import numpy as np

    from config.folders import gallery_path
    from model.gallery import Gallery
    from model.opening import open_network
    from model.template import Template

    with Gallery(gallery_path()) as gallery:
        passport = open_network(None, gallery.rotation_seed).passport
        embedding = np.zeros(passport.tensors.outputs, np.float32)
        embedding[0] = 1.0
        gallery.enrol(Template("Ada", embedding, 20, "2026-01-01", passport.sha256, "simulated"))
    service(samples, records, frames)


PARTS: dict[str, Callable[[int, int, Path], None]] = {
    "acquisition": acquisition,
    "stand-ins": stand_ins,
    "service": service,
    "without-rhythm": without_rhythm,
    "stranger": stranger,
}

if __name__ == "__main__":
    PARTS[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
