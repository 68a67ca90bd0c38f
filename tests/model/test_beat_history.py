"""What is known of a beat: figures against closed forms."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dsp.segmenter import BEFORE_R, WINDOW_SAMPLES
from dsp.signals import BeatQuality, BeatWindow
from model.beat_clusters import CLUSTERS, LEAST_GAIN, USUAL, BeatClusters
from model.beat_history import (
    FIGURES,
    INPUTS,
    LONGEST_RR_S,
    SEQUENCE,
    SHAPE_SAMPLES,
    BeatHistory,
    thin,
)
from tests.dsp.heartbeats import ecg
from tests.model.made_up_rhythm import WIDE

NARROW = ecg([BEFORE_R], WINDOW_SAMPLES)
BROAD = ecg([BEFORE_R], WINDOW_SAMPLES, WIDE)


def take(
    history: BeatHistory,
    shape: NDArray[np.float64] = NARROW,
    rr_s: float | None = 0.8,
    after_s: float | None = 0.8,
) -> NDArray[np.float32]:
    beat = BeatWindow(0, rr_s, tuple(shape.tolist()), BeatQuality(1.0, ()))
    return history.take(beat, after_s).inputs


def named(inputs: NDArray[np.float32]) -> dict[str, float]:
    return dict(zip(FIGURES, inputs[-len(FIGURES) :].tolist(), strict=True))


def test_an_early_beat_is_held_against_each_window_of_intervals() -> None:
    history = BeatHistory()
    for rr_s in [1.2] * 112 + [0.6] * 12 + [0.8] * 4:
        take(history, rr_s=rr_s)
    found = named(take(history, rr_s=0.3, after_s=1.0))
    expected = {
        "ln_rr_to_median_8": log(0.3 / 0.8),  # 4 of 0.6 and 4 of 0.8: the upper of the middle two
        "ln_rr_to_median_32": log(0.3 / 1.2),
        "ln_rr_to_median_128": log(0.3 / 1.2),
        "ln_rr_to_upper_quartile_128": log(0.3 / 1.2),
        "ln_after_to_median_32": log(1.0 / 1.2),
        "ln_after_to_rr": log(1.0 / 0.3),
        "ln_rr_to_rr_before": log(0.3 / 0.8),
        "rr_rank": 0.0,
        "rr_spread": 0.0,
        "ln_upper_quartile_s": log(1.2),
        "ln_beats_known": 0.0,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-6)


def test_the_upper_quartile_stays_with_the_normal_beats_through_a_run_of_early_ones() -> None:
    history = BeatHistory()
    for rr_s in [1.0] * 64 + [0.5] * 64:
        take(history, rr_s=rr_s)
    found = named(take(history, rr_s=0.5))
    assert found["ln_rr_to_median_32"] == 0
    assert found["ln_rr_to_upper_quartile_128"] == pytest.approx(log(0.5))


def test_a_first_beat_is_like_itself_and_has_no_interval() -> None:
    inputs = take(BeatHistory(), rr_s=None, after_s=None)
    found = named(inputs)
    assert inputs.shape == (INPUTS,)
    assert (found["rr_unknown"], found["after_unknown"], found["ln_beats_known"]) == (1, 1, -1)
    assert (found["like_usual"], found["qrs_change"]) == pytest.approx((1, 0), abs=1e-6)
    assert not inputs[2 * SHAPE_SAMPLES : -len(FIGURES)].any()


def test_a_longer_interval_than_the_longest_counts_as_that() -> None:
    histories = BeatHistory(), BeatHistory()
    long = [take(each, rr_s=rr) for each, rr in zip(histories, (LONGEST_RR_S, 9.0), strict=True)]
    np.testing.assert_array_equal(*long)


@pytest.mark.parametrize("gain", [0.1, 7.0])
def test_the_gain_and_the_offset_do_not_matter(gain: float) -> None:
    plain, changed = BeatHistory(), BeatHistory()
    for shape in (NARROW, NARROW, BROAD, NARROW):
        one, other = take(plain, shape), take(changed, gain * shape + 3.0)
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_a_beat_is_held_against_the_usual_shape() -> None:
    history = BeatHistory()
    for _ in range(60):
        take(history)
    twice, upside_down, wide = (
        named(take(history, shape)) for shape in (2 * NARROW, -NARROW, BROAD)
    )
    assert twice["like_usual"] == pytest.approx(1, abs=1e-5)
    assert twice["ln_height_to_usual"] == pytest.approx(log(2 / (1 + LEAST_GAIN)), abs=1e-4)
    assert upside_down["like_usual_qrs"] == pytest.approx(-1, abs=1e-3)
    assert wide["ln_width_to_usual"] > log(2)
    independent = np.corrcoef(NARROW[BEFORE_R - 20 : BEFORE_R + 25], BROAD[50:95])[0, 1]
    assert wide["like_usual_qrs"] == pytest.approx(independent, abs=0.02)


def test_the_usual_shape_is_that_of_most_beats_whichever_came_first() -> None:
    history = BeatHistory()
    for shape in (BROAD, *[NARROW] * 6):
        take(history, shape)
    assert named(take(history, BROAD))["like_usual"] < 0.8
    assert named(take(history, NARROW))["like_usual"] > 0.99


def test_the_figures_of_the_beats_before_go_along() -> None:
    history = BeatHistory()
    each = [take(history, rr_s=rr_s) for rr_s in np.linspace(0.5, 1.0, 20)]
    rows = each[-1][2 * SHAPE_SAMPLES :].reshape(SEQUENCE, len(FIGURES))
    np.testing.assert_array_equal(rows, [one[-len(FIGURES) :] for one in each[-SEQUENCE:]])


def test_thinning_keeps_the_mean_of_four() -> None:
    np.testing.assert_allclose(thin(np.arange(175.0)), 4 * np.arange(43) + 1.5)


def test_a_seventh_shape_takes_the_place_of_the_rarest() -> None:
    clusters = BeatClusters()
    shapes = np.random.default_rng(0).standard_normal((CLUSTERS + 1, WINDOW_SAMPLES))
    for shape in shapes[:CLUSTERS]:
        for _ in range(2 if shape is not shapes[3] else 1):
            clusters.take(shape)
    clusters.take(shapes[CLUSTERS])

    def there(shape: Any) -> bool:
        return any(np.allclose(mean, shape) for mean in clusters.means_mv)

    assert [there(shape) for shape in shapes].count(False) == 1
    assert there(shapes[CLUSTERS])


def test_a_shape_keeps_its_number_and_only_the_usual_one_has_none() -> None:
    history = BeatHistory()
    quality = BeatQuality(1.0, ())

    def shape_of(shape: NDArray[np.float64]) -> int:
        return history.take(BeatWindow(0, 0.8, tuple(shape.tolist()), quality), 0.8).shape

    assert [shape_of(NARROW) for _ in range(10)] == [USUAL] * 10
    wide, upside_down = shape_of(BROAD), shape_of(-NARROW)
    assert len({wide, upside_down, USUAL}) == 3
    assert [shape_of(shape) for shape in (2 * BROAD, -NARROW, NARROW)] == [wide, upside_down, USUAL]


def test_the_number_of_a_shape_that_made_room_is_never_anothers() -> None:
    clusters = BeatClusters()
    shapes = np.random.default_rng(0).standard_normal((3 * CLUSTERS, WINDOW_SAMPLES))
    for _ in range(50):
        clusters.take(NARROW)
    numbers = [clusters.take(shape)[2] for shape in shapes]
    assert len({*numbers, USUAL}) == len(shapes) + 1
