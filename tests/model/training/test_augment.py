"""What augmentation may change of a beat, and what it may not."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.front_end import RATE_HZ
from dsp.segmenter import BEFORE_R
from model.training import augment
from model.training.augment import PADDING, RIGID_SAMPLES

COUNT = 200


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.fixture
def beats(rng: np.random.Generator) -> np.ndarray:
    return np.cumsum(rng.standard_normal((COUNT, 175)), axis=1)


def test_a_blend_is_the_mean_of_three_beats_or_a_mix_of_two(rng: np.random.Generator) -> None:
    groups = np.tile(np.eye(3)[None], (COUNT, 1, 1))  # each beat marks itself
    shares = augment.blend(groups, rng)
    averaged = np.isclose(shares, 1 / 3).all(axis=1)
    assert 0.4 < averaged.mean() < 0.6
    assert np.allclose(shares.sum(axis=1), 1)
    assert np.all(shares[~averaged][:, 0] >= 0.5)
    assert np.all(shares[~averaged][:, 2] == 0)


def test_a_warp_leaves_the_qrs_as_it_is(beats: np.ndarray, rng: np.random.Generator) -> None:
    warped = augment.warp(beats, rng)
    qrs = slice(BEFORE_R - RIGID_SAMPLES, BEFORE_R + RIGID_SAMPLES + 1)
    np.testing.assert_allclose(warped[:, qrs], beats[:, qrs], rtol=0, atol=1e-12)
    assert not np.allclose(warped, beats)


def test_a_warp_is_of_12_percent_at_most_but_for_a_third_of_the_beats(
    rng: np.random.Generator,
) -> None:
    ramp = np.tile(np.arange(175.0), (COUNT, 1))
    moved = augment.warp(ramp, rng) - ramp
    after, before = 140, 25  # so far from the edges that no warp leaves the beat
    late = moved[:, after] / (after - BEFORE_R - RIGID_SAMPLES)
    early = moved[:, before] / (before - BEFORE_R + RIGID_SAMPLES)
    far = (np.abs(late) > augment.WARP) | (np.abs(early) > augment.WARP)
    assert 0.15 < far.mean() <= 0.45
    assert late.min() >= augment.FAR_WARP[0]
    assert late.max() <= augment.FAR_WARP[1]
    assert np.corrcoef(late[far], early[far])[0, 1] > 0.7
    assert abs(np.corrcoef(late[~far], early[~far])[0, 1]) < 0.4


def test_jitter_moves_a_beat_by_one_sample_or_none(rng: np.random.Generator) -> None:
    ramp = np.tile(np.arange(175.0), (COUNT, 1))
    moved = augment.jitter(ramp, rng)[:, 1:-1] - ramp[:, 1:-1]
    assert set(np.unique(moved)) == {-1, 0, 1}
    assert np.all(moved == moved[:, :1])


def test_an_amplifier_is_a_linear_filter_with_its_corners_in_bounds(
    beats: np.ndarray, rng: np.random.Generator
) -> None:
    seed = 7
    once = augment.amplifier(beats, np.random.default_rng(seed))
    twice_as_high = augment.amplifier(2 * beats, np.random.default_rng(seed))
    np.testing.assert_allclose(twice_as_high, 2 * once, atol=1e-9)
    # a cosine that the mirrored ends continue goes through with the gain of the response
    samples = 175 + 2 * PADDING
    cycles = 17
    wave = np.cos(2 * np.pi * cycles * np.arange(samples) / samples)[PADDING:-PADDING]
    gain = np.abs(augment.amplifier(np.tile(wave, (COUNT, 1)), rng)).max(axis=1)
    frequency_hz = cycles * RATE_HZ / samples
    least = 1 / 1.33 / np.hypot(1, frequency_hz / 30)
    assert np.all(gain > 0.8 * least)
    assert np.all(gain < 1.33 * 1.1)


def test_disturbances_add_to_the_beat_and_stay_in_bounds(rng: np.random.Generator) -> None:
    added = augment.disturb(np.zeros((COUNT, 175)), rng)
    limit = 5 * augment.MUSCLE + augment.BASELINE + augment.MAINS
    assert 0 < np.abs(added).max() < limit


def test_an_augmented_beat_is_normalised_and_the_seed_decides_it(
    rng: np.random.Generator,
) -> None:
    groups_mv = rng.standard_normal((8, 3, 175)) + 4
    made = augment.augment(groups_mv, np.random.default_rng(1))
    again = augment.augment(groups_mv, np.random.default_rng(1))
    assert made.dtype == np.float32
    np.testing.assert_allclose(made.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(made.std(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(made, again)
