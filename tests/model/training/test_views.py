"""Hearts seen from many sides: the dipole, and the directions it is seen from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.training.datasets import Hearts
from model.training.views import (
    CONE_DEG,
    IDENTITIES,
    INVERSE_DOWER,
    LEAD_I,
    LEADS,
    MARGIN,
    ViewSampler,
    direction_at,
    direction_within,
    seen_from,
    vectorcardiogram,
)

# E. Frank's leads to the standard ones, from Dower et al. 1980; rows as LEADS
DOWER = np.array(
    [
        [-0.515, 0.157, -0.917],
        [0.044, 0.164, -1.387],
        [0.882, 0.098, -1.277],
        [1.213, 0.127, -0.601],
        [1.125, 0.127, -0.086],
        [0.831, 0.076, 0.230],
        [0.632, -0.235, 0.059],
        [0.235, 1.066, -0.132],
    ]
)


def test_the_inverse_undoes_dowers_own_matrix() -> None:
    dipole_mv = np.random.default_rng(1).standard_normal((3, 50))
    np.testing.assert_allclose(vectorcardiogram(DOWER @ dipole_mv), dipole_mv, atol=0.05)
    np.testing.assert_allclose(INVERSE_DOWER @ DOWER, np.eye(3), atol=0.02)


def test_lead_i_looks_along_its_row_of_dowers_matrix() -> None:
    row = DOWER[LEADS.index("i")]
    np.testing.assert_allclose(LEAD_I, row / np.linalg.norm(row))


@given(
    centre=st.tuples(*[st.floats(-1, 1)] * 3).map(np.array).filter(lambda v: v @ v > 0.01),
    tilt_deg=st.floats(0, 180),
    turn_deg=st.floats(0, 360),
)
def test_a_direction_is_tilted_by_as_much_as_asked(
    centre: np.ndarray, tilt_deg: float, turn_deg: float
) -> None:
    centre = centre / np.linalg.norm(centre)
    direction = direction_at(centre, tilt_deg, turn_deg)
    assert direction @ direction == pytest.approx(1)
    assert direction @ centre == pytest.approx(np.cos(np.radians(tilt_deg)), abs=1e-9)


def test_directions_fill_the_cone_evenly_and_stay_in_it() -> None:
    rng = np.random.default_rng(2)
    cosines = np.array([LEAD_I @ direction_within(LEAD_I, CONE_DEG, rng) for _ in range(2000)])
    least = np.cos(np.radians(CONE_DEG))
    assert least <= cosines.min()
    # By Archimedes, even over the sphere is even along the axis.
    np.testing.assert_allclose(np.histogram(cosines, 4, (least, 1))[0] / 2000, 0.25, atol=0.04)


def hearts(names: list[str], beats: int = 5) -> Hearts:
    """Return hearts whose dipole points along X, with the R peak 9 samples after lead I's."""
    samples = MARGIN + 175 + MARGIN
    wave = np.exp(-(((np.arange(samples) - MARGIN - 70 - 9) / 3) ** 2))
    dipoles_mv = np.zeros((beats * len(names), 3, samples))
    dipoles_mv[:, 0] = wave * np.linspace(1, 2, len(dipoles_mv))[:, None]
    return Hearts(dipoles_mv, np.repeat(names, beats))


@pytest.mark.parametrize("side", [1, -1])
def test_a_view_is_cut_about_its_own_r_peak(side: int) -> None:
    seen_mv = seen_from(hearts(["h"]).dipoles_mv, np.array([side, 0.0, 0.0]))
    assert seen_mv.shape == (5, 175)
    assert np.all(np.abs(seen_mv).argmax(axis=1) == 70)
    assert np.sign(seen_mv[0, 70]) == side


def test_each_heart_stands_for_some_persons_and_each_beat_is_seen_from_elsewhere() -> None:
    sampler = ViewSampler(hearts(["g", "h"]), 5, 4, np.random.default_rng(3))
    assert sampler.persons == 2 * IDENTITIES
    groups_mv, labels = sampler.draw()
    assert groups_mv.shape == (20, 3, 175)
    assert sorted(np.unique(labels, return_counts=True)[1]) == [4] * 5
    heights = np.abs(groups_mv).max(axis=(1, 2))
    assert len(np.unique(heights)) == 20
