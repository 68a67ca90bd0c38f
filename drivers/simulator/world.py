"""The simulated chip in time: moved on by the driver's waits, or by the wall clock.

A world is also the driver's clock. In the stepped one nothing takes time but waiting, and waiting
takes none: ten minutes pass in seconds. In the paced one a thread of its own lets the chip live.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from contextlib import AbstractContextManager, nullcontext

from drivers.bus import Edge
from drivers.simulator.chip import SimulatedAds1292r
from drivers.simulator.faults import FaultBox
from drivers.simulator.options import SimulatorOptions
from drivers.waveforms import Electrodes

#: The kernel's queue of a line's edges; when it is full, the oldest goes.
QUEUED_EDGES = 16
#: How late after its twin a duplicate edge comes, as the ringing of a long wire does.
_RINGING_S = 20e-6
#: How long a paced world may sleep while its chip has nothing to do.
_IDLE_S = 0.005


class EdgeQueue:
    """The falling edges of DRDY that nobody has taken yet, numbered as the kernel does.

    Args:
        opened_s: what the driver's clock showed when the chip's was 0.
    """

    def __init__(self, faults: FaultBox, opened_s: float) -> None:
        self._silent = faults.all_of(
            "drdy-stuck-high", "drdy-stuck-low", "no-chip-00", "no-chip-ff"
        )
        self._missing = faults.get("missing-edges")
        self._duplicate = faults.get("duplicate-edges")
        self._opened_s = opened_s
        self._edges: deque[Edge] = deque(maxlen=QUEUED_EDGES)
        self._sequence = 0

    def __bool__(self) -> bool:
        return bool(self._edges)

    def fall(self, chip_s: float) -> None:
        """Note that DRDY fell at ``chip_s`` of the chip's time."""
        if self._silent and any(fault.active(chip_s) for fault in self._silent):
            return
        if self._missing and self._missing.strikes(chip_s):
            return
        self._append(chip_s)
        if self._duplicate and self._duplicate.strikes(chip_s):
            self._append(chip_s + _RINGING_S)

    def take(self) -> Edge | None:
        """Return the oldest edge."""
        return self._edges.popleft() if self._edges else None

    def _append(self, chip_s: float) -> None:
        self._sequence += 1
        self._edges.append(Edge(self._opened_s + chip_s, self._sequence))


class World(ABC):
    """A simulated chip, its faults, and the driver's clock.

    Attributes:
        chip: to be touched only while holding ``lock`` and after :meth:`catch_up`.
        edges: what the kernel has queued of DRDY.
    """

    lock: AbstractContextManager[object]

    def __init__(self, electrodes: Electrodes, options: SimulatorOptions, opened_s: float) -> None:
        self.faults = FaultBox(options.faults, options.seed)
        self.edges = EdgeQueue(self.faults, opened_s)
        self.chip = SimulatedAds1292r(electrodes, options, self.edges.fall)

    @abstractmethod
    def now(self) -> float:
        """Return the driver's monotonic time in seconds."""

    @abstractmethod
    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass."""

    @abstractmethod
    def catch_up(self) -> None:
        """Let the chip live until now."""

    @abstractmethod
    def end_transfer(self, duration_s: float) -> None:
        """Let the driver wait for a transfer that took the chip ``duration_s``."""

    @abstractmethod
    def take_edge(self, timeout_s: float) -> Edge | None:
        """Return the oldest falling edge of DRDY, waiting up to ``timeout_s`` for one."""

    @abstractmethod
    def close(self) -> None:
        """Stop the thread, if there is one."""


class SteppedWorld(World):
    """Time passes when the driver waits or transfers, and at once."""

    #: What the kernel and Python take between two chip-select frames.
    _OVERHEAD_S = 15e-6

    def __init__(
        self, electrodes: Electrodes, options: SimulatorOptions, opened_s: float = 0.0
    ) -> None:
        super().__init__(electrodes, options, opened_s)
        self._opened_s = opened_s
        self.lock = nullcontext()

    def now(self) -> float:
        """Return the chip's own time, counted from when the board was opened."""
        return self._opened_s + self.chip.time_s

    def sleep(self, seconds: float) -> None:
        """Move the time on at once."""
        self.chip.advance(self.chip.time_s + seconds)

    def catch_up(self) -> None:
        """Do nothing: the chip is never behind."""

    def end_transfer(self, duration_s: float) -> None:
        """Jump over the overhead; the transfer itself has moved the chip's time."""
        self.sleep(self._OVERHEAD_S)

    def take_edge(self, timeout_s: float) -> Edge | None:
        """Jump to the next edge, or by ``timeout_s`` if there is none."""
        deadline_s = self.chip.time_s + timeout_s
        while not self.edges and self.chip.next_s <= deadline_s:
            self.chip.advance(self.chip.next_s)
        if not self.edges:
            self.chip.advance(deadline_s)
        return self.edges.take()

    def close(self) -> None:
        """Do nothing: time stands still by itself."""


class PacedWorld(World):
    """Time is the wall clock's; a thread lets the chip live by it."""

    def __init__(self, electrodes: Electrodes, options: SimulatorOptions) -> None:
        self._opened_s = time.monotonic()
        super().__init__(electrodes, options, self._opened_s)
        self.lock = self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._live, name="simulated chip", daemon=True)
        self._thread.start()

    def now(self) -> float:
        """Return the monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait by the wall clock."""
        time.sleep(seconds)

    def catch_up(self) -> None:
        """Let the chip live until now."""
        self.chip.advance(time.monotonic() - self._opened_s)

    def end_transfer(self, duration_s: float) -> None:
        """Wait as long as the bits take on the wire."""
        time.sleep(duration_s)

    def take_edge(self, timeout_s: float) -> Edge | None:
        """Wait for an edge by the wall clock.

        The reader wakes by itself when an edge is due, since on a busy machine it may take the
        chip's thread too long to wake and then tell it.
        """
        deadline_s = time.monotonic() + timeout_s
        with self._changed:
            self.catch_up()
            while not self.edges and (left_s := deadline_s - time.monotonic()) > 0:
                self._changed.wait(min(self._due_s(), left_s))
                self.catch_up()
            return self.edges.take()

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _live(self) -> None:
        with self._changed:
            while not self._closed:
                self.catch_up()
                if self.edges:
                    self._changed.notify_all()
                self._changed.wait(min(self._due_s(), _IDLE_S))

    def _due_s(self) -> float:
        """Return how long until something happens in the chip."""
        return max(self.chip.next_s - (time.monotonic() - self._opened_s), 0.0)
