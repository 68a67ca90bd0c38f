"""What the driver makes of everything that can go wrong: faults F1 to F17 of the simulated chip.

Each ends in the error that names it, or in recovery with an exact count.
"""

from __future__ import annotations

from itertools import islice

import pytest

from drivers.ads1292r import Ads1292r
from drivers.chip_setup import ChipOptions
from drivers.errors import (
    AllZeroFrames,
    BusError,
    DriverError,
    FrameOutOfSync,
    MisoConstantHigh,
    MisoConstantLow,
    ReadBackMismatch,
    ReadyNeverFell,
    ReadyStuckLow,
    ReferenceNotSettled,
    StillStreaming,
    UnknownId,
    WrongPart,
)
from drivers.frame import FULL_SCALE_COUNTS, millivolts_per_count
from tests.drivers.numbered import READ_MODES, conversion, opened, take


def power_up_error(*faults: str, options: ChipOptions | None = None) -> DriverError:
    driver = Ads1292r(opened(*faults), options or ChipOptions())
    with pytest.raises(DriverError) as caught:
        driver.power_up()
    return caught.value


def stream_error(*faults: str) -> DriverError:
    """Return what ends a stream of ten minutes at most."""
    with pytest.raises(DriverError) as caught:
        take(opened(*faults), 600)
    return caught.value


# F1 to F3: who is there?


def test_f1_an_absent_chip_is_named_by_what_miso_reads() -> None:
    assert isinstance(power_up_error("no-chip-00"), MisoConstantLow)
    assert isinstance(power_up_error("no-chip-ff"), MisoConstantHigh)


def test_f1_a_chip_that_vanishes_in_mid_run_is_named_too() -> None:
    assert isinstance(stream_error("no-chip-00@5"), MisoConstantLow)
    assert isinstance(stream_error("no-chip-ff@5"), MisoConstantHigh)


@pytest.mark.parametrize(
    ("identity", "error", "named"),
    [
        ("0x53", WrongPart, "ADS1292 "),
        ("0x52", WrongPart, "ADS1291"),
        ("0xBF", UnknownId, "BF"),
    ],
)
def test_f2_a_wrong_identity_is_named(identity: str, error: type, named: str) -> None:
    caught = power_up_error(f"wrong-id={identity}")
    assert isinstance(caught, error)
    assert named in str(caught)


def test_f3_a_swallowed_sdatac_is_sent_again() -> None:
    take(opened("sdatac-swallowed"), 1).check_numbers()


def test_f3_a_chip_that_never_takes_sdatac_is_still_streaming() -> None:
    assert isinstance(power_up_error("sdatac-swallowed=1000"), StillStreaming)


# F4, F5: frames that are none


@READ_MODES
def test_f4_zero_frames_go_away_with_a_fresh_start(options: ChipOptions) -> None:
    restarts = []
    for seed in range(8):
        seen = take(opened("zero-frames=0.4", seed=seed), 2, options)
        seen.check_numbers()
        restarts.append(seen.counters.reinitialisations)
    assert 0 in restarts
    assert max(restarts) >= 1


def test_f4_zero_frames_for_ever_are_named() -> None:
    assert isinstance(stream_error("zero-frames=1"), AllZeroFrames)


@pytest.mark.parametrize(
    ("fault", "named"),
    [("byte-slip", "byte slip"), ("byte-slip=3", "byte slip"), ("bit-slip", "bit slip")],
)
def test_f5_a_lasting_slip_is_named_with_its_kind(fault: str, named: str) -> None:
    caught = stream_error(f"{fault}@5")
    assert isinstance(caught, FrameOutOfSync)
    assert named in str(caught)


def test_f5_a_passing_slip_costs_the_frames_that_it_spoils() -> None:
    seen = take(opened("bit-slip@5+0.015"), 10)
    seen.check_numbers()
    assert seen.counters.bad_frames == seen.counters.lost
    assert 3 <= seen.counters.lost <= 4
    assert seen.counters.reinitialisations == 0


# F6, F7: DRDY


def test_f6_a_line_that_never_falls_is_named() -> None:
    assert isinstance(stream_error("drdy-stuck-high"), ReadyNeverFell)
    assert isinstance(stream_error("drdy-stuck-high@5"), ReadyNeverFell)


def test_f6_a_line_that_never_rises_is_named() -> None:
    assert isinstance(stream_error("drdy-stuck-low"), ReadyStuckLow)
    assert isinstance(stream_error("drdy-stuck-low@5"), ReadyStuckLow)


def test_f6_a_line_that_comes_back_costs_what_is_counted() -> None:
    seen = take(opened("drdy-stuck-low@5+0.040"), 10)
    seen.check_numbers()
    assert 10 <= seen.counters.lost <= 11
    assert seen.counters.watchdog_reads > 0
    assert seen.counters.reinitialisations == 0


@READ_MODES
def test_f7_a_missing_edge_is_a_lost_sample(options: ChipOptions) -> None:
    seen = take(opened("missing-edges=0.01"), 60, options)
    seen.check_numbers()
    assert seen.counters.lost == pytest.approx(150, abs=50)


def test_f7_a_duplicate_edge_is_no_sample() -> None:
    seen = take(opened("duplicate-edges=0.1"), 60)
    seen.check_numbers()
    assert seen.counters.lost == 0
    assert seen.counters.duplicate_edges == pytest.approx(1500, abs=200)


@READ_MODES
def test_f7_lgpio_s_hold_costs_nothing(options: ChipOptions) -> None:
    seen = take(opened("lgpio-hold"), 60, options)
    seen.check_numbers()
    assert seen.counters.lost == 0
    assert 0.5e-3 <= seen.counters.latency_max_s <= 1.1e-3


