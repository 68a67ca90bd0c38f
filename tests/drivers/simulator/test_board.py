"""The simulated board as the driver sees it: bus, DRDY, pins and clock."""

from __future__ import annotations

import pytest

from drivers.bus import Board
from drivers.errors import BusError
from drivers.simulator import SimulatorOptions, open_simulated_board
from drivers.simulator.board import board_in
from drivers.simulator.world import SteppedWorld
from tests.drivers.simulator.bench import Ramp

READ_ID = bytes.fromhex("20 00 00")


def powered(*faults: str) -> Board:
    """Return a stepped board whose chip converts 500 times a second."""
    board = open_simulated_board(Ramp(), SimulatorOptions(faults=faults), paced=False)
    assert board.start is not None
    assert board.reset is not None
    board.reset.set(True)
    board.clock.sleep(1.0)
    board.start.set(True)
    return board


def test_it_says_that_it_is_simulated() -> None:
    assert powered().simulated


def test_the_chip_is_held_in_reset_until_the_driver_releases_it() -> None:
    board = open_simulated_board(Ramp(), SimulatorOptions(), paced=False)
    board.clock.sleep(1.0)
    assert board.spi.transfer(READ_ID) == bytes(3)


def test_where_the_pins_are_tied_opcodes_do_their_work() -> None:
    options = SimulatorOptions()
    board = board_in(SteppedWorld(Ramp(), options), options, pins=False)
    assert board.start is None
    assert board.reset is None
    board.clock.sleep(1.0)
    board.spi.transfer(b"\x08")
    assert board.ready.wait(1.0)


def test_a_transfer_takes_the_time_of_its_bits() -> None:
    board = powered()
    began_s = board.clock.now()
    board.spi.transfer(bytes(100))
    assert 0.8e-3 < board.clock.now() - began_s < 0.9e-3


def test_ready_is_low_until_it_is_read() -> None:
    board = powered()
    [edge] = board.ready.wait(1.0)
    assert edge.time_s == board.clock.now()
    assert board.ready.is_low()
    board.spi.transfer(bytes(9))
    assert not board.ready.is_low()


def test_lgpio_tells_an_edge_half_a_millisecond_late_with_its_own_time() -> None:
    board = powered("lgpio-hold")
    for _ in range(100):
        [edge] = board.ready.wait(1.0)
        assert 0.5e-3 <= board.clock.now() - edge.time_s <= 1.0e-3


def test_a_pausing_reader_finds_its_edges_queued() -> None:
    board = powered("reader-pause=0.021")
    waits = []
    for _ in range(2000):
        oldest, *_ = board.ready.wait(1.0)
        waits.append(board.clock.now() - oldest.time_s)
    assert max(waits) >= 0.021
    assert 2 <= sum(wait == pytest.approx(0.021) for wait in waits) <= 20


@pytest.mark.parametrize(("fault", "low"), [("drdy-stuck-low", True), ("drdy-stuck-high", False)])
def test_a_stuck_line_has_one_level(fault: str, low: bool) -> None:
    board = powered(fault)
    assert not board.ready.wait(1.0)
    assert board.ready.is_low() is low


def test_a_failed_transfer_is_a_bus_error() -> None:
    with pytest.raises(BusError, match="timed out"):
        powered("spi-error").spi.transfer(READ_ID)


@pytest.mark.realtime
def test_a_paced_board_delivers_whole_frames_in_real_time_and_closes() -> None:
    board = open_simulated_board(Ramp(), SimulatorOptions(), paced=True)
    assert board.start is not None
    assert board.reset is not None
    board.reset.set(True)
    board.clock.sleep(0.05)
    board.start.set(True)
    whole = 0
    for _ in range(100):
        assert board.ready.wait(1.0)
        whole += board.spi.transfer(bytes(9))[0] == 0xC0
    board.close()
    assert whole > 50  # a busy machine reads late, and a late read in RDATAC mode is torn
