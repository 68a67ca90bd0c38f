"""How faults are written down, and that each does to the bytes what its catalogue entry says."""

from __future__ import annotations

import pytest

from drivers.simulator.faults import CATALOGUE, Fault
from drivers.simulator.options import SimulatorOptions
from tests.drivers.simulator.bench import RESET_VALUES, Bench, counts, running


def test_every_fault_of_the_list_has_a_name() -> None:
    numbers = {kind.number for kind in CATALOGUE.values()}
    assert numbers == {f"F{n}" for n in range(1, 18)}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("brown-out", Fault("brown-out", 0.0, None, float("inf"))),
        ("brown-out@12", Fault("brown-out", 0.0, 12.0, float("inf"))),
        ("wrong-id=0x52", Fault("wrong-id", 0x52, None, float("inf"))),
        ("electrode-off@10+5", Fault("electrode-off", 0.0, 10.0, 5.0)),
        ("spi-error=0.25@1.5+0.02", Fault("spi-error", 0.25, 1.5, 0.02)),
    ],
)
def test_a_fault_is_written_as_text(text: str, fault: Fault) -> None:
    assert Fault.parse(text) == fault


@pytest.mark.parametrize("text", ["", "brwn-out", "brown-out@", "brown-out@x", "wrong-id=z"])
def test_a_fault_that_cannot_be_understood_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="faults: "):
        SimulatorOptions(faults=(text,))


def test_a_fault_can_be_switched_on_once() -> None:
    with pytest.raises(ValueError, match="once"):
        SimulatorOptions(faults=("mains=50", "mains=60"))


@pytest.mark.parametrize(
    ("field", "value"), [("noise", -1), ("clock_error_ppm", 1e6), ("spi_hz", 1000)]
)
def test_options_are_checked(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{field}: "):
        SimulatorOptions(**{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fault", "identity"),
    [("wrong-id", "53"), ("wrong-id=0x52", "52"), ("wrong-id=0xBF", "BF"), ("bad-trim", "80")],
)
def test_another_identity(fault: str, identity: str) -> None:
    bench = Bench(fault)
    bench.send("11")
    assert bench.registers() == identity + RESET_VALUES[2:]


def test_sdatac_is_swallowed_once() -> None:
    bench = Bench("sdatac-swallowed")
    bench.send("11")
    assert bench.send("20 00 00") == "C0 00 00"
    bench.send("11")
    assert bench.send("20 00 00") == "00 00 73"


def test_frames_are_zero_though_registers_are_right_until_the_next_reset() -> None:
    bench = running("zero-frames=1@0+1")
    bench.convert(2)
    assert bench.frame() == "00 " * 8 + "00"
    assert bench.send("20 00 00") == "00 00 73"
    bench.send("06")
    bench.wait(1e-3)
    bench.send("11")
    bench.wait(0.1)
    assert bench.frame()[:2] == "C0"


@pytest.mark.parametrize(
    ("fault", "frame"),
    [
        ("byte-slip", "FF C0 00 00 FF AE C2 00 00"),
        ("byte-slip=2", "FF FF C0 00 00 FF AE C2 00"),
        ("bit-slip", "E0 00 00 7F D7 61 00 00 00"),
    ],
)
def test_a_slip_shifts_the_frame(fault: str, frame: str) -> None:
    bench = running(fault)
    bench.convert()
    assert counts(bench.chip.converter.output.hex())[0] == -20798
    assert bench.frame() == frame


def test_a_brown_out_resets_everything_and_doubles_the_rate() -> None:
    bench = running("brown-out@2")
    bench.wait(2.0)
    gaps = [b - a for a, b in zip(bench.fell[-4:-1], bench.fell[-3:], strict=True)]
    assert gaps == pytest.approx([0.002] * 3)
    bench.send("11")
    assert bench.registers() == RESET_VALUES


def test_a_bad_trim_makes_periods_three_percent_longer() -> None:
    bench = running("bad-trim")
    bench.convert(251)
    assert bench.fell[-1] - bench.fell[0] == pytest.approx(1.03)


def test_a_register_flips_at_its_first_write_or_at_a_time() -> None:
    bench = Bench("register-flip=0x0510")
    bench.send("11")
    for expected in ("10", "00"):
        bench.send("45 00 00")
        assert bench.send("25 00 00")[6:] == expected
    bench = running("register-flip=0x0103@2")
    bench.wait(2.0)
    assert bench.send("21 00 00")[6:] == "02"


def test_respiration_settings_spoil_the_data_of_a_part_without_respiration() -> None:
    clean, spoilt = running("ads1292"), running("ads1292")
    spoilt.send("49 00 EA")
    for bench in (clean, spoilt):
        bench.wait(0.1)
    assert abs(counts(clean.frame())[0] + 20798) < 2
    assert abs(counts(spoilt.frame())[0] + 20798) > 1000


def test_foreign_traffic_raises_ready_though_nobody_has_read() -> None:
    bench = running("foreign-traffic=1")
    bench.convert()
    assert len(bench.fell) == 1
    assert not bench.chip.ready_is_low


def test_a_slow_reference_makes_early_samples_too_large() -> None:
    early, late = running("slow-reference"), running("slow-reference")
    for bench, wait_s in ((early, 0.1), (late, 3.0)):
        bench.wait(wait_s)
    assert counts(early.frame())[0] < -24_000
    assert counts(late.frame())[0] == -20798


def test_hum_and_wander_move_both_channels() -> None:
    bench = running("mains=50", "wander=0.5")
    seen = []
    for _ in range(1000):
        bench.convert()
        seen.append(counts(bench.frame())[0] * 2420 / 6 / 8388607 + 1.0)
    assert max(seen) == pytest.approx(0.8, abs=0.05)
    assert min(seen) == pytest.approx(-0.8, abs=0.05)
