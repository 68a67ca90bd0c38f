"""Hum is measured against sines of known amplitude, with a heart under them."""

from __future__ import annotations

import numpy as np
import pytest

from drivers.waveforms.hearts import Heart
from dsp.hum import hum_mv

TIME_S = np.arange(2500) / 250
ECG_MV = Heart(13).ecg_mv[:2500]


@pytest.mark.parametrize("line_hz", [49.3, 50.0, 50.2, 50.7])
def test_the_amplitude_is_found_wherever_a_chips_clock_puts_the_line(line_hz: float) -> None:
    ecg_mv = ECG_MV + 300.0 + 0.1 * np.sin(2 * np.pi * line_hz * TIME_S + 1.0)
    assert hum_mv(ecg_mv, TIME_S, 50) == pytest.approx(0.1, rel=0.05)
    assert hum_mv(ecg_mv, TIME_S, 60) < 0.005


def test_a_heart_without_hum_has_next_to_none() -> None:
    assert hum_mv(ECG_MV, TIME_S, 50) < 0.005
    assert hum_mv(ECG_MV, TIME_S, 60) < 0.005


def test_missing_samples_do_no_harm() -> None:
    kept = np.r_[0:900, 1000:1700, 1703:2500]
    ecg_mv = ECG_MV + 0.1 * np.sin(2 * np.pi * 60 * TIME_S)
    assert hum_mv(ecg_mv[kept], TIME_S[kept], 60) == pytest.approx(0.1, rel=0.1)
