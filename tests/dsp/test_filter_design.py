"""The filters are those that scipy designs, by other means."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy import signal

from dsp.filter_design import band_pass, high_pass, low_pass, notch, response

rates = pytest.mark.parametrize("rate_hz", [125.0, 250.0, 1000.0])


def assert_same(found: object, expected: object) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


@rates
@pytest.mark.parametrize("corner_hz", [0.5, 7.0, 40.0])
def test_high_and_low_pass(corner_hz: float, rate_hz: float) -> None:
    expected = signal.butter(1, corner_hz, "highpass", fs=rate_hz, output="sos")
    assert_same([high_pass(corner_hz, rate_hz)], expected)
    expected = signal.butter(2, corner_hz, "lowpass", fs=rate_hz, output="sos")
    assert_same([low_pass(corner_hz, rate_hz)], expected)


@rates
@pytest.mark.parametrize(("centre_hz", "q"), [(50, 8.0), (60, 8.0), (50, 30.0)])
def test_notch(centre_hz: int, q: float, rate_hz: float) -> None:
    b, a = signal.iirnotch(centre_hz, q, fs=rate_hz)
    assert_same(notch(centre_hz, q, rate_hz), [*b, *a])


@rates
@pytest.mark.parametrize("band_hz", [(5.0, 15.0), (0.5, 40.0), (20.0, 22.0)])
def test_band_pass_and_response(band_hz: tuple[float, float], rate_hz: float) -> None:
    sections = band_pass(band_hz, rate_hz)
    frequencies_hz, expected = signal.sosfreqz(
        signal.butter(2, band_hz, "bandpass", fs=rate_hz, output="sos"), 64, fs=rate_hz
    )
    np.testing.assert_allclose(response(sections, frequencies_hz, rate_hz), expected, atol=1e-9)


def test_the_chain_starts_without_scipy() -> None:
    program = "import sys; from dsp.front_end import FrontEnd; FrontEnd(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert b"dsp.front_end" in loaded.stdout.split()
    assert b"scipy" not in loaded.stdout.split()
