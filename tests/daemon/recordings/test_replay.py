"""A replayed recording is what a chip at gain 6 would have heard."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.recordings.replay import samples
from drivers.frame import millivolts
from dsp.signals import Sample

LSB_MV = 2420 / (6 * 8388607)
FULL_SCALE_MV = 2420 / 6


def replay(*ecg_mv: float) -> list[Sample]:
    return list(samples([np.array(ecg_mv)]))


@given(codes=st.lists(st.integers(-(1 << 23), (1 << 23) - 1), min_size=1))
def test_codes_survive_to_the_last_bit(codes: list[int]) -> None:
    ecg_mv = [millivolts(code, 6, 2.42) for code in codes]
    assert [sample.ecg_mv for sample in replay(*ecg_mv)] == ecg_mv


@given(ecg_mv=st.floats(-FULL_SCALE_MV, FULL_SCALE_MV))
def test_every_potential_is_met_to_half_a_step(ecg_mv: float) -> None:
    (sample,) = replay(ecg_mv)
    assert sample.ecg_mv == pytest.approx(ecg_mv, abs=LSB_MV / 2 * 1.0001)


def test_beyond_the_range_it_clips_and_says_so() -> None:
    low, inside, high, highest = replay(-500.0, 400.0, 500.0, 1e308)
    assert (low.ecg_mv, low.saturated) == (pytest.approx(-FULL_SCALE_MV, rel=1e-6), True)
    assert not inside.saturated
    assert (high.ecg_mv, high.saturated) == (pytest.approx(FULL_SCALE_MV), True)
    assert (highest.ecg_mv, highest.saturated) == (high.ecg_mv, True)


def test_samples_not_recorded_are_a_jump_in_the_index() -> None:
    replayed = replay(np.nan, 1.0, np.nan, np.nan, 2.0)
    assert [sample.index for sample in replayed] == [1, 4]


def test_contact_is_not_known_of_a_recording() -> None:
    assert replay(1.0)[0].lead_off is None
