"""A cascade is scipy's sosfilt, one sample at a time and blind to an offset."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from dsp.biquads import Cascade

SOS = signal.butter(3, [7, 20], "bandpass", fs=250, output="sos")


def run(samples: np.ndarray) -> np.ndarray:
    cascade = Cascade(SOS)
    return np.array([cascade.push(float(x)) for x in samples])


def test_the_output_is_scipys() -> None:
    samples = np.random.default_rng(1).normal(size=500)
    samples[0] = 0.0
    np.testing.assert_allclose(run(samples), signal.sosfilt(SOS, samples), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("offset_mv", [-300.0, 0.3, 300.0])
def test_a_constant_offset_leaves_no_trace(offset_mv: float) -> None:
    samples = np.sin(np.arange(500) / 5)
    np.testing.assert_allclose(run(samples + offset_mv), run(samples), atol=1e-9)


def test_the_first_sample_does_not_ring() -> None:
    assert not run(np.full(250, 300.0)).any()
