"""The simulated chip on raw bytes: what goes in on DIN, what comes out on DOUT, when DRDY falls.

Expected bytes and times are the datasheet's (SBAS502), written out as numbers.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from drivers.simulator.chip import SimulatedAds1292r
from drivers.simulator.options import SimulatorOptions
from tests.drivers.simulator.bench import (
    FAST,
    RESET_VALUES,
    TCLK_S,
    Bench,
    Ramp,
    counts,
    running,
)

# S1: registers


def test_it_wakes_in_rdatac_and_answers_a_register_read_with_a_frame() -> None:
    bench = Bench()
    assert bench.send("20 00 00") == "C0 00 00"
    bench.send("11")
    assert bench.send("20 00 00") == "00 00 73"


def test_it_wakes_with_the_reset_values() -> None:
    bench = Bench()
    bench.send("11")
    assert bench.registers() == RESET_VALUES


def test_a_burst_writes_and_reads_successive_registers() -> None:
    bench = Bench()
    bench.send("11")
    assert bench.send("41 02 01 A0 10") == "00 00 00 00 00"
    assert bench.send("21 02 00 00 00") == "00 00 01 A0 10"
    assert not bench.chip.violations


def test_read_only_bits_stay_and_must_be_bits_are_enforced_and_reported() -> None:
    bench = Bench()
    bench.send("11")
    bench.send("48 00 5F")
    assert bench.send("28 00 00")[6:] == "40"
    assert not bench.chip.violations
    for write in ("40 00 52", "41 00 7A", "42 00 04", "49 00 00", "4A 00 00", "4B 00 F0"):
        before = len(bench.chip.violations)
        bench.send(write)
        assert len(bench.chip.violations) > before, write
    assert bench.registers() == "73 02 80 10 00 00 00 00 40 02 01 00"


@pytest.mark.parametrize("write", ["41 00 07", "44 00 70", "45 00 0A", "45 00 80", "46 00 40"])
def test_reserved_codes_are_reported(write: str) -> None:
    bench = Bench()
    bench.send("11")
    bench.send(write)
    assert len(bench.chip.violations) == 1


# S2: opcodes and framing


def test_register_commands_are_ignored_in_rdatac_while_frames_go_on() -> None:
    bench = running()
    bench.send("10")
    bench.convert(2)
    frame = bench.send("00 " * 9)
    assert bench.send("45 00 10")[:8] == frame[:8]
    assert bench.send("20 0B" + " 00" * 12)[:26] == frame
    bench.send("11")
    assert bench.send("25 00 00") == "00 00 00"


def test_the_release_of_chip_select_drops_a_half_said_command() -> None:
    bench = Bench()
    bench.send("11")
    bench.send("45 00")
    bench.send("60")
    assert bench.send("25 00 00") == "00 00 00"


def test_extra_clocks_repeat_the_frame() -> None:
    bench = running()
    bench.convert()
    answer = bench.send("12" + " 00" * 18)[3:]
    assert answer[:26] == answer[27:]


def test_standby_hears_nothing_but_wakeup() -> None:
    bench = running()
    bench.send("04")
    fell = len(bench.fell)
    bench.wait(0.1)
    assert len(bench.fell) == fell
    assert bench.send("20 00 00") == "00 00 00"
    bench.send("02")
    woken_s = bench.chip.time_s
    assert bench.send("20 00 00") == "00 00 73"
    bench.convert()
    assert bench.fell[-1] - woken_s >= 0.010


@pytest.mark.parametrize("by_pin", [True, False])
def test_a_reset_restores_everything_and_rdatac(by_pin: bool) -> None:
    bench = Bench()
    bench.send("11")
    bench.send("41 00 01")
    if by_pin:
        bench.chip.set_reset(False)
        bench.wait(100e-6)
        assert bench.send("20 00 00") == "00 00 00"
        bench.chip.set_reset(True)
    else:
        bench.send("06")
    bench.wait(1e-3)
    assert bench.send("20 00 00") == "C0 00 00"
    bench.send("11")
    assert bench.registers() == RESET_VALUES


def test_a_long_reset_powers_down_and_takes_ten_milliseconds_to_wake() -> None:
    bench = Bench()
    bench.chip.set_reset(False)
    bench.wait(5e-3)
    bench.chip.set_reset(True)
    bench.wait(1e-3)
    bench.send("11")
    assert "opcode 11" in bench.chip.violations[-1]
    bench.wait(10e-3)
    bench.send("11")
    assert bench.send("20 00 00") == "00 00 73"


# S3: DRDY


@pytest.mark.parametrize(
    ("code", "settling_tmod", "rate_hz"),
    [
        ("00", 4100, 125),
        ("01", 2052, 250),
        ("02", 1028, 500),
        ("03", 516, 1000),
        ("04", 260, 2000),
        ("05", 132, 4000),
        ("06", 68, 8000),
    ],
)
def test_ready_falls_after_settling_and_then_every_period(
    code: str, settling_tmod: int, rate_hz: int
) -> None:
    bench = running(config1=code)
    started_s = bench.chip.time_s
    bench.convert(5)
    assert bench.fell[0] - started_s == pytest.approx(settling_tmod * 4 * TCLK_S)
    gaps = [b - a for a, b in pairwise(bench.fell)]
    assert gaps == pytest.approx([1 / rate_hz] * 4)


@pytest.mark.parametrize("ppm", [-15_000, 15_000])
def test_a_clock_error_lengthens_each_period(ppm: float) -> None:
    bench = running(ppm=ppm)
    bench.convert(1001)
    assert bench.fell[-1] - bench.fell[0] == pytest.approx(4.0 * (1 + ppm / 1e6))


def test_ready_rises_at_the_first_clock_and_pulses_when_unread() -> None:
    bench = running()
    assert not bench.chip.ready_is_low
    bench.convert()
    assert bench.chip.ready_is_low
    bench.chip.advance(bench.fell[0] + 0.004 - 5e-6)
    assert not bench.chip.ready_is_low
    bench.convert()
    assert bench.chip.ready_is_low
    bench.send("00")
    assert not bench.chip.ready_is_low


def test_a_single_shot_stays_low_until_the_next_start() -> None:
    bench = running(config1="81")
    bench.wait(1.0)
    assert len(bench.fell) == 1
    assert bench.chip.ready_is_low
    bench.chip.set_start(False)
    bench.chip.set_start(True)
    assert not bench.chip.ready_is_low
    bench.wait(1.0)
    assert len(bench.fell) == 2


def test_the_start_opcode_does_not_resynchronise_and_stop_completes_the_conversion() -> None:
    bench = running()
    bench.chip.set_start(False)
    bench.wait(0.1)
    assert len(bench.fell) == 1
    bench.send("08")
    started_s = bench.chip.time_s
    bench.wait(0.010)
    bench.send("08")
    bench.convert()
    assert bench.fell[-1] - started_s == pytest.approx(2052 * 4 * TCLK_S, abs=20e-6)
    bench.send("0A")
    bench.wait(1.0)
    assert len(bench.fell) == 3


# S4: the output register


def test_an_unread_sample_is_overwritten_without_a_sign() -> None:
    bench = running()
    bench.convert(3)
    assert counts(bench.frame())[1] == round(0.02 / (2420 / 6 / 8388607))


def straddled(bench: Bench, opcode: str) -> tuple[bytes, bytes, bytes]:
    """Read so that DRDY falls in mid-frame; return the answer, the old and the new frame."""
    bench.convert()
    old = bench.chip.converter.output
    bench.chip.advance(bench.chip.next_s - 40e-6)
    answer = bytes.fromhex(bench.send(opcode + " 00" * 9))
    return answer, old, bench.chip.converter.output


def test_a_read_across_the_fall_of_ready_is_torn_in_rdatac() -> None:
    bench = running()
    bench.send("10")
    answer, old, new = straddled(bench, "")
    assert answer[:3] == old[:3]
    assert answer not in (old, new)
    assert answer[6:] == new[6:]


def test_a_read_across_the_fall_of_ready_is_whole_with_rdata() -> None:
    answer, old, new = straddled(running(), "12")
    assert answer[1:] == old != new


# S7: timing


@pytest.mark.parametrize("sclk_hz", [2_000_000, FAST])
def test_register_commands_lose_bytes_above_twice_the_clock(sclk_hz: int) -> None:
    bench = running()
    bench.convert()
    assert bench.send("20 00 00", sclk_hz) == "00 00 00"
    bench.send("45 00 10", sclk_hz)
    assert bench.send("25 00 00") == "00 00 00"
    assert bench.send("12" + " 00" * 9, sclk_hz)[3:5] == "C0"


def test_a_command_too_soon_after_sdatac_is_ignored() -> None:
    bench = Bench()
    assert bench.send("11 20 00 00") == "C0 00 00 00"
    bench = Bench()
    bench.send("11", hold_s=7e-6)
    assert bench.send("20 00 00") == "00 00 00"


def test_an_early_release_of_chip_select_loses_the_last_byte() -> None:
    bench = Bench()
    bench.send("11", hold_s=2e-6)
    assert bench.send("20 00 00") == "C0 00 00"


def test_commands_are_not_heard_while_power_comes_up() -> None:
    bench = Bench.__new__(Bench)
    bench.chip = SimulatedAds1292r(Ramp(), SimulatorOptions())
    bench.send("11")
    assert bench.send("20 00 00") == "C0 00 00"


def test_an_opcode_in_the_keep_out_around_ready_is_missed() -> None:
    bench = running()
    bench.convert()
    bench.chip.advance(bench.chip.next_s - 10e-6)
    bench.send("10")
    assert bench.send("20 00 00") == "00 00 73"


def test_each_swallowed_sdatac_is_counted() -> None:
    bench = Bench("sdatac-swallowed=2")
    heard = []
    for _ in range(3):
        bench.send("11")
        heard.append(bench.send("20 00 00")[6:] == "73")
    assert heard == [False, False, True]


def test_a_brown_out_without_a_time_comes_at_once_and_only_once() -> None:
    bench = Bench("brown-out")
    bench.send("11")
    bench.send("45 00 10")
    bench.wait(10.0)
    assert bench.registers().split()[5] == "10"
