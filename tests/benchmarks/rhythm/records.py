"""A record that was never recorded: what experts say of its beats, and what was found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.rhythm.records import Judged
from daemon.offline.scoring import Scope
from dsp.front_end import RATE_HZ
from model.beat_kinds import BeatKind, Kind
from model.rhythm import Episode

S = round(RATE_HZ)


def beat(at: int, kind: Kind, abnormal: float | None = None) -> BeatKind:
    if abnormal is None and kind != "Q":
        abnormal = 0.1 if kind == "N" else 0.9
    return BeatKind(at, kind, abnormal, None)


def judged(
    marked: Sequence[tuple[int, str]],
    found: Sequence[BeatKind] = (),
    *,
    seconds: int = 60,
    name: str = "made up",
    rhythms: tuple[tuple[str, int, int], ...] = (),
    episodes: tuple[Episode, ...] = (),
    left_out: tuple[tuple[int, int], ...] = (),
) -> Judged:
    return Judged(
        name,
        Scope(0, seconds * S, left_out),
        np.array([at for at, _ in marked], dtype=np.int64),
        np.array([symbol for _, symbol in marked], dtype=np.str_),
        rhythms,
        tuple(found),
        episodes,
    )
