"""Occlusion, against networks whose reasons are known."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from model.explanation import (
    MASK_MS,
    MASK_SAMPLES,
    REGIONS,
    STEP_SAMPLES,
    TIME_MS,
    Explanation,
    Region,
    Score,
    explain,
    masked,
    spread,
)

P_WAVE, QRS, ST_SEGMENT, T_WAVE = REGIONS
T_AT_MS, T_WIDTH_MS = 260, 30


def bell(at_ms: float, width_ms: float) -> NDArray[np.float64]:
    return np.exp(-(((TIME_MS - at_ms) / width_ms) ** 2) / 2)


BEAT = (bell(0, 12) + 0.3 * bell(T_AT_MS, T_WIDTH_MS) + 0.1 * bell(-160, 20)).astype(np.float32)
BEATS = BEAT * np.array([[0.8], [1.0], [1.2]], np.float32)


def looks_at(region: Region) -> NDArray[np.float32]:
    """A network's only layer: what lies in a region."""
    inside = (region.from_ms <= TIME_MS) & (region.to_ms > TIME_MS)
    return inside.astype(np.float32)[:, None]


def first_output(outputs: NDArray[np.float32]) -> NDArray[np.float64]:
    return outputs[:, 0].astype(np.float64)


def explained(layer: NDArray[np.float32], score: Score = first_output) -> Explanation:
    return explain(lambda beats: beats @ layer, BEATS, [score] * len(BEATS), lambda: None)


def test_what_looks_at_the_t_wave_only_is_explained_by_the_t_wave_only() -> None:
    explanation = explained(looks_at(T_WAVE))
    assert explanation.share(T_WAVE) == pytest.approx(1)
    assert TIME_MS[explanation.importance.argmax()] == pytest.approx(T_AT_MS, abs=8)
    beyond_a_mask = T_WAVE.from_ms - MASK_MS > TIME_MS
    np.testing.assert_allclose(explanation.importance[beyond_a_mask], 0, atol=1e-6)


def test_what_looks_at_the_qrs_only_is_explained_by_the_qrs_and_a_mask_around() -> None:
    explanation = explained(looks_at(QRS))
    assert explanation.share(QRS) > 0.95
    assert explanation.share(T_WAVE) == pytest.approx(0, abs=1e-6)


def test_a_score_that_nothing_changes_has_no_part_to_thank() -> None:
    explanation = explained(np.zeros((175, 1), np.float32))
    assert not explanation.importance.any()
    assert [explanation.share(region) for region in REGIONS] == [0, 0, 0, 0]


def test_what_speaks_against_is_below_zero_and_has_no_share() -> None:
    explanation = explained(looks_at(QRS) - looks_at(T_WAVE))
    assert explanation.inside(T_WAVE).mean() < 0
    assert explanation.share(T_WAVE) == pytest.approx(0, abs=0.01)
    assert explanation.share(QRS) > 0.95


def test_of_a_linear_network_the_loss_is_what_the_mask_takes_away() -> None:
    weights = np.random.default_rng(3).normal(size=175).astype(np.float32)
    hidden = slice(20 * STEP_SAMPLES, 20 * STEP_SAMPLES + MASK_SAMPLES)
    taken = (BEAT[hidden] - np.median(BEAT)) @ weights[hidden]
    assert (BEAT - masked(BEAT)[20]) @ weights == pytest.approx(taken, rel=1e-4)


def test_masks_lay_forty_milliseconds_flat_from_one_end_of_the_beat_to_the_other() -> None:
    versions = masked(BEAT)
    assert versions.dtype == np.float32
    for number in (0, 20, len(versions) - 1):
        hidden = STEP_SAMPLES * number + np.arange(MASK_SAMPLES)
        assert (versions[number, hidden] == np.median(BEAT)).all()
        np.testing.assert_array_equal(np.delete(versions[number], hidden), np.delete(BEAT, hidden))
    assert hidden[-1] == len(BEAT) - 1


def test_each_sample_gets_the_mean_of_the_masks_that_hide_it() -> None:
    losses = np.random.default_rng(4).normal(size=len(masked(BEAT)))
    starts = STEP_SAMPLES * np.arange(len(losses))
    expected = [losses[(starts <= at) & (at < starts + MASK_SAMPLES)].mean() for at in range(175)]
    np.testing.assert_allclose(spread(losses), expected)


def test_each_beat_is_scored_by_its_own_score_and_the_mean_is_told() -> None:
    factors = (1.0, 2.0, 6.0)
    scores: list[Score] = [
        lambda outputs, factor=factor: factor * first_output(outputs)  # type: ignore[misc]
        for factor in factors
    ]
    layer, told = looks_at(T_WAVE), []
    explanation = explain(lambda beats: beats @ layer, BEATS, scores, lambda: told.append(1))
    wholes = (BEATS @ layer)[:, 0]
    assert explanation.score == pytest.approx(np.mean(wholes * factors), rel=1e-5)
    assert explanation.beats == len(told) == 3
    np.testing.assert_allclose(explanation.beat, BEATS.mean(axis=0), rtol=1e-5)


def test_the_regions_cover_the_beat_without_a_gap() -> None:
    assert REGIONS[0].from_ms == TIME_MS[0]
    assert all(one.to_ms == other.from_ms for one, other in pairwise(REGIONS))
    assert REGIONS[-1].to_ms > TIME_MS[-1]
