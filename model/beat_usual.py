"""What a network says of most of a wearer's beats, which its verdicts are held against.

A heart whose every beat looks a little ventricular to the network, by its conduction, by noise or
in atrial fibrillation, has other ventricular beats than one of which none does: within one wearer
the network ranks the beats nearly perfectly, but no threshold is right for all wearers.

Beats of one shape begin in one place and are of one kind, whatever the beats about them: in a run
of ventricular beats the network, which has seen a V, expects the next one to be normal. So what it
says of a beat of an unusual shape is drawn to what it said of the ones before.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from model.beat_clusters import USUAL

N, V = 0, 2  # places of a network's outputs (``beat_passport.TOLD_KINDS``); F is after V
MEMORY_BEATS = 128
#: What counts as usual is the log-odds of V to N that so many of the beats are below: few enough
#: that it is a normal beat's in bigeminy.
PART = 0.35
SHARE = 0.3  # of what they are above a stranger's, taken off V and F
STRANGERS, STRANGERS_BEATS = -5.0, 32  # what a wearer's are before they are known, and for how long
LEAST = -3.0  # from a stranger's; a heart that is never like that may have weak ventricular beats
DRAWN = 0.7  # of the way to the mean of the beats of the same unusual shape


class UsualOdds:
    """Remembers the log-odds of V to N of a wearer's last 128 beats, and the shape of each."""

    def __init__(self) -> None:
        self._beats = deque([(USUAL, STRANGERS)] * STRANGERS_BEATS, MEMORY_BEATS)

    def correct(self, logits: NDArray[np.float32], shape: int) -> NDArray[np.float32]:
        """Take note of the next beat's logits, shape (4,), and return what they are for this one.

        Args:
            logits: of N, S, V and F.
            shape: the number of the beat's shape, or ``USUAL``.
        """
        ln_odds = float(logits[V] - logits[N])
        self._beats.append((shape, ln_odds))
        ordered = sorted(each for _, each in self._beats)
        usual = ordered[round(PART * (len(ordered) - 1))]
        change = -SHARE * max(usual - STRANGERS, LEAST)
        if shape != USUAL:
            alike = [each for number, each in self._beats if number == shape]
            change += DRAWN * (sum(alike) / len(alike) - ln_odds)
        corrected = logits.copy()
        corrected[V:] += np.float32(change)
        return corrected
