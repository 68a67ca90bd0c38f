"""The simulated board: the chip behind the same Board that a Raspberry Pi gives.

Bytes go the way that they go on a Pi, but for the device, and edges queue as in the kernel:

    driver -> SpidevBus -> SimulatedSpiDev -> chip
    driver <- SimulatedReadyLine <- EdgeQueue <- chip
"""

from __future__ import annotations

from collections.abc import Callable

from drivers.bus import Board, Edge
from drivers.raspberry import SpidevBus
from drivers.simulator.options import SimulatorOptions
from drivers.simulator.spidev import SimulatedSpiDev
from drivers.simulator.world import PacedWorld, SteppedWorld, World
from drivers.waveforms import Electrodes

#: One edge in so many meets a reader's pause: one a second at 250 Hz.
_EDGES_PER_PAUSE = 250


class SimulatedReadyLine:
    """The DRDY line: the kernel's queue of edges, which faults can delay, and its level."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stuck_low = world.faults.get("drdy-stuck-low")
        self._stuck_high = world.faults.all_of("drdy-stuck-high", "no-chip-00", "no-chip-ff")
        self._hold = world.faults.get("lgpio-hold")
        self._pause = world.faults.get("reader-pause")

    def wait(self, timeout_s: float) -> list[Edge]:
        """Return the falling edges not yet taken, none after ``timeout_s``."""
        edges = []
        edge = self._world.take_edge(timeout_s)
        while edge is not None:
            edges.append(edge)
            self._delay(edge)
            edge = self._world.take_edge(0.0)
        return edges

    def is_low(self) -> bool:
        """Return whether DRDY is low."""
        with self._world.lock:
            self._world.catch_up()
            chip = self._world.chip
            if self._stuck_low and self._stuck_low.active(chip.time_s):
                return True
            if any(fault.active(chip.time_s) for fault in self._stuck_high):
                return False
            return chip.ready_is_low

    def close(self) -> None:
        """Stop the world: nobody listens any more."""
        self._world.close()

    def _delay(self, edge: Edge) -> None:
        """Let the time pass that the faults ``lgpio-hold`` and ``reader-pause`` take."""
        world, chip_s = self._world, self._world.chip.time_s
        if self._hold and self._hold.active(chip_s):
            told_s = edge.time_s + self._hold.value * (1 + self._hold.random.random())
            world.sleep(max(told_s - world.now(), 0.0))
        pause = self._pause
        if pause and pause.active(chip_s) and pause.random.random() < 1 / _EDGES_PER_PAUSE:
            world.sleep(pause.value)


class DrivenPin:
    """START or PWDN/RESET.

    Args:
        world: the chip and its time.
        drive: tells the chip whether the pin is high.
        released: where a resistor pulls the pin once it is let go.
    """

    def __init__(self, world: World, drive: Callable[[bool], None], *, released: bool) -> None:
        self._world = world
        self._drive = drive
        self._released = released

    def set(self, high: bool) -> None:
        """Drive the pin."""
        with self._world.lock:
            self._world.catch_up()
            self._drive(high)

    def close(self) -> None:
        """Let go of the pin."""
        self.set(self._released)


def start_pin(world: World) -> DrivenPin:
    """Return the START pin of a world's chip."""
    return DrivenPin(world, world.chip.set_start, released=False)


def reset_pin(world: World) -> DrivenPin:
    """Return the PWDN/RESET pin of a world's chip: low until told otherwise, as on a Pi."""
    pin = DrivenPin(world, world.chip.set_reset, released=True)
    pin.set(False)
    return pin


def board_in(world: World, options: SimulatorOptions, *, pins: bool = True) -> Board:
    """Return the board around the chip of a world; START may be tied low and PWDN/RESET high."""
    device = SimulatedSpiDev(world)
    device.open(0, 0)
    device.mode = 1
    return Board(
        spi=SpidevBus(device, options.spi_hz),
        ready=SimulatedReadyLine(world),
        start=start_pin(world) if pins else None,
        reset=reset_pin(world) if pins else None,
        clock=world,
        simulated=True,
    )


def open_simulated_board(
    electrodes: Electrodes, options: SimulatorOptions, *, paced: bool
) -> Board:
    """Apply power to a simulated board, by the wall clock or a virtual one that waits move on."""
    world = (PacedWorld if paced else SteppedWorld)(electrodes, options)
    return board_in(world, options)
