"""The short ways to mean, deviation and span give numpy's own figures, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.moments import deviation, mean, span


@pytest.mark.parametrize("length", [1, 7, 8, 9, 80, 175, 1000])
def test_they_are_numpys(length: int) -> None:
    values = np.random.default_rng(length).normal(3, 2, 2 * length)
    for each in (values, values[::2], values[:length] * 1e-9):
        assert mean(each) == np.mean(each)
        assert deviation(each) == np.std(each)
        assert span(each) == np.ptp(each)
