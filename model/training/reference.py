"""Beats of nobody, and what Keras makes of them: how a runtime is shown to compute the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsp.segmenter import BEFORE_R, WINDOW_SAMPLES
from model.tensor import normalise
from model.training.architecture import KerasModel

BEATS = 50
RATE_HZ = 250.0

#: P, Q, R, S and T: height in mV, offset from the R peak in s, width in s; each drawn about these.
WAVES = (
    (0.12, -0.16, 0.022),
    (-0.1, -0.03, 0.009),
    (1, 0, 0.011),
    (-0.2, 0.03, 0.01),
    (0.3, 0.25, 0.045),
)


def made_up_beats(count: int, seed: int = 0) -> NDArray[np.float64]:
    """Draw beats that are sums of five bells and some noise, in mV, shape (count, 175)."""
    rng = np.random.default_rng(seed)
    time_s = (np.arange(WINDOW_SAMPLES) - BEFORE_R) / RATE_HZ
    beats = 0.02 * rng.standard_normal((count, WINDOW_SAMPLES))
    for height_mv, offset_s, width_s in WAVES:
        heights = height_mv * rng.uniform(0.4, 1.6, (count, 1))
        offsets = offset_s * rng.uniform(0.85, 1.15, (count, 1))
        widths = width_s * rng.uniform(0.7, 1.3, (count, 1))
        beats += heights * np.exp(-(((time_s - offsets) / widths) ** 2) / 2)
    return beats


def write_reference(network: KerasModel, folder: Path, name: str) -> None:
    """Write NAME.reference.npz: normalised ``windows`` (50, 175) and their ``outputs``."""
    windows = normalise(made_up_beats(BEATS))
    outputs = network.predict(windows[..., None], verbose=0)
    np.savez_compressed(folder / f"{name}.reference.npz", windows=windows, outputs=outputs)
