"""Keras' outputs for some beats, by which tests show that a TFLite runtime computes the same.

Of real beats only the outputs are kept and where the beats are found, not the beats themselves:
recordings of people stay where their licence came with them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsp.front_end import RATE_HZ
from dsp.segmenter import BEFORE_R, WINDOW_SAMPLES
from model.tensor import normalise
from model.training.architecture import KerasModel
from model.training.datasets import Beats

BEATS = 50
REAL_BEATS = 500

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


def write_reference(network: KerasModel, beats: Beats, folder: Path, name: str) -> None:
    """Write NAME.reference.npz: made-up beats with their outputs, and outputs of real ones.

    Made up are ``windows``, normalised, shape (50, 175), with ``outputs``. For the 500 real beats,
    fewer if there are not so many, ``real_records`` says which recording a beat is in,
    ``Person_01/rec_1``, ``real_places`` which of its beats it is, from 0, and ``real_outputs`` what
    Keras made of it, in float16.
    """
    windows = normalise(made_up_beats(BEATS))
    real, places = some_of_everybody(beats)
    np.savez_compressed(
        folder / f"{name}.reference.npz",
        windows=windows,
        outputs=network.predict(windows[..., None], verbose=0),
        real_records=np.array(["/".join(Path(record).parts[-2:]) for record in real.records]),
        real_places=places,
        real_outputs=network.predict(normalise(real.windows_mv)[..., None], verbose=0).astype(
            np.float16
        ),
    )


def some_of_everybody(beats: Beats) -> tuple[Beats, NDArray[np.int64]]:
    """Return 500 good beats of the persons' first records, and their places among all there.

    They are spread evenly, so that everybody has about the same part.
    """
    first = [beats.records_of(person)[0] for person in beats.names]
    places = np.zeros(len(beats), dtype=np.int64)
    for record in first:
        there = beats.records == record
        places[there] = np.arange(there.sum())
    candidates = np.flatnonzero(beats.good & np.isin(beats.records, first))
    step = max(1, len(candidates) / REAL_BEATS)
    chosen = np.zeros(len(beats), dtype=bool)
    chosen[candidates[np.arange(0, len(candidates), step).astype(int)[:REAL_BEATS]]] = True
    return beats.where(chosen), places[chosen]
