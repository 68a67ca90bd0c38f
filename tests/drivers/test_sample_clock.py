"""Edges to sample numbers, whatever the edges do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bus import Edge
from drivers.sample_clock import RATE_EDGES, SampleClock


def edge(time_s: float, sequence: int | None = None) -> Edge:
    return Edge(time_s, sequence)


@given(
    missing=st.sets(st.integers(1, 998)),
    ppm=st.integers(-15_000, 15_000),
)
def test_every_sample_has_its_number_whichever_edges_are_missing(
    missing: set[int], ppm: int
) -> None:
    clock = SampleClock(250.0)
    period_s = 0.004 * (1 + ppm / 1e6)
    for number in sorted(set(range(1000)) - missing):
        assert clock.admit(edge(10 + number * period_s))
        assert clock.index == number


@given(st.integers(-15_000, 15_000))
def test_the_period_is_measured(ppm: int) -> None:
    clock = SampleClock(250.0)
    period_s = 0.004 * (1 + ppm / 1e6)
    for number in range(300):
        clock.admit(edge(number * period_s))
    assert clock.period_s == pytest.approx(period_s, rel=1e-9)
    assert clock.rate_ratio == pytest.approx(0.004 / period_s, rel=1e-6)


def test_ringing_announces_nothing_new() -> None:
    clock = SampleClock(250.0)
    admitted = [clock.admit(edge(time_s)) for time_s in (0.0, 20e-6, 0.004, 0.00415, 0.008)]
    assert admitted == [True, False, True, False, True]
    assert clock.index == 2
    assert clock.duplicate_edges == 2


def test_an_edge_between_two_samples_announces_nothing_and_casts_doubt() -> None:
    clock = SampleClock(250.0)
    clock.admit(edge(0.0))
    assert not clock.admit(edge(0.0018))
    assert not clock.on_beat
    assert clock.admit(edge(0.004))
    assert not clock.on_beat
    assert clock.admit(edge(0.008))
    assert clock.on_beat
    assert clock.index == 2


def test_double_time_is_never_on_the_beat_and_shows_in_the_rate() -> None:
    clock = SampleClock(250.0)
    clock.admit(edge(0.0))
    for number in range(1, RATE_EDGES + 1):
        clock.admit(edge(number * 0.002))
        assert not clock.on_beat
    assert clock.index == RATE_EDGES // 2
    assert clock.rate_ratio == pytest.approx(2.0)


def test_the_kernel_tells_how_many_edges_it_dropped() -> None:
    clock = SampleClock(250.0)
    clock.admit(edge(0.0, sequence=7))
    clock.admit(edge(0.004, sequence=8))
    clock.admit(edge(0.020, sequence=12))
    assert clock.unseen_edges == 3
    assert clock.index == 5


def test_after_a_restart_the_numbers_go_on_over_the_gap() -> None:
    clock = SampleClock(250.0)
    for number in range(100):
        clock.admit(edge(number * 0.004))
    clock.restart()
    clock.admit(edge(99 * 0.004 + 1.0))
    assert clock.index == 99 + 250
    assert clock.on_beat
