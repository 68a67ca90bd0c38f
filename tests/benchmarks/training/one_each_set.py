"""A set of one recording a person, as the CinC Challenge 2017's, of synthetic hearts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from drivers.waveforms.hearts import Heart
from model.training.datasets import Purpose, purpose

RATE_HZ = 300
SECONDS = 12


def names_for(wanted: Purpose, number: int) -> list[str]:
    """Return names of records that are for this purpose."""
    names = map("A{:05}".format, range(20 * number))
    return [name for name in names if purpose(name) == wanted][:number]


def write_set(
    folder: Path,
    names: Sequence[str],
    labels: Sequence[str],
    signs: Sequence[int],
    seconds: int = SECONDS,
) -> None:
    """Write records in codes of 1 uV, each of another heart; a sign of -1 turns one upside down."""
    folder.mkdir(exist_ok=True)
    time_s = np.arange(RATE_HZ * seconds) / RATE_HZ
    hearts_mv = [sign * Heart(seed).ecg_mv[: 250 * seconds] for seed, sign in enumerate(signs, 1)]
    codes = [np.interp(time_s, np.arange(len(mv)) / 250, 1000 * mv) for mv in hearts_mv]
    np.savez(
        folder / "part1.npz",
        names=names,
        labels=labels,
        lengths=list(map(len, codes)),
        codes=np.rint(np.concatenate(codes)).astype(np.int16),
    )
