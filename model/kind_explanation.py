"""Occlusion: which parts of a beat and of its intervals made it abnormal.

A part is put as if it were usual of the wearer, the samples of the beat as those of the usual one
and its figures as those of a beat like it, and what the log-odds of an abnormal beat lose by it is
put down to the part. Parts that tell the same thing stand in for each other, so that the losses of
all need not add up to the whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.beat_history import FIGURES, INPUTS, SHAPE_SAMPLES
from model.beat_passport import Decision

THINNED_MS = 16.0  # of a sample of the shapes
R_SAMPLE = 17  # in which their R peak is
FIRST_FIGURE = INPUTS - len(FIGURES)  # of the beat itself; those of earlier ones are before it

Inputs = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Part:
    """What is put as usual at a time."""

    name: str
    figures: dict[str, float]  # what these are of a usual beat
    samples: range = range(0)  # of the beat


def _from_r(begin_ms: float, end_ms: float) -> range:
    places = (round(R_SAMPLE + at_ms / THINNED_MS) for at_ms in (begin_ms, end_ms))
    return range(*(min(max(place, 0), SHAPE_SAMPLES) for place in places))


def _of(prefix: str) -> dict[str, float]:
    return {name: 0.0 for name in FIGURES if name.startswith(prefix)}


PARTS = (
    Part("interval before", _of("ln_rr_") | {"rr_rank": 0.5}),
    Part("interval after", _of("ln_after_")),
    Part("P wave", {"like_usual_p": 1.0, "p_change": 0.0}, _from_r(-300, -60)),
    Part(
        "QRS",
        {"like_usual_qrs": 1.0, "ln_height_to_usual": 0.0, "ln_width_to_usual": 0.0}
        | {"qrs_change": 0.0},
        _from_r(-60, 100),
    ),
    Part("T wave", {"like_usual_t": 1.0}, _from_r(100, 500)),
    Part("noise", {"noise": 0.0}),
)


def lost_ln_odds(
    run: Callable[[Inputs], NDArray[np.float32]], decision: Decision, inputs: Inputs
) -> NDArray[np.float64]:
    """Return what the log-odds of an abnormal beat lose by each of ``PARTS``.

    Args:
        run: the network, from inputs to logits.
        decision: of its passport.
        inputs: of one beat, as ``BeatHistory.take`` gives them.
    """
    logits = np.stack([run(each) for each in (inputs, *(_usual(inputs, part) for part in PARTS))])
    whole, *without = decision.ln_odds(logits)
    lost: NDArray[np.float64] = whole - np.array(without)
    return lost


def _usual(inputs: Inputs, part: Part) -> Inputs:
    changed = inputs.copy()
    changed[part.samples] = inputs[SHAPE_SAMPLES : 2 * SHAPE_SAMPLES][part.samples]
    for name, value in part.figures.items():
        changed[FIRST_FIGURE + FIGURES.index(name)] = value
    return changed
