"""The driver against the simulated chip: what it sends, in which order, and what it refuses."""

from __future__ import annotations

import math
from contextlib import nullcontext, suppress
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest

from drivers.ads1292r import Ads1292r, ChipOptions
from drivers.bus import Board
from drivers.errors import ReadBackMismatch, RegistersNotReset, WrongPart
from drivers.opcodes import Opcode
from drivers.registers import Register
from drivers.simulator import SimulatorOptions, open_simulated_board
from drivers.waveforms import Contact


class Sine:
    """Electrodes with 1 mV at 5 Hz on channel 2."""

    duration_s = None

    def playing(self, time_s: float) -> str:
        return "sine"

    def at(self, time_s: float) -> Contact:
        return Contact(0.1, math.sin(2 * math.pi * 5 * time_s), False)


class Listener:
    """An SPI bus that writes down what goes over it, and may spoil what comes back."""

    def __init__(self, board: Board) -> None:
        self._spi = board.spi
        self.sent: list[bytes] = []
        self.spoilt: dict[bytes, bytes] = {}

    def transfer(self, data: bytes) -> bytes:
        self.sent.append(data)
        answer = self._spi.transfer(data)
        return self.spoilt.get(data, answer)

    def close(self) -> None:
        self._spi.close()

    def first(self, opcode: int, mask: int = 0xFF) -> int:
        return next(n for n, data in enumerate(self.sent) if data[0] & mask == opcode)


def simulated(*faults: str) -> tuple[Board, Listener]:
    board = open_simulated_board(Sine(), SimulatorOptions(faults=faults), paced=False)
    listener = Listener(board)
    return replace(board, spi=listener), listener


def without_pins(board: Board) -> Board:
    """Return the board with START tied low and PWDN/RESET high."""
    assert board.reset is not None
    board.reset.set(True)
    return replace(board, start=None, reset=None)


@pytest.mark.parametrize(
    "options",
    [
        ChipOptions(),
        ChipOptions(gain=12, vref_v=4.033, rate_hz=500, respiration_gain=3, lead_off=False),
        ChipOptions(ecg_channel=1, respiration=False, gain=4),
        ChipOptions(respiration=False, rate_hz=125),
    ],
)
def test_the_setup_is_what_was_asked_for(options: ChipOptions) -> None:
    board, _ = simulated()
    setup = Ads1292r(board, options).power_up()
    assert setup.part == "ADS1292R"
    assert setup.simulated
    assert setup.rate_hz == options.rate_hz
    assert setup.vref_v == options.vref_v
    assert setup.gains[options.ecg_channel - 1] == options.gain
    assert setup.ecg_channel == options.ecg_channel
    assert setup.respiration_channel == (1 if options.respiration else None)
    assert setup.lead_off_known == options.lead_off


def test_all_registers_are_read_before_the_first_is_written() -> None:
    board, bus = simulated()
    Ads1292r(board).power_up()
    assert bus.sent.index(bytes([0x20, 11]) + bytes(12)) < bus.first(0x40, mask=0xE0)
    assert bus.first(0x11) < bus.first(0x20, mask=0xE0)


def test_each_register_is_read_back_after_it_is_written() -> None:
    board, bus = simulated()
    Ads1292r(board).power_up()
    for number, data in enumerate(bus.sent):
        if data[0] & 0xE0 == 0x40:
            assert bus.sent[number + 1] == bytes([data[0] - 0x20, 0, 0])


def test_the_supplies_and_the_reference_are_given_their_time() -> None:
    board, bus = simulated()
    chip = Ads1292r(board)
    times: list[tuple[float, bytes]] = []
    inner = bus.transfer

    def timed(data: bytes) -> bytes:
        times.append((board.clock.now(), data))
        return inner(data)

    bus.transfer = timed  # type: ignore[method-assign]
    chip.power_up()
    config2_s = next(time_s for time_s, data in times if data[0] == 0x42)
    next_write_s = next(time_s for time_s, data in times if data[0] == 0x41)
    assert times[0][0] >= 1.0
    assert next_write_s - config2_s >= 0.150


@pytest.mark.parametrize("pins", [True, False])
def test_rdatac_is_sent_while_the_chip_is_stopped(pins: bool) -> None:
    board, bus = simulated()
    chip = Ads1292r(board if pins else without_pins(board), ChipOptions(read_mode="rdatac"))
    chip.power_up()
    bus.sent.clear()
    with chip.stream() as stream:
        next(stream)
    assert bus.first(0x10) == 0
    assert (b"\x08" in bus.sent) == (not pins)
    assert bus.sent[-1] == b"\x11"