@READ_MODES
@pytest.mark.parametrize("pause_s", [0.020, 0.035])
def test_f7_a_pausing_reader_loses_what_was_overwritten(
    options: ChipOptions, pause_s: float
) -> None:
    seen = take(opened(f"reader-pause={pause_s}"), 60, options)
    seen.check_numbers()
    pauses = seen.counters.lost / (pause_s * 250)
    assert 30 <= pauses <= 100
    assert seen.counters.reinitialisations == 0


# F8 to F10: resets and clocks


@READ_MODES
def test_f8_a_brown_out_is_noticed_and_its_loss_counted(options: ChipOptions) -> None:
    seen = take(opened("brown-out@5"), 10, options)
    assert seen.counters.reinitialisations == 1
    assert seen.counters.lost == seen.index_jumps > 0
    # The restarted chip converts at another phase, so the count may be off by the one in between.
    assert abs(seen.index_jumps - seen.missing_conversions) <= 1


@pytest.mark.parametrize("ppm", [-15_000, -5_000, 5_000, 15_000])
def test_f9_a_clock_error_is_measured_and_loses_nothing(ppm: int) -> None:
    seen = take(opened(f"clock-error={ppm}"), 30)
    seen.check_numbers()
    assert seen.counters.lost == 0
    assert seen.period_s == pytest.approx(0.004 * (1 + ppm / 1e6), rel=1e-6)


def test_f10_a_bad_trim_shows_in_the_identity() -> None:
    caught = power_up_error("bad-trim")
    assert isinstance(caught, UnknownId)
    assert "80" in str(caught)


# F11, F12: the electrodes


def test_f11_hum_and_wander_lose_nothing() -> None:
    driver = Ads1292r(opened("mains=50", "wander=0.5"), ChipOptions())
    driver.power_up()
    with driver.stream() as stream:
        frames = list(islice(stream, 1000))
        assert stream.counters.lost == 0
    respiration_mv = [frame.counts[0] * millivolts_per_count(4, 2.42) for frame in frames]
    swing_mv = max(respiration_mv) - min(respiration_mv)
    assert swing_mv == pytest.approx(2 * (0.3 + 0.5), rel=0.1)


def test_f12_an_electrode_that_falls_off_shows_in_status_and_at_the_rail() -> None:
    driver = Ads1292r(opened("electrode-off@3+2"), ChipOptions())
    setup = driver.power_up()
    assert setup.lead_off_known
    with driver.stream() as stream:
        frames = list(islice(stream, 2000))
    off = [frame for frame in frames if setup.lead_off(frame.status)]
    assert len(off) == 500
    assert {frame.counts[1] for frame in off} == {FULL_SCALE_COUNTS}
    assert off[-1].index - off[0].index == 499
    assert conversion(frames[frames.index(off[0]) - 1]) == 749


def test_f12_without_lead_off_detection_nothing_is_said_about_the_electrodes() -> None:
    driver = Ads1292r(opened("electrode-off"), ChipOptions(lead_off=False))
    setup = driver.power_up()
    with driver.stream() as stream:
        assert setup.lead_off(next(stream).status) is None


# F13, F14: bits and transfers


def test_f13_a_bit_that_does_not_stay_is_named_by_its_register() -> None:
    caught = power_up_error("register-flip=0x0510")
    assert isinstance(caught, ReadBackMismatch)
    assert "CH2SET" in str(caught)


def test_f13_a_rate_that_flips_in_mid_run_is_set_right_again() -> None:
    seen = take(opened("register-flip=0x0103@5"), 10)
    assert seen.counters.reinitialisations == 1
    assert abs(seen.index_jumps - seen.missing_conversions) <= 1
    assert seen.frames[-1].time_s - seen.frames[-100].time_s == pytest.approx(99 * 0.004)


def test_f13_a_gain_that_flips_in_mid_run_is_found_within_a_minute() -> None:
    driver = Ads1292r(opened("register-flip=0x0510@20"), ChipOptions())
    driver.power_up()
    with driver.stream() as stream:
        frames = list(islice(stream, 75 * 250))
        assert stream.counters.reinitialisations == 1
        assert isinstance(stream.last_fault, ReadBackMismatch)
        assert stream.counters.lost == frames[-1].index - frames[0].index + 1 - len(frames)
    assert conversion(frames[-1]) == pytest.approx(frames[-1].index, abs=1)


@READ_MODES
def test_f14_single_failed_transfers_cost_their_samples(options: ChipOptions) -> None:
    seen = take(opened("spi-error=0.01@3"), 60, options)
    seen.check_numbers()
    assert seen.counters.bus_errors == seen.counters.lost > 50


def test_f14_a_bus_that_fails_for_good_is_named() -> None:
    assert isinstance(power_up_error("spi-error"), BusError)
    assert isinstance(stream_error("spi-error@5"), BusError)


# F15 to F17: another part, other traffic, a slow start


def test_f15_a_part_without_respiration_is_refused_only_if_respiration_is_wanted() -> None:
    caught = power_up_error("ads1292")
    assert isinstance(caught, WrongPart)
    assert "respiration" in str(caught)
    take(opened("ads1292"), 2, ChipOptions(respiration=False)).check_numbers()


@READ_MODES
def test_f16_foreign_traffic_costs_nothing_since_edges_are_heard(options: ChipOptions) -> None:
    seen = take(opened("foreign-traffic=0.5"), 30, options)
    seen.check_numbers()
    assert seen.counters.lost == 0


def test_f17_a_reference_that_creeps_is_waited_for_or_named() -> None:
    take(opened("slow-reference=3"), 2).check_numbers()
    assert isinstance(power_up_error("slow-reference=300"), ReferenceNotSettled)
