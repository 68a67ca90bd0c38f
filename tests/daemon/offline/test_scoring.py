"""Scoring: counts and offsets that follow from the rules, and agreement with wfdb's comparator."""

from __future__ import annotations

import importlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.offline.scoring import Scope, pair, pool, score

EVERYTHING = Scope(0, 100_000)


def at(*positions: int) -> np.ndarray:
    return np.array(positions, dtype=np.int64)


def test_a_perfect_detector_has_no_error() -> None:
    beats = np.arange(100, 10_000, 200)
    perfect = score(beats, beats, EVERYTHING)
    assert (perfect.beats, perfect.missed, perfect.invented) == (50, 0, 0)
    assert perfect.sensitivity == perfect.positive_predictivity == perfect.f1 == 100
    assert perfect.error_rate == perfect.bias_ms == perfect.sd_ms == 0


def test_figures_follow_from_the_counts() -> None:
    beats = np.arange(100, 10_000, 100)[:80]
    found = np.concatenate([beats[:72], beats[:8] + 50])
    one = score(beats, np.sort(found), EVERYTHING)
    assert (one.missed, one.invented) == (8, 8)
    assert one.sensitivity == one.positive_predictivity == one.f1 == 90
    assert one.error_rate == 20


def test_a_beat_may_be_150_ms_off_and_no_more() -> None:
    assert score(at(1000), at(1037), EVERYTHING).missed == 0
    assert score(at(1000), at(963), EVERYTHING).missed == 0
    beyond = score(at(1000), at(1038), EVERYTHING)
    assert (beyond.missed, beyond.invented) == (1, 1)


def test_a_beat_is_paired_only_once_and_with_the_closest() -> None:
    twice = score(at(1000), at(990, 1005), EVERYTHING)
    assert (twice.missed, twice.invented) == (0, 1)
    assert twice.offsets_ms.tolist() == [20]
    assert pair(at(1000, 1050), at(1030), 37).tolist() == [[1, 0]]


def test_a_constant_bias_does_not_widen_the_locations() -> None:
    beats = np.arange(100, 10_000, 200)
    late = score(beats, beats + 8, EVERYTHING)
    assert (late.bias_ms, late.sd_ms) == (32, 0)
    early_or_late = score(beats, beats + np.resize([-1, 3], len(beats)), EVERYTHING)
    assert (early_or_late.bias_ms, early_or_late.sd_ms) == (4, 8)


def test_what_is_out_of_scope_counts_neither_for_nor_against() -> None:
    scope = Scope(1000, 5000, left_out=((2000, 3000),))
    beats = at(500, 1500, 2500, 3500, 5500)
    one = score(beats, at(700, 1501, 2200, 2700, 4000, 5200), scope)
    assert (one.beats, one.missed, one.invented) == (2, 1, 1)


def test_a_pair_across_the_edge_counts_where_the_annotated_beat_is() -> None:
    scope = Scope(1000, 5000)
    inside = score(at(1005, 3000), at(995, 3000), scope)
    outside = score(at(995, 3000), at(1005, 3000), scope)
    assert (inside.beats, inside.missed, inside.invented) == (2, 0, 0)
    assert (outside.beats, outside.missed, outside.invented) == (1, 0, 0)


def test_without_beats_rates_are_not_defined() -> None:
    empty = score(at(), at(), EVERYTHING)
    assert math.isnan(empty.sensitivity)
    assert math.isnan(empty.error_rate)
    assert math.isnan(empty.sd_ms)
    nothing_found = score(at(1000), at(), EVERYTHING)
    assert (nothing_found.sensitivity, nothing_found.error_rate) == (0, 100)


def test_gross_figures_weigh_beats_and_not_records() -> None:
    beats = np.arange(100, 10_000, 100)
    total = pool([score(beats, beats, EVERYTHING), score(at(1000), at(), EVERYTHING)])
    assert (total.beats, total.missed) == (len(beats) + 1, 1)
    assert total.error_rate == pytest.approx(100 / (len(beats) + 1))


#: Intervals as between heartbeats, in samples: from 200 ms on, mostly too long to be contested.
INTERVALS = st.lists(st.integers(50, 300), min_size=1, max_size=60)


@settings(deadline=None)  # the first example imports wfdb
@given(annotated=INTERVALS, found=INTERVALS)
def test_pairs_are_those_of_wfdb(annotated: list[int], found: list[int]) -> None:
    pytest.importorskip("wfdb", reason="needs pip install '.[records]'")
    comparator = importlib.import_module("wfdb.processing").Comparitor
    reference, test = np.cumsum(annotated), np.cumsum(found)
    theirs = comparator(reference, test, window_width=38)  # it wants them closer than that
    theirs.compare()
    ours = pair(reference, test, 37)
    assert ours[:, 0].tolist() == theirs.matched_ref_inds.tolist()
    assert ours[:, 1].tolist() == theirs.matched_test_inds.tolist()
