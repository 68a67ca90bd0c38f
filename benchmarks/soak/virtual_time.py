"""The whole service in a time of its own: as fast as the machine can, and the same in each run.

    service's thread                              acquisition's thread
    poll(timeout) ------- your turn ------------> driver, simulated chip, records into the pipe
        |  <------------- a tenth of a second has passed, or it has ended
        `-> returns when there is something to read, or when the timeout has passed

Only one of the two runs at a time, and time passes only while the service waits. What they run is
the code of the real processes, and between them are real pipes.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from functools import partial

from daemon.acquisition.handle import Acquisition
from daemon.acquisition.process import PipeReports, PipeSink, acquire, error_report
from daemon.acquisition.sources import Source
from daemon.service.poller import Poller, Socket
from daemon.service.time_source import TimeSource
from drivers.bus import Edge
from drivers.chip_setup import ChipOptions
from drivers.errors import DriverError
from drivers.simulator.board import board_in
from drivers.simulator.options import SimulatorOptions
from drivers.simulator.world import SteppedWorld
from drivers.waveforms import Electrodes

TURN_S = 0.1  # as long as a waveform message
START_S = 1.0  # what a process needs from its start to the chip's
KILLED = -9
EPOCH_S = 1.8e9  # what the clock on the wall shows at the beginning


class _Killed(BaseException):
    """Ends the acquisition's thread wherever it is."""


class VirtualTime:
    """What time it is: the chip's own while there is one, else as much as somebody waited.

    Attributes:
        steps: (second, seconds): when the wall clock is stepped, and by how much.
        running: the acquisition, while there is one.
        on_turn: called each time that the service has waited.
    """

    def __init__(self, steps: Sequence[tuple[float, float]] = ()) -> None:
        self.steps = tuple(steps)
        self.running: VirtualAcquisition | None = None
        self.on_turn: Callable[[], None] = lambda: None
        self._now_s = 0.0

    def monotonic(self) -> float:
        """Return the seconds since everything began."""
        if self.running is not None:
            self._now_s = max(self._now_s, self.running.world.now())
        return self._now_s

    def wall(self) -> float:
        """Return the seconds since 1970, as the clock on the wall has them."""
        now_s = self.monotonic()
        return EPOCH_S + now_s + sum(by_s for at_s, by_s in self.steps if now_s >= at_s)

    def sleep(self, seconds: float) -> None:
        """Let time pass while nothing is read."""
        until_s = self.monotonic() + seconds
        while self.running is not None and self.running.alive and self.monotonic() < until_s:
            self.running.live()
        self._now_s = max(self.monotonic(), until_s)

    def source(self) -> TimeSource:
        """Return it as the service wants it."""
        return TimeSource(self.monotonic, self.wall, partial(VirtualPoller, self), self.sleep)


class VirtualPoller(Poller):
    """Waits in virtual time: the acquisition lives until there is something to read."""

    def __init__(self, time: VirtualTime, pipes: Sequence[int], sockets: Sequence[Socket]) -> None:
        super().__init__(pipes, sockets)
        self._time = time

    def poll(self, timeout_ms: int) -> set[int | Socket]:
        """Return what can be read, after ``timeout_ms`` at most."""
        self._time.on_turn()
        until_s = self._time.monotonic() + timeout_ms / 1000
        while not (ready := super().poll(0)) and self._time.monotonic() < until_s:
            self._time.sleep(TURN_S)
        if ready and not any(isinstance(source, int) for source in ready):
            self._time.sleep(TURN_S)  # sockets alone, or a client that never stops would stop time
        return ready


class _World(SteppedWorld):
    """A stepped world that lets the service have its turn whenever a tenth of a second is over."""

    def __init__(
        self,
        electrodes: Electrodes,
        options: SimulatorOptions,
        opened_s: float,
        hand_over: Callable[[], None],
    ) -> None:
        super().__init__(electrodes, options, opened_s)
        self._hand_over = hand_over
        self._turn_s = opened_s

    def sleep(self, seconds: float) -> None:
        until_s = self.now() + seconds
        while self.now() + TURN_S < until_s:
            super().sleep(TURN_S)
            self._hand_over_if_due()
        super().sleep(max(until_s - self.now(), 0.0))

    def take_edge(self, timeout_s: float) -> Edge | None:
        self._hand_over_if_due()
        return super().take_edge(timeout_s)

    def _hand_over_if_due(self) -> None:
        if self.now() >= self._turn_s:
            self._turn_s = self.now() + TURN_S
            self._hand_over()


class VirtualAcquisition(Acquisition):
    """The acquisition process, as a thread that lives while the service waits.

    Args:
        time: whose chip it moves.
        chip: how the driver sets the chip up.
        simulator: what is wrong with the chip.
        electrodes: what it sees.
        dies_at_s: when it is killed, by the virtual clock; None for never.

    Attributes:
        world: the chip's.
        alive: False once it has ended.
        error: what ended it, and when by the virtual clock; None without one.
    """

    def __init__(
        self,
        time: VirtualTime,
        chip: ChipOptions,
        simulator: SimulatorOptions,
        electrodes: Electrodes,
        dies_at_s: float | None = None,
    ) -> None:
        super().__init__()
        opened_s = time.monotonic() + START_S
        self.world = _World(electrodes, simulator, opened_s, self._hand_over)
        self.alive = True
        self.error: tuple[float, DriverError] | None = None
        self._chip = chip
        self._simulator = simulator
        self._electrodes = electrodes
        self._dies_at_s = dies_at_s
        self._exit_code = 0
        self._mine, self._yours = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name="acquisition")
        self._thread.start()
        self._time = time
        time.running = self

    def live(self) -> None:
        """Let it run for a tenth of a second, or to its end."""
        self._mine.release()
        self._yours.acquire()

    def stop(self) -> int:
        """Kill it if it has not ended, and return its exit code."""
        self._dies_at_s = 0.0
        while self.alive:
            self.live()
        self._thread.join()
        self._time.monotonic()
        self._time.running = None
        os.close(self.samples)
        os.close(self.reports)
        return self._exit_code

    def _hand_over(self) -> None:
        self._yours.release()
        self._mine.acquire()
        if self._dies_at_s is not None and self.world.now() >= self._dies_at_s:
            self._dies_at_s = None  # what cleans up after this is let alone
            raise _Killed

    def _run(self) -> None:
        self._mine.acquire()
        samples_end, reports_end = self._ends
        sink, report = PipeSink(samples_end), PipeReports(reports_end)
        try:
            board = board_in(self.world, self._simulator)
            acquire(Source(board, self._electrodes), self._chip, sink, report)
        except _Killed:
            self._exit_code = KILLED
        except DriverError as error:
            self.error = (self.world.now(), error)
            self._exit_code = 1
            report(error_report(error))
        finally:
            self._close_ends()
            self.alive = False
            self._yours.release()
