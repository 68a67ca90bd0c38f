"""A board that plays a script: edges at given times, frames by number, and a clock that jumps."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from drivers.bus import Board, Edge
from drivers.chip_setup import ChipOptions, ChipSetup
from drivers.errors import DriverError, ReadBackMismatch
from drivers.stream import FrameStream
from tests.drivers.test_chip_setup import setup

PERIOD_S = 0.004
TRANSFER_S = 0.0001


def frame(counts: int, status: str = "c00000") -> bytes:
    """Return the nine bytes of a frame with ``counts`` on both channels."""
    return bytes.fromhex(status) + 2 * (counts & 0xFFFFFF).to_bytes(3, "big")


def newest(time_s: float) -> int:
    """Return the number of the newest sample at a time."""
    return int(time_s / PERIOD_S + 1e-6)


class Script:
    """SPI, DRDY and clock in one, and the chip that a stream asks for help.

    Args:
        edges: when DRDY falls, in seconds.
        answer: gives the nine bytes that a read at a time clocks in.
    """

    def __init__(
        self, edges: Iterable[float], answer: Callable[[float], bytes] | None = None
    ) -> None:
        self._edges = deque(Edge(time_s, None) for time_s in edges)
        self._answer = answer or (lambda time_s: frame(newest(time_s)))
        self.time_s = 0.0
        self.stalls: dict[float, float] = {}
        self.low = False
        self.reads: list[bytes] = []
        self.restarts = 0
        self.trouble: DriverError | None = None
        self.disturbed_diagnoses = 0

    def stream(self, *, continuous: bool = False) -> FrameStream:
        """Return a stream on this board that hands out frames from the first."""
        board = Board(self, self, None, None, self, simulated=False)
        return FrameStream(board, self, setup(ChipOptions()), continuous=continuous, settle_s=0.0)

    # SpiBus, ReadyLine and Clock

    def transfer(self, data: bytes) -> bytes:
        self.reads.append(data)
        answer = self._answer(self.time_s)
        self.sleep(TRANSFER_S)
        return bytes(len(data) - 9) + answer

    def wait(self, timeout_s: float) -> list[Edge]:
        edges = []
        while self._edges and self._edges[0].time_s <= self.time_s + timeout_s:
            edges.append(self._edges.popleft())
            self.time_s = max(self.time_s, edges[-1].time_s)
            self.sleep(self.stalls.pop(edges[-1].time_s, 0.0))
            timeout_s = 0.0
        self.sleep(timeout_s if not edges else 0.0)
        return edges

    def is_low(self) -> bool:
        return self.low

    def now(self) -> float:
        return self.time_s

    def sleep(self, seconds: float) -> None:
        self.time_s += seconds

    def close(self) -> None:
        pass

    # StreamingChip

    def restart(self) -> ChipSetup:
        self.restarts += 1
        if self.trouble:
            raise self.trouble
        return setup(ChipOptions())

    def diagnose(self) -> DriverError | None:
        if self.disturbed_diagnoses:
            self.disturbed_diagnoses -= 1
            return ReadBackMismatch("a bit was lost on the way")
        return self.trouble
