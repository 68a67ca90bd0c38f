"""What made the beats of a recording abnormal, for ``qrsd explain --kinds``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsp.signals import Event
from model.beat_history import KnownBeat
from model.beat_kinds import BeatKindJudge, Kind, Verdict
from model.beat_network import BeatNetwork
from model.beat_usual import UsualOdds
from model.kind_explanation import PARTS, lost_ln_odds

EXPLAINED: tuple[Kind, ...] = ("S", "V", "F")
MOST_BEATS = 50  # of each kind; of a long recording these, spread evenly, tell as much


def explain_kinds(events: Iterable[Event], network: BeatNetwork) -> dict[str, Any]:
    """Return for each kind how many beats there are, and what their odds lose by each part."""
    inputs_of: dict[Kind, list[NDArray[np.float32]]] = {kind: [] for kind in ("N", *EXPLAINED)}

    def note(beat: KnownBeat, usual: UsualOdds) -> Verdict:
        verdict = network(beat, usual)
        inputs_of[verdict.kind].append(beat.inputs)
        return verdict

    judge = BeatKindJudge(note)
    for event in events:
        judge.push(event)
    judge.finish()
    return {kind: _mean_losses(inputs_of[kind], network) for kind in EXPLAINED if inputs_of[kind]}


def _mean_losses(beats: list[NDArray[np.float32]], network: BeatNetwork) -> dict[str, Any]:
    some = np.linspace(0, len(beats) - 1, min(len(beats), MOST_BEATS)).astype(int)
    decision = network.passport.decision
    losses = np.mean([lost_ln_odds(network.logits, decision, beats[at]) for at in some], axis=0)
    names = (part.name for part in PARTS)
    return {"beats": len(beats), "ln_odds_lost": dict(zip(names, losses.tolist(), strict=True))}
