"""A window is cut the moment its last sample is there, and never earlier or elsewhere."""

from __future__ import annotations

from dsp.qrs_features import HISTORY
from dsp.segmenter import BEFORE_R, FROM_R, WINDOW_SAMPLES, Segmenter


def windows(r_positions: list[int], declared_late_by: int, count: int) -> dict[int, list[int]]:
    """Push a ramp, expect each R late, and return position pushed -> R positions completed."""
    segmenter = Segmenter()
    completed: dict[int, list[int]] = {}
    for position in range(count):
        segmenter.push(float(position))
        for r_position in r_positions:
            if position == r_position + declared_late_by:
                segmenter.expect(r_position, rr_s=None)
        for r_position, _, ecg_mv in segmenter.complete():
            assert ecg_mv == tuple(map(float, range(r_position - BEFORE_R, r_position + FROM_R)))
            completed.setdefault(position, []).append(r_position)
    return completed


def test_a_window_is_175_samples_with_the_r_peak_at_70() -> None:
    assert (BEFORE_R, FROM_R, WINDOW_SAMPLES) == (70, 105, 175)
    assert windows([100], declared_late_by=20, count=300) == {100 + FROM_R - 1: [100]}


def test_overlapping_beats_each_get_their_window() -> None:
    assert windows([100, 180], declared_late_by=20, count=400) == {204: [100], 284: [180]}


def test_a_beat_found_late_is_cut_at_once() -> None:
    assert windows([100], declared_late_by=600, count=900) == {700: [100]}


def test_a_beat_without_its_beginning_is_left_out() -> None:
    assert windows([BEFORE_R - 1], declared_late_by=20, count=300) == {}
    assert windows([100], declared_late_by=HISTORY, count=HISTORY + 200) == {}
