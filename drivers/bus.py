"""What the driver needs from the world: a bus, a DRDY line, two output pins and a clock.

``raspberry`` provides them on a Pi and ``simulator`` without one; the driver cannot tell which.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol


class Edge(NamedTuple):
    """A falling edge of DRDY."""

    #: when the line fell, in seconds of the monotonic clock (the kernel's own time stamp)
    time_s: float
    #: the kernel's running number of the edge, or None where the backend has none
    sequence: int | None


#: Makes an edge of a tuple of its fields, for a fourth of what the constructor costs.
edge_of: Callable[[tuple[float, int | None]], Edge] = partial(tuple.__new__, Edge)


class SpiBus(Protocol):
    """An SPI device in mode 1 whose chip select frames each transfer."""

    def transfer(self, data: bytes) -> bytes:
        """Clock out ``data`` in one chip-select frame and return as many bytes clocked in.

        Raises:
            BusError: the operating system refused or failed the transfer.
        """

    def close(self) -> None:
        """Release the device."""


class ReadyLine(Protocol):
    """The DRDY line, which falls when a new sample can be read."""

    def wait(self, timeout_s: float) -> Sequence[Edge]:
        """Return the falling edges not yet taken, oldest first; none after ``timeout_s`` seconds.

        A late reader thus finds all that it has missed; a timeout of 0 does not wait.
        """

    def is_low(self) -> bool:
        """Return the present level: True while an unread sample waits."""

    def close(self) -> None:
        """Release the line."""


class OutputLine(Protocol):
    """An output pin: START or PWDN/RESET."""

    def set(self, high: bool) -> None:
        """Drive the pin high or low."""

    def close(self) -> None:
        """Release the pin."""


class Clock(Protocol):
    """Monotonic time and waiting, so that tests jump instead of sleeping."""

    def now(self) -> float:
        """Return monotonic seconds, on the same scale as :attr:`Edge.time_s`."""

    def sleep(self, seconds: float) -> None:
        """Wait for ``seconds``."""


@dataclass(frozen=True, slots=True)
class Board:
    """Everything between the driver and the chip."""

    spi: SpiBus
    ready: ReadyLine
    #: the START pin, or None where it is tied low and the START opcode is used
    start: OutputLine | None
    #: the PWDN/RESET pin, or None where it is tied high and the RESET opcode is used
    reset: OutputLine | None
    clock: Clock
    simulated: bool  # True for the simulator; everything made from its samples says so

    def close(self) -> None:
        """Release the bus and every line."""
        for part in (self.ready, self.start, self.reset, self.spi):
            if part is not None:
                part.close()
