"""Electrodes that show each sample's own number, and what came out of a stream of them.

A frame thus tells which conversion it really was, whatever index the driver gave it. Virtual time
is bounded: nothing can hang.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import pytest

from drivers.ads1292r import Ads1292r
from drivers.bus import Board, Edge
from drivers.chip_setup import ChipOptions
from drivers.counters import Counters
from drivers.frame import Frame, millivolts_per_count
from drivers.simulator import SimulatorOptions
from drivers.simulator.board import board_in
from drivers.simulator.world import SteppedWorld
from drivers.waveforms import Contact

LSB_MV = millivolts_per_count(6, 2.42)
#: Channel 2 climbs by so much a sample.
STEP_MV = 0.001


class Numbered:
    """Electrodes that show the number of the sample at 250 Hz."""

    duration_s = None

    def playing(self, time_s: float) -> str:
        return "numbers"

    def at(self, time_s: float) -> Contact:
        return Contact(0.2, round(time_s * 250) * STEP_MV, False)


class BoundedWorld(SteppedWorld):
    """A stepped world that ends instead of waiting for ever."""

    limit_s = 120.0

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        assert self.now() < self.limit_s, "the driver hangs"

    def take_edge(self, timeout_s: float) -> Edge | None:
        assert self.now() < self.limit_s, "the driver hangs"
        return super().take_edge(timeout_s)


def opened(*faults: str, seed: int = 1, clock_error_ppm: float = 0.0) -> Board:
    options = SimulatorOptions(seed=seed, noise=0.0, clock_error_ppm=clock_error_ppm, faults=faults)
    return board_in(BoundedWorld(Numbered(), options), options)


@dataclass(frozen=True)
class Take:
    """What came out of a stream."""

    frames: list[Frame]
    counters: Counters
    period_s: float
    conversions: list[int]

    @property
    def index_jumps(self) -> int:
        return self.frames[-1].index - self.frames[0].index + 1 - len(self.frames)

    @property
    def missing_conversions(self) -> int:
        return self.conversions[-1] - self.conversions[0] + 1 - len(self.frames)

    def check_numbers(self) -> None:
        """Each frame is the conversion that its index says, and every loss is counted."""
        first = self.conversions[0] - self.frames[0].index
        assert [c - f.index for c, f in zip(self.conversions, self.frames, strict=True)] == [
            first
        ] * len(self.frames)
        assert self.counters.lost == self.index_jumps == self.missing_conversions


def conversion(frame: Frame) -> int:
    """Return the number of the conversion that channel 2 shows."""
    number = round(frame.counts[1] * LSB_MV / STEP_MV)
    assert frame.counts[1] == round(number * STEP_MV / LSB_MV)
    return number


def take(board: Board, seconds: float, options: ChipOptions | None = None) -> Take:
    """Power up, stream for some seconds of signal, and stop."""
    driver = Ads1292r(board, options or ChipOptions())
    driver.power_up()
    with driver.stream() as stream:
        frames = list(islice(stream, round(seconds * 250)))
        return Take(frames, stream.counters, stream.period_s, [conversion(f) for f in frames])


READ_MODES = pytest.mark.parametrize(
    "options", [ChipOptions(), ChipOptions(read_mode="rdatac")], ids=["rdata", "rdatac"]
)
