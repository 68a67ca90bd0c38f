"""Hearts seen from many sides: the dipole, and the directions it is seen from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.training.views import (
    CONE_DEG,
    IDENTITIES,
    INVERSE_DOWER,
    LEAD_I,
    LEADS,
    VIEWS,
    direction_at,
    draw_views,
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


def test_the_views_of_an_identity_lie_in_one_cone_and_the_first_about_lead_i() -> None:
    views = list(draw_views(np.random.default_rng(2)))
    assert len(views) == IDENTITIES * VIEWS
    for identity in range(IDENTITIES):
        directions = np.stack([v.direction for v in views if v.identity == identity])
        assert len(directions) == VIEWS
        angles = np.degrees(np.arccos(np.clip(directions @ directions.T, -1, 1)))
        assert 0 < angles.max() <= 2 * CONE_DEG
    about_lead_i = np.stack([v.direction for v in views if v.identity == 0])
    assert np.all(about_lead_i @ LEAD_I >= np.cos(np.radians(CONE_DEG)) - 1e-9)
