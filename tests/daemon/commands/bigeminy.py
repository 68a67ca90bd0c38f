"""Recordings of a made-up heart with wide, early beats, and where its beats are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.frame import millivolts_per_count
from dsp.front_end import RATE_HZ
from tests.dsp.heartbeats import ecg

#: Wide, discordant, without P.
VENTRICULAR = ((1.3, -0.03, 0.03), (-0.9, 0.06, 0.04), (-0.5, 0.3, 0.07))
KINDS = "N" * 40 + "V" + "N" * 20 + "NV" * 8 + "N" * 20 + "VVV" + "N" * 12
EARLY_S, PAUSE_S, USUAL_S = 0.55, 1.1, 0.8


def heart() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the ECG in mV at 250 Hz, and the sample of each beat of ``KINDS``."""
    rr_s = [
        EARLY_S if kind == "V" else PAUSE_S if before == "V" else USUAL_S
        for before, kind in zip("N" + KINDS, KINDS, strict=False)
    ]
    places = np.round((1 + np.cumsum(rr_s)) * RATE_HZ).astype(np.int64)
    length = int(places[-1] + 2 * RATE_HZ)
    usual, wide = (places[[kind == which for kind in KINDS]] for which in "NV")
    noise_mv = np.random.default_rng(1).normal(0, 0.008, length)
    return ecg(usual, length) + ecg(wide, length, VENTRICULAR) + noise_mv, places


def write_bigeminy(path: Path) -> Path:
    """Write it as a table of codes, in the loggers' layout."""
    path.parent.mkdir(parents=True, exist_ok=True)
    codes = np.rint(heart()[0] / millivolts_per_count(6, 2.42)).astype(int).tolist()
    rows = [f"{4 * at}, 0, {code}" for at, code in enumerate(codes)]
    path.write_text("\n".join(["timestamp, Channel 1, Channel 2", *rows]))
    return path
