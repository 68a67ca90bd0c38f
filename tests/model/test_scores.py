from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from model.scores import (
    common_direction,
    corrected_cosine,
    cosine,
    familiarity,
    mean_direction,
    unit,
)
from tests.model.models import AXES, towards


def some_directions(seed: int, n: int) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=(n, 64)).astype(np.float32))


def test_cosine_is_scipys() -> None:
    one, other = some_directions(1, 3), some_directions(2, 5)
    np.testing.assert_allclose(cosine(one, other), 1 - cdist(one, other, "cosine"), atol=1e-6)


def test_a_zero_vector_has_no_direction_and_stays_zero() -> None:
    assert not unit(np.zeros((1, 4), dtype=np.float32)).any()


def test_the_mean_direction_of_two_axes_is_the_diagonal() -> None:
    np.testing.assert_allclose(mean_direction(AXES[:2]), towards(1, 1, 0, 0), atol=1e-7)


def test_familiarity_is_the_mean_cosine_with_the_three_likest() -> None:
    """A vector between two of four axes has the cosines sqrt(1/2), sqrt(1/2), 0 and 0."""
    between = towards(1, 1, 0, 0)[None]
    np.testing.assert_allclose(familiarity(between, AXES), [2 * np.sqrt(0.5) / 3], rtol=1e-6)


def test_corrected_cosine_takes_half_of_what_scipy_says_the_likest_strangers_reach() -> None:
    template, probe, cohort = (some_directions(seed, n) for seed, n in ((1, 1), (2, 1), (3, 40)))
    half = cohort.mean(axis=0) / 2
    centred = [template - half, probe - half, cohort - half]
    cosines = 1 - cdist(np.concatenate(centred[:2]), np.concatenate(centred), "cosine")
    chance = np.sort(cosines[:, 2:])[:, -3:].mean()
    np.testing.assert_allclose(
        corrected_cosine(template, probe, cohort), [[cosines[0, 1] - chance / 2]], rtol=1e-4
    )


@given(st.integers(0, 2**32 - 1))
def test_corrected_cosine_is_the_same_from_both_sides(seed: int) -> None:
    one, other, cohort = (some_directions(seed + k, n) for k, n in ((0, 2), (1, 3), (2, 20)))
    np.testing.assert_allclose(
        corrected_cosine(one, other, cohort),
        corrected_cosine(other, one, cohort).T,
        rtol=1e-5,
        atol=1e-6,
    )


def test_a_person_who_is_like_everybody_scores_lower_at_the_same_cosine() -> None:
    cohort = some_directions(3, 50)
    like_nobody = some_directions(4, 1)
    everybody = unit(like_nobody + 3 * mean_direction(cohort))
    scores = [corrected_cosine(one, one, cohort)[0, 0] for one in (like_nobody, everybody)]
    assert scores[1] < scores[0]


def test_what_a_device_does_to_all_hearts_is_known_the_better_the_more_are_enrolled() -> None:
    """One person's template counts nothing, five count as much as the cohort."""
    cohort, enrolled = some_directions(3, 50), some_directions(4, 5)
    of_cohort = cohort.mean(axis=0)
    np.testing.assert_allclose(common_direction(enrolled[:0], cohort), of_cohort)
    np.testing.assert_allclose(common_direction(enrolled[:1], cohort), of_cohort)
    halfway = (enrolled.mean(axis=0) + of_cohort) / 2
    np.testing.assert_allclose(common_direction(enrolled, cohort), halfway, rtol=1e-5, atol=1e-7)


def test_a_device_that_moves_all_hearts_alike_makes_strangers_no_more_alike() -> None:
    cohort, people = some_directions(3, 200), some_directions(4, 60)
    moved = unit(people + 1.5 * some_directions(5, 1))
    templates, strangers = moved[:30], moved[30:]
    plain = corrected_cosine(templates, strangers, cohort).mean()
    centred = corrected_cosine(
        templates, strangers, cohort, common_direction(templates, cohort)
    ).mean()
    assert centred < 0.7 * plain
