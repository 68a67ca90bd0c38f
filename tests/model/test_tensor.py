from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import zscore

from model.tensor import normalise

WINDOWS = arrays(np.float64, (3, 175), elements=st.floats(-300, 300, width=32))


@given(WINDOWS)
def test_beats_are_z_scored_one_by_one_as_scipy_does(windows: np.ndarray) -> None:
    normalised = normalise(windows)
    assert normalised.dtype == np.float32
    lively = windows.std(axis=1) > 1e-3
    np.testing.assert_allclose(
        normalised[lively], zscore(windows[lively], axis=1), rtol=1e-5, atol=1e-5
    )


def test_a_flat_beat_becomes_zeros() -> None:
    assert not normalise(np.full((1, 175), 0.3)).any()


def test_neither_gain_nor_offset_of_the_amplifier_matters() -> None:
    window = np.sin(np.arange(175) / 9)[None]
    np.testing.assert_allclose(normalise(window), normalise(3 * window + 20), atol=1e-5)


def test_no_beats_give_no_beats() -> None:
    assert normalise(np.empty((0, 175))).shape == (0, 175)