@pytest.mark.parametrize("pins", [True, False])
@pytest.mark.parametrize("read_mode", ["rdata", "rdatac"])
def test_the_electrodes_come_out_in_millivolts(pins: bool, read_mode: Any) -> None:
    board, _ = simulated()
    chip = Ads1292r(board if pins else without_pins(board), ChipOptions(read_mode=read_mode))
    setup = chip.power_up()
    with chip.stream() as stream:
        frames = list(islice(stream, 500))
    for frame in frames:
        ecg_mv = frame.counts[1] * setup.vref_v * 1000 / (setup.gains[1] * (2**23 - 1))
        assert ecg_mv == pytest.approx(math.sin(2 * math.pi * 5 * frame.index / 250), abs=0.01)


def test_the_first_half_second_is_withheld_but_numbered() -> None:
    board, _ = simulated()
    chip = Ads1292r(board)
    chip.power_up()
    with chip.stream() as stream:
        assert next(stream).index == 125
        assert stream.counters.lost == 0


def test_a_second_stream_begins_as_the_first_did() -> None:
    board, _ = simulated()
    chip = Ads1292r(board)
    chip.power_up()
    for _ in range(2):
        with chip.stream() as stream:
            assert [frame.index for frame in islice(stream, 50)] == list(range(125, 175))


def test_the_stream_stops_the_chip_however_it_is_left() -> None:
    board, _ = simulated()
    chip = Ads1292r(board)
    chip.power_up()
    with suppress(KeyError), chip.stream() as stream:
        next(stream)
        raise KeyError
    board.ready.wait(0.0)
    assert not board.ready.wait(1.0)


class Interrupting(Listener):
    """A bus on which Ctrl-C is pressed in the midst of the frames."""

    frames_left = 10**9

    def transfer(self, data: bytes) -> bytes:
        if data[0] == Opcode.RDATA:
            self.frames_left -= 1
            if self.frames_left < 0:
                raise KeyboardInterrupt
        return super().transfer(data)


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_measurement_leaves_the_chip_as_it_found_it(interrupted: bool) -> None:
    board, _ = simulated()
    bus = Interrupting(board)
    board = replace(board, spi=bus)
    chip = Ads1292r(board)
    chip.power_up()
    read_all = bytes([Opcode.RREG, 11]) + bytes(12)
    before = bus.transfer(read_all)
    if interrupted:
        bus.frames_left = 40
    with pytest.raises(KeyboardInterrupt) if interrupted else nullcontext():
        chip.measure({Register.CH2SET: 0x15, Register.CONFIG2: 0xA3}, count=100)

    assert bus.transfer(read_all) == before
    assert bytes([0x45, 0, 0x15]) in bus.sent  # it was another meanwhile
    board.ready.wait(0.0)
    assert not board.ready.wait(1.0)  # and no longer converts
    bus.frames_left = 10**9
    with chip.stream() as stream:
        assert next(stream).index == 125


def test_a_register_that_does_not_take_its_value_is_named() -> None:
    board, bus = simulated()
    bus.spoilt[bytes([0x26, 0, 0])] = bytes([0, 0, 0x20])
    with pytest.raises(ReadBackMismatch, match="RLD_SENS holds 20 where 2C was written"):
        Ads1292r(board).power_up()


def test_a_chip_that_was_not_reset_is_refused() -> None:
    board, bus = simulated()
    dump = bytes([0x20, 11]) + bytes(12)
    bus.spoilt[dump] = bytes.fromhex("0000 73 02 a0 10 00 00 00 00 00 00 02 0c")
    with pytest.raises(RegistersNotReset, match="CONFIG2 A0"):
        Ads1292r(board).power_up()


def test_the_part_without_respiration_serves_where_none_is_asked_for() -> None:
    board, _ = simulated("ads1292")
    with pytest.raises(WrongPart, match="respiration"):
        Ads1292r(board).power_up()
    board, _ = simulated("ads1292")
    assert Ads1292r(board, ChipOptions(respiration=False)).power_up().part == "ADS1292"


def test_a_bring_up_that_had_to_be_repeated_is_counted() -> None:
    for seed in range(1, 200):
        options = SimulatorOptions(faults=("zero-frames=0.5",), seed=seed)
        board = open_simulated_board(Sine(), options, paced=False)
        chip = Ads1292r(board)
        chip.power_up()
        with chip.stream() as stream:
            if stream.counters.reinitialisations:
                return
    pytest.fail("no seed gave a first bring-up with zero frames")


def test_the_setup_is_not_known_before_power_up() -> None:
    board, _ = simulated()
    with pytest.raises(RuntimeError, match="power_up"):
        _ = Ads1292r(board).setup
