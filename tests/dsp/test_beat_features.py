"""Features of a beat of known waves, against another transform, and where they must not change."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.fft import dct

from dsp.beat_features import _BANDS, BANDS_HZ, NAMES, TRANSFORM, beat_features, mfcc
from dsp.segmenter import BEFORE_R, WINDOW_SAMPLES
from tests.dsp.heartbeats import RATE_HZ, WAVES, ecg

BEAT = ecg([BEFORE_R], WINDOW_SAMPLES)


def test_amplitudes_are_those_of_the_waves() -> None:
    found = beat_features(BEAT)
    assert list(found) == list(NAMES)
    expected = dict(zip(("p_mv", "q_mv", "r_mv", "s_mv", "t_mv"), WAVES, strict=True))
    for name, (amplitude_mv, *_) in expected.items():
        assert found[name] == pytest.approx(amplitude_mv, abs=0.03)


def test_coefficients_are_the_cosine_transform_of_the_bands() -> None:
    tapered = (BEAT - BEAT.mean()) * np.hanning(len(BEAT))
    power = np.abs(np.fft.rfft(tapered, TRANSFORM)) ** 2
    expected = dct(np.log(_BANDS @ power + 1e-12), type=2, norm="ortho")[1:13]
    assert mfcc(BEAT) == pytest.approx(expected)


def test_bands_cover_what_conditioning_leaves_evenly() -> None:
    frequency_hz = np.fft.rfftfreq(TRANSFORM, 1 / RATE_HZ)
    covered = _BANDS.sum(axis=0) > 0
    assert frequency_hz[covered].min() == pytest.approx(BANDS_HZ[0], abs=1)
    assert frequency_hz[covered].max() == pytest.approx(BANDS_HZ[1], abs=1)
    middle = (frequency_hz > 3) & (frequency_hz < 35)
    assert _BANDS.sum(axis=0)[middle] == pytest.approx(1)


def test_the_gain_changes_amplitudes_and_no_coefficient() -> None:
    plain, twice = beat_features(BEAT), beat_features(2 * BEAT)
    for name in NAMES:
        factor = 2 if name.endswith("_mv") else 1
        assert twice[name] == pytest.approx(factor * plain[name], abs=1e-6)
