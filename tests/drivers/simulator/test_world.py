"""Time in the simulated worlds, and DRDY's edges as the kernel queues them."""

from __future__ import annotations

import time

import pytest

from drivers.simulator.options import SimulatorOptions
from drivers.simulator.world import PacedWorld, SteppedWorld, World
from tests.drivers.simulator.bench import Ramp


def converting(world: World) -> World:
    """Start 250 conversions a second."""
    chip = world.chip
    with world.lock:
        chip.advance(chip.time_s + 0.05)
        chip.transfer(b"\x11", 1e6)
        chip.transfer(b"\x41\x00\x01", 1e6)
        chip.set_start(True)
    return world


def stepped(*faults: str) -> World:
    return converting(SteppedWorld(Ramp(), SimulatorOptions(faults=faults)))


def test_waiting_for_an_edge_jumps_to_it() -> None:
    world = stepped()
    first, second = world.take_edge(1.0), world.take_edge(1.0)
    assert first is not None
    assert second is not None
    assert second.time_s - first.time_s == pytest.approx(0.004)
    assert world.now() == second.time_s
    assert (first.sequence, second.sequence) == (1, 2)


def test_waiting_in_vain_takes_its_time_and_ten_minutes_take_none() -> None:
    world = SteppedWorld(Ramp(), SimulatorOptions())
    assert world.take_edge(600.0) is None
    assert world.now() == 600.0


def test_a_full_queue_drops_the_oldest_and_its_number_shows_it() -> None:
    world = stepped()
    world.sleep(1.0)
    edges = []
    while edge := world.take_edge(0):
        edges.append(edge.sequence)
    assert len(edges) == 16
    assert edges[-1] == 246
    assert edges == list(range(231, 247))


def test_missing_edges_leave_a_gap_in_time_but_not_in_their_numbers() -> None:
    world = stepped("missing-edges=0.1")
    edges = [world.take_edge(1.0) for _ in range(1000)]
    times = [edge.time_s for edge in edges if edge]
    assert [edge.sequence for edge in edges if edge] == list(range(1, 1001))
    assert round((times[-1] - times[0]) / 0.004) == pytest.approx(1110, abs=40)


def test_duplicate_edges_come_just_after_their_twins() -> None:
    world = stepped("duplicate-edges=1")
    first, second = world.take_edge(1.0), world.take_edge(1.0)
    assert first is not None
    assert second is not None
    assert 0 < second.time_s - first.time_s < 1e-4


@pytest.mark.parametrize("fault", ["drdy-stuck-high", "drdy-stuck-low", "no-chip-00", "no-chip-ff"])
def test_a_line_that_does_not_move_gives_no_edges(fault: str) -> None:
    assert stepped(fault).take_edge(10.0) is None


@pytest.mark.realtime
def test_a_paced_world_keeps_the_wall_clocks_time() -> None:
    world = converting(PacedWorld(Ramp(), SimulatorOptions()))
    began_s = time.monotonic()
    world.sleep(0.05)
    assert time.monotonic() - began_s >= 0.05
    began_s = time.monotonic()
    edges = [world.take_edge(1.0) for _ in range(250)]
    took_s = time.monotonic() - began_s
    world.close()
    times = [edge.time_s for edge in edges if edge]
    assert len(times) == 250
    assert took_s == pytest.approx(1.0, abs=0.2)
    assert times[-1] - times[0] == pytest.approx(249 * 0.004)
    assert abs(times[-1] - time.monotonic()) < 0.2
