"""The real driver on the simulated chip when nothing is broken: every code, every number."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.ads1292r import Ads1292r
from drivers.chip_setup import ChipOptions
from drivers.frame import FULL_SCALE_COUNTS, MIN_COUNTS, Frame
from drivers.simulator import SimulatorOptions, open_simulated_board
from drivers.simulator.board import board_in
from drivers.waveforms.playlist import Playlist, play_recording
from tests.drivers.numbered import (
    LSB_MV,
    READ_MODES,
    BoundedWorld,
    Numbered,
    Take,
    conversion,
    opened,
    take,
)


@READ_MODES
def test_without_faults_nothing_is_lost_and_nothing_forbidden_is_done(options: ChipOptions) -> None:
    simulator = SimulatorOptions(noise=0.0)
    world = BoundedWorld(Numbered(), simulator)
    seen = take(board_in(world, simulator), 10, options)
    seen.check_numbers()
    assert seen.counters.lost == 0
    assert not world.chip.violations


def test_ten_minutes_come_out_code_for_code() -> None:
    simulator = SimulatorOptions(noise=0.0)
    world = BoundedWorld(Numbered(), simulator)
    world.limit_s = 700.0
    seen = take(board_in(world, simulator), 600)
    assert len(seen.frames) == 150_000
    assert seen.counters.lost == 0
    # The index is the sample's number in what is playing.
    assert seen.conversions == [frame.index for frame in seen.frames]


def test_a_recording_comes_out_sample_for_sample() -> None:
    ecg_mv = np.random.default_rng(1).normal(0.0, 150.0, 2500)  # clips now and then at 403 mV
    playlist = Playlist([play_recording("one", ecg_mv)])
    board = open_simulated_board(playlist, SimulatorOptions(noise=0.0), paced=False)
    driver = Ads1292r(board, ChipOptions())
    driver.power_up()
    with driver.stream() as stream:
        frames = list(islice(stream, 2375))
    expected = np.clip(np.rint(ecg_mv / LSB_MV), MIN_COUNTS, FULL_SCALE_COUNTS)
    assert frames[-1].index == 2499
    assert [frame.counts[1] for frame in frames] == [expected[frame.index] for frame in frames]


@settings(max_examples=30, deadline=None)
@given(stalls=st.lists(st.tuples(st.integers(1, 200), st.floats(0.0, 0.5)), min_size=1, max_size=5))
def test_any_stall_loses_exactly_the_samples_that_are_counted(
    stalls: list[tuple[int, float]],
) -> None:
    board = opened()
    driver = Ads1292r(board, ChipOptions())
    driver.power_up()
    frames: list[Frame] = []
    with driver.stream() as stream:
        for count, stall_s in stalls:
            frames += islice(stream, count)
            board.clock.sleep(stall_s)
        frames += islice(stream, 10)
        seen = Take(frames, stream.counters, stream.period_s, [conversion(f) for f in frames])
    seen.check_numbers()
    assert seen.counters.reinitialisations == 0


@pytest.mark.realtime
@READ_MODES
def test_by_the_wall_clock_the_same_holds(options: ChipOptions) -> None:
    board = open_simulated_board(Numbered(), SimulatorOptions(noise=0.0), paced=True)
    seen = take(board, 2, options)
    board.close()
    seen.check_numbers()


@READ_MODES
def test_without_a_start_pin_the_chip_converts_only_while_it_is_streamed(
    options: ChipOptions,
) -> None:
    simulator = SimulatorOptions(noise=0.0)
    world = BoundedWorld(Numbered(), simulator)
    chip = Ads1292r(board_in(world, simulator, pins=False), options)
    chip.power_up()
    with chip.stream() as stream:
        assert len(list(islice(stream, 10))) == 10
        assert world.chip.converter.running
    world.sleep(0.02)
    assert not world.chip.converter.running
