"""Recordings of synthetic hearts, as tables of raw codes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from drivers.frame import millivolts_per_count
from drivers.waveforms.hearts import Heart

RATE_HZ = 250
heart = cache(Heart)


def write_heart(
    path: Path, seed: int, start_s: float = 0, seconds: float = 20, *, sign: int = 1, turns: int = 1
) -> Path:
    """Write a synthetic heart as a table of raw codes, as a logger would have."""
    path.parent.mkdir(parents=True, exist_ok=True)
    span = slice(round(start_s * RATE_HZ), round((start_s + seconds) * RATE_HZ))
    codes = np.rint(sign * heart(seed).ecg_mv[span] / millivolts_per_count(6, 2.42)).astype(int)
    rows = [f"{4 * row}, {code}" for row, code in enumerate(np.tile(codes, turns))]
    path.write_text("\n".join(["timestamp, Channel 1", *rows]))
    return path
