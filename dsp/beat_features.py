"""Figures of single beats, for those who train something of their own.

The mel-frequency cepstrum (MFCC; Davis and Mermelstein, IEEE TASSP 28:357, 1980) is that of speech,
scaled to the ECG: the window's power spectrum in 20 triangular bands, evenly spaced on a scale that
is linear below 10 Hz and logarithmic above, and the cosine transform of their logarithms. The first
coefficient, the loudness, is left out; the next twelve tell the spectrum's shape.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dsp.rr_correction import Array
from dsp.segmenter import BEFORE_R, RATE_HZ

BREAK_HZ = 10.0  # of the mel scale, which has it at 700 Hz
BANDS_HZ = (0.5, 40.0)  # what conditioning leaves
BANDS = 20
COEFFICIENTS = 12
TRANSFORM = 512
#: Where a wave's highest or lowest value is looked for, in samples from R.
P_SAMPLES, Q_SAMPLES, S_SAMPLES, T_SAMPLES = (-60, -15), (-15, 0), (1, 20), (25, 104)


def _bands() -> Array:
    """Return the weight of each frequency in each band."""
    low, high = (np.log1p(edge / BREAK_HZ) for edge in BANDS_HZ)
    edges_hz = BREAK_HZ * np.expm1(np.linspace(low, high, BANDS + 2))
    frequency_hz = np.fft.rfftfreq(TRANSFORM, 1 / RATE_HZ)
    rise = (frequency_hz - edges_hz[:-2, None]) / np.diff(edges_hz)[:-1, None]
    fall = (edges_hz[2:, None] - frequency_hz) / np.diff(edges_hz)[1:, None]
    return np.asarray(np.maximum(0, np.minimum(rise, fall)))


_BANDS = _bands()
_PLACES = (np.arange(BANDS) + 0.5) / BANDS
_COSINES = np.cos(np.pi * np.arange(1, COEFFICIENTS + 1)[:, None] * _PLACES)
NAMES = (
    *("p_mv", "q_mv", "r_mv", "s_mv", "t_mv"),
    *(f"mfcc_{number}" for number in range(1, COEFFICIENTS + 1)),
)


def beat_features(ecg_mv: Sequence[float]) -> dict[str, float]:
    """Return amplitudes and MFCC of one window of 175 conditioned samples, by ``NAMES``."""
    window = np.asarray(ecg_mv)
    base_mv = float(np.median(window))

    def furthest(limits: tuple[int, int]) -> float:
        part = window[BEFORE_R + limits[0] : BEFORE_R + limits[1] + 1] - base_mv
        return float(part[np.argmax(np.abs(part))])

    def lowest(limits: tuple[int, int]) -> float:
        return float((window[BEFORE_R + limits[0] : BEFORE_R + limits[1] + 1] - base_mv).min())

    amplitudes = (
        furthest(P_SAMPLES),
        lowest(Q_SAMPLES),
        float(window[BEFORE_R] - base_mv),
        lowest(S_SAMPLES),
        furthest(T_SAMPLES),
    )
    return dict(zip(NAMES, (*amplitudes, *mfcc(window).tolist()), strict=True))


def mfcc(window: Array) -> Array:
    """Return the twelve coefficients, which do not change with the gain."""
    power = np.abs(np.fft.rfft((window - window.mean()) * np.hanning(len(window)), TRANSFORM)) ** 2
    loudness = np.log(_BANDS @ power + 1e-12)
    return np.asarray(_COSINES @ loudness * np.sqrt(2 / BANDS))
