"""What a network says of most of a wearer's beats, which its verdicts are held against.

A heart whose every beat looks a little ventricular to the network, by its conduction, by noise or
in atrial fibrillation, has other ventricular beats than one of which none does: within one wearer
the network ranks the beats nearly perfectly, but no threshold is right for all wearers.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

N, V = 0, 2  # places of a network's outputs (``beat_passport.TOLD_KINDS``); F is after V
MEMORY_BEATS = 128
#: What counts as usual is the log-odds of V to N that so many of the beats are below: few enough
#: that it is a normal beat's in bigeminy.
PART = 0.35
SHARE = 0.3  # of what they are above a stranger's, taken off V and F
STRANGERS, STRANGERS_BEATS = -5.0, 32  # what a wearer's are before they are known, and for how long
LEAST = -3.0  # from a stranger's; a heart that is never like that may have weak ventricular beats


class UsualOdds:
    """Remembers the log-odds of V to N of a wearer's last 128 beats."""

    def __init__(self) -> None:
        self._ln_odds: deque[float] = deque([STRANGERS] * STRANGERS_BEATS, MEMORY_BEATS)

    def correct(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take note of the next beat's logits, shape (4,), and return what they are for this one.

        Args:
            logits: of N, S, V and F.
        """
        self._ln_odds.append(float(logits[V] - logits[N]))
        usual = sorted(self._ln_odds)[round(PART * (len(self._ln_odds) - 1))]
        corrected = logits.copy()
        corrected[V:] -= np.float32(SHARE * max(usual - STRANGERS, LEAST))
        return corrected
