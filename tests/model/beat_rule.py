"""A rule of thumb in the place of the network of beat kinds: of another shape than usual is V."""

from __future__ import annotations

import numpy as np

from model.beat_history import FIGURES, KnownBeat
from model.beat_kinds import Verdict
from model.beat_passport import BeatPassport, Decision
from model.beat_usual import UsualOdds

SHAPE = FIGURES.index("like_usual") - len(FIGURES)
LIKE = 0.7

PASSPORT = BeatPassport(
    name="rule of thumb",
    sha256="0" * 64,
    created_utc="2026-01-01T00:00:00Z",
    front_end={},
    decision=Decision((0.0, 0.0, 0.0, 0.0), 1.0, 0.0),
    training={
        "architecture": "rule",
        "patients": {"learnt": 2},
        "licence": "none",
        "citations": ["nobody"],
    },
    metrics={
        "protocol": "made up",
        "by_architecture": {"rule": {"learnt": {"V_sensitivity": [91.0, 90.0, 92.0]}}},
    },
)


class BeatRule:
    """Called as a ``BeatNetwork`` is."""

    def __init__(self) -> None:
        self.passport = PASSPORT

    def __call__(self, beat: KnownBeat, _usual: UsualOdds) -> Verdict:
        """Judge one beat."""
        abnormal = float(np.clip((1 - beat.inputs[SHAPE]) / (1 - LIKE) / 2, 0, 1))
        return Verdict("V" if abnormal > 0.5 else "N", abnormal)
