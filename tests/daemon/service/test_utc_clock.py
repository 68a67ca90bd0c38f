"""Chip drift, late edges and a wall clock that somebody sets: none of them shows in the times."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.service.utc_clock import EPOCH, EdgeFit, UtcClock

RATE_HZ = 250.0
HOUR_S = 3600.0


class Clocks:
    """A monotonic clock and a wall clock, both set by the test."""

    def __init__(self, utc_s: float = 1_700_000_000.0) -> None:
        self.monotonic_s = 1000.0
        self.wall_minus_monotonic_s = utc_s - self.monotonic_s

    def monotonic(self) -> float:
        return self.monotonic_s

    def wall(self) -> float:
        return self.monotonic_s + self.wall_minus_monotonic_s

    def clock(self) -> UtcClock:
        return UtcClock(RATE_HZ, self.monotonic, self.wall)


def told_s(clock: UtcClock, index: int) -> float:
    return (clock.utc(index) - EPOCH).total_seconds()


@pytest.mark.parametrize("drift", [-0.015, 0.0, 0.015])
def test_a_chip_off_by_its_whole_tolerance_is_followed_exactly(drift: float) -> None:
    fit = EdgeFit(RATE_HZ)
    period_s = (1 + drift) / RATE_HZ
    for index in range(20_000):
        fit.observe(index, 50.0 + index * period_s)
    assert fit.time_of(19_999) == pytest.approx(50.0 + 19_999 * period_s, abs=1e-6)
    assert fit.time_of(20_249) - fit.time_of(19_999) == pytest.approx(250 * period_s, rel=1e-9)


def test_late_edges_make_a_tenth_of_their_jitter_after_ten_seconds() -> None:
    """A line of n edges has a standard error of about 2 / sqrt(n) of theirs at its end."""
    late_s = random.Random(1)
    fit = EdgeFit(RATE_HZ)
    errors_s = []
    for index in range(5000):
        fit.observe(index, index / RATE_HZ + late_s.uniform(0, 0.001))
        if index >= 2500:
            errors_s.append(fit.time_of(index) - index / RATE_HZ - 0.0005)
    assert max(map(abs, errors_s)) < 1e-4


def test_a_gap_in_the_index_is_a_gap_in_time() -> None:
    fit = EdgeFit(RATE_HZ)
    for index in [*range(1000), *range(1500, 2000)]:
        fit.observe(index, index / RATE_HZ)
    assert fit.time_of(1999) == pytest.approx(1999 / RATE_HZ, abs=1e-9)


@given(st.floats(-0.015, 0.015), st.integers(0, 10**6))
def test_the_sample_taken_at_a_time_is_the_inverse(drift: float, index: int) -> None:
    fit = EdgeFit(RATE_HZ)
    for edge in range(100):
        fit.observe(edge, 50.0 + edge * (1 + drift) / RATE_HZ)
    assert fit.index_at(fit.time_of(index)) == index


def test_a_rhythm_that_was_lost_begins_another_line() -> None:
    fit = EdgeFit(RATE_HZ)
    for index in range(1000):
        fit.observe(index, index / RATE_HZ)
    fit.observe(1000, 9.0)  # five seconds late: another chip, another life
    assert fit.time_of(1000) == 9.0


def test_utc_is_the_wall_clock_at_the_edge() -> None:
    clocks = Clocks()
    clock = clocks.clock()
    for index in range(500):
        clock.observe(index, clocks.monotonic_s + index / RATE_HZ)
    assert told_s(clock, 499) == pytest.approx(1_700_000_000.0 + 499 / RATE_HZ, abs=1e-5)
    assert clock.offset_s == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("step_s", [-3 * HOUR_S, 5 * HOUR_S])
def test_a_step_of_hours_shows_only_as_an_offset_until_the_stream_is_interrupted(
    step_s: float,
) -> None:
    clocks = Clocks()
    clock = clocks.clock()
    clock.observe(0, clocks.monotonic_s)
    before_s = told_s(clock, 0)
    clocks.wall_minus_monotonic_s += step_s
    for _ in range(60):
        clocks.monotonic_s += 1.0
        clock.follow_wall_clock()
    assert told_s(clock, 0) == before_s
    assert clock.offset_s == pytest.approx(-step_s, abs=1e-5)
    clock.take_over_step()
    assert told_s(clock, 0) == pytest.approx(before_s + step_s, abs=1e-5)
    assert clock.offset_s == pytest.approx(0.0, abs=1e-5)


def test_a_small_correction_is_followed_at_500_ppm() -> None:
    clocks = Clocks()
    clock = clocks.clock()
    clocks.wall_minus_monotonic_s += 0.1
    for seconds in range(1, 200):
        clocks.monotonic_s += 1.0
        clock.follow_wall_clock()
        assert clock.offset_s == pytest.approx(-(0.1 - 0.0005 * seconds), abs=1e-5)
    clocks.monotonic_s += 10.0
    clock.follow_wall_clock()
    assert clock.offset_s == pytest.approx(0.0, abs=1e-5)


def test_before_any_sample_now_is_the_wall_clock() -> None:
    clocks = Clocks()
    assert (clocks.clock().now() - EPOCH).total_seconds() == pytest.approx(clocks.wall(), abs=1e-5)


def test_a_clock_that_is_set_for_the_first_time_is_followed_at_once() -> None:
    clocks = Clocks(utc_s=1000.0)
    clock = clocks.clock()
    clock.observe(0, clocks.monotonic_s)
    assert clock.state == "unset"
    assert clock.date() == EPOCH

    clocks.wall_minus_monotonic_s += 1.8e9
    clock.follow_wall_clock()

    assert clock.state == "set"
    assert told_s(clock, 0) == pytest.approx(1.8e9 + 1000.0, abs=1e-5)
    assert clock.date() == clock.now()


def test_a_step_that_is_not_taken_over_yet_is_told() -> None:
    clocks = Clocks()
    clock = clocks.clock()

    clocks.wall_minus_monotonic_s += 5.0
    assert clock.state == "stepped"
    clock.take_over_step()
    assert clock.state == "set"
