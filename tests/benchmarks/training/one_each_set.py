"""Sets of one recording a person, of synthetic hearts: as the CinC Challenge 2017's, and longer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import wfdb

from drivers.waveforms.hearts import Heart
from model.training.datasets import Purpose, purpose

RATE_HZ = 300
SECONDS = 12
SECOND = 250  # samples of a longer one


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


def write_long(folder: Path, name: str, heart: int, seconds: int) -> None:
    """Write one heart's WFDB record."""
    folder.mkdir(exist_ok=True)
    ecg_mv = Heart(heart).ecg_mv[: seconds * SECOND, None]
    form = {"fmt": ["16"], "adc_gain": [2000], "baseline": [0]}
    wfdb.wrsamp(name, SECOND, ["mV"], ["ECG1"], ecg_mv, **form, write_dir=str(folder))
