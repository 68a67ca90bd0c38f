"""The analog half of the simulated chip, by the codes that come out of it.

Expected codes and times are the datasheet's (SBAS502), written out as numbers.
"""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from drivers.waveforms import Contact
from tests.drivers.simulator.bench import (
    TCLK_S,
    Bench,
    Ramp,
    counts,
    running,
)

# S5: filter and reference


@pytest.mark.parametrize("write", ["41 00 01", "49 00 02", "4A 00 01"])
def test_writes_that_restart_the_filter_cost_its_settling_time(write: str) -> None:
    bench = running()
    bench.convert(2)
    bench.send(write)
    written_s = bench.chip.time_s
    bench.convert()
    assert bench.fell[-1] - written_s == pytest.approx(2052 * 4 * TCLK_S, abs=20e-6)


def test_a_changed_input_settles_like_a_sinc3_filter() -> None:
    bench = running()
    bench.send("44 00 01")
    bench.convert(10)
    bench.send("42 00 A2")
    bench.send("44 00 05")
    seen = []
    for _ in range(4):
        bench.convert()
        seen.append(counts(bench.frame())[0] / 20971.5175)
    assert seen == pytest.approx([1 / 6, 5 / 6, 1, 1], abs=0.08)
    assert seen[2:] == pytest.approx([1, 1], abs=1e-4)


def test_samples_are_too_large_until_the_reference_has_settled() -> None:
    bench = Bench()
    bench.send("11")
    bench.send("42 00 A0")
    bench.chip.set_start(True)
    bench.convert()
    early = counts(bench.frame())[0]
    bench.wait(0.2)
    settled = counts(bench.frame())[0]
    assert early < 1.1 * settled < settled == round(-1.0 / (2420 / 6 / 8388607))


def test_a_recording_comes_out_sample_for_sample_and_clips() -> None:
    bench = running()
    for number in range(45_000):
        bench.convert()
        if number % 1000 == 0:
            expected = round(number * 0.01 / (2420 / 6 / 8388607))
            assert counts(bench.frame())[1] == min(expected, 0x7FFFFF)
    assert bench.frame()[-8:] == "7F FF FF"


@pytest.mark.parametrize("mv", [1.7e308, math.inf, 1e300])
def test_what_is_beyond_all_numbers_is_at_the_rail_of_its_sign(
    monkeypatch: pytest.MonkeyPatch, mv: float
) -> None:
    turned = lambda _, time_s: Contact(0.0, mv if time_s < 0.2 else -mv, False)  # noqa: E731
    monkeypatch.setattr(Ramp, "at", turned)
    bench = running()
    seen = []
    for _ in range(100):
        bench.convert()
        seen.append(counts(bench.frame())[1])
    assert (seen[10], seen[-1]) == (8388607, -8388608)


def test_noise_is_the_datasheets() -> None:
    bench = running(noise=1.0)
    bench.send("44 00 01")
    bench.convert(10)
    codes = []
    for _ in range(2000):
        bench.convert()
        codes.append(counts(bench.frame())[0])
    mean = sum(codes) / len(codes)
    rms_uv = math.sqrt(sum((c - mean) ** 2 for c in codes) / len(codes)) * 0.048081
    assert rms_uv == pytest.approx(0.7, rel=0.1)


# S6: inputs and status


@pytest.mark.parametrize(
    ("code", "gain"), [(0, 6), (1, 1), (2, 2), (3, 3), (4, 4), (5, 8), (6, 12)]
)
@pytest.mark.parametrize("config2", ["A3", "B3"])
def test_the_test_signal_is_a_square_of_known_codes(code: int, gain: int, config2: str) -> None:
    expected = {1: 3495, 2: 6990, 3: 10486, 4: 13981, 6: 20972, 8: 27962, 12: 41943}[gain]
    bench = running()
    bench.send(f"42 00 {config2}")
    bench.send(f"45 00 {code}5")
    bench.wait(0.3)
    high = counts(bench.frame())[1]
    bench.wait(0.5)
    low = counts(bench.frame())[1]
    assert (high, low) == pytest.approx((expected, -expected), abs=1)


def test_the_test_signal_changes_sign_every_125_samples() -> None:
    bench = running()
    bench.send("42 00 A3")
    bench.send("45 00 05")
    signs = []
    for _ in range(1000):
        bench.convert()
        signs.append(counts(bench.frame())[1] > 0)
    changes = [i for i in range(1, 1000) if signs[i] != signs[i - 1]]
    assert {b - a for a, b in pairwise(changes)} == {125}


@pytest.mark.parametrize(
    ("setting", "channel", "millivolts"),
    [("01", 0, 0.0), ("13", 0, 1650.0), ("13", 1, 825.0), ("14", 1, 145.3), ("81", 1, 0.0)],
)
def test_the_multiplexer_selects(setting: str, channel: int, millivolts: float) -> None:
    bench = running()
    bench.send(f"{44 + channel} 00 {setting}")
    bench.convert(10)
    gain = 1 if setting[0] == "1" else 6
    assert counts(bench.frame())[channel] == round(millivolts / (2420 / gain / 8388607))


def lead_off_bits(*writes: str) -> str:
    bench = running("electrode-off")
    for write in writes:
        bench.send(write)
    bench.convert(3)
    return bench.frame()[:5]


def test_electrodes_that_are_off_are_seen_only_with_comparators_senses_and_direct_current() -> None:
    assert lead_off_bits() == "C0 00"
    assert lead_off_bits("47 00 0C") == "C0 00"
    assert lead_off_bits("42 00 E0") == "C0 00"
    assert lead_off_bits("42 00 E0", "47 00 0C") == "C6 00"
    assert lead_off_bits("42 00 E0", "47 00 0F") == "C7 80"
    assert lead_off_bits("42 00 E0", "47 00 0F", "43 00 11") == "C0 00"


def test_electrodes_that_are_off_drive_their_channel_to_the_rail() -> None:
    bench = running("electrode-off@1+1")
    bench.convert(250)
    assert counts(bench.frame())[1] != 0x7FFFFF
    bench.convert(1)
    assert counts(bench.frame())[1] == 0x7FFFFF
    bench.convert(250)
    assert counts(bench.frame())[1] != 0x7FFFFF


@pytest.mark.parametrize(
    ("faults", "resp1", "spoilt"),
    [((), "F2", False), (("ads1292",), "02", False), (("ads1292",), "F2", True)],
)
def test_respiration_settings_spoil_the_data_of_a_part_without_it(
    faults: tuple[str, ...], resp1: str, spoilt: bool
) -> None:
    bench = running(*faults)
    bench.send("45 00 01")  # channel 2 shorted, and no noise of its own
    bench.send(f"49 00 {resp1}")
    bench.convert(10)
    assert (abs(counts(bench.frame())[1]) > 1000) is spoilt
