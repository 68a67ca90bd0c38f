"""Is it a heart, or something played into the wires? What repeats, is too clean or too even is not.

Three things that hearts do not do, told from the beats of one session alone:

- ``too_clean``: no beat of a living body is like the one before to a fraction of a microvolt, since
  muscles hum. A drawn or averaged beat is, but for the noise of the chip.
- ``repeated``: the same eight beats in a row do not come again with the same noise on them. A
  looped recording does just that, from its second turn on.
- ``too_regular``: seventeen beats do not come as evenly as a clock's (unless a pacemaker's).

All but the last look at a beat's texture: what is left of it from about 15 to 40 Hz, outside the
QRS, where noise lives and waves do not. A fresh recording of a living heart, played once, has all
that a living heart has: nothing here tells it, and docs/presentation-attacks.md says so in figures.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dsp.segmenter import BEFORE_R, WINDOW_SAMPLES
from dsp.signals import BeatWindow

Suspicion: TypeAlias = Literal["too_clean", "repeated", "too_regular"]

IN_WORDS: dict[Suspicion, str] = {
    "too_clean": "too clean for a heart",
    "repeated": "its beats repeat",
    "too_regular": "as even as a clock",
}

#: ``x[i] - (x[i-2] + x[i+2]) / 2``, then the mean of five, which is blind to mains at 50 Hz.
TEXTURE_FILTER = np.convolve([-0.5, 0, 1, 0, -0.5], np.full(5, 0.2))
STEEP_SAMPLES = 18  # on either side of the R peak: a QRS of 15, and what the filter drags along
TEXTURE_AT = np.arange(WINDOW_SAMPLES - len(TEXTURE_FILTER) + 1) + len(TEXTURE_FILTER) // 2
OUTSIDE_QRS = np.abs(TEXTURE_AT - BEFORE_R) > STEEP_SAMPLES

CLEAN_BEATS = 5
CLEAN_MV = 0.00017  # the chip alone has 0.00009 to 0.00013, hearts 0.00019 and more
PASSAGE_BEATS = 8
REMEMBERED = 120  # passages, about two minutes: a longer loop is taken for a fresh recording
REPEATED = 0.87  # correlation: hearts reach 0.4, arrhythmias in ten minutes 0.8, loops 0.92 to 1
REGULAR_CHANGES = 16
REGULAR_S = 0.0045  # one sample: hearts at rest change by two and more somewhere among so many


@dataclass(frozen=True, slots=True)
class LivenessOptions:
    """What can be set on the check.

    Attributes:
        on_suspicion: ``refuse`` to accept nobody from then on, ``warn`` to say so only, or
            ``ignore``.
    """

    on_suspicion: Literal["refuse", "warn", "ignore"] = "refuse"

    def __post_init__(self) -> None:
        if self.on_suspicion not in ("refuse", "warn", "ignore"):
            raise ValueError(f"on_suspicion: {self.on_suspicion} is not refuse, warn or ignore")

    def refused(self, suspicion: Suspicion | None) -> Suspicion | None:
        """Return the suspicion if nobody is to be accepted or enrolled for it, else None."""
        return suspicion if self.on_suspicion == "refuse" else None


class Liveness:
    """Looks at the beats of one session. A suspicion stays until the electrodes are fitted anew.

    Args:
        smoothed: whether the signal may have been smoothed before it came here, as that of a file
            may: it is never too clean then.

    Attributes:
        suspicion: the first one; None without.
    """

    def __init__(self, smoothed: bool = False) -> None:
        self._smoothed = smoothed
        self.restart()

    def restart(self) -> None:
        """Forget the session: someone else may wear the electrodes."""
        self.suspicion: Suspicion | None = None
        self._textures: deque[NDArray[np.float64]] = deque(maxlen=PASSAGE_BEATS)
        self._passages = np.zeros((REMEMBERED, PASSAGE_BEATS * int(OUTSIDE_QRS.sum())), np.float32)
        self._passages_seen = 0
        self._rr_s: deque[float] = deque(maxlen=REGULAR_CHANGES + 1)

    def push(self, beat: BeatWindow) -> Suspicion | None:
        """Take one beat and return the suspicion, if any; of a flawed beat the rhythm counts."""
        regular = self._regular(beat.rr_s)
        clean = repeated = False
        if beat.quality.good:
            self._textures.append(texture(np.array(beat.ecg_mv)))
            clean, repeated = not self._smoothed and self._clean(), self._repeated()
        if self.suspicion is None:
            if clean:
                self.suspicion = "too_clean"
            elif repeated:
                self.suspicion = "repeated"
            elif regular:
                self.suspicion = "too_regular"
        return self.suspicion

    def _regular(self, rr_s: float | None) -> bool:
        if rr_s is None:
            self._rr_s.clear()
            return False
        self._rr_s.append(rr_s)
        changes_s = np.abs(np.diff(self._rr_s))
        return len(changes_s) == REGULAR_CHANGES and bool(changes_s.max() <= REGULAR_S)

    def _clean(self) -> bool:
        """Tell whether the newest beats are the same in most places but for the chip's noise."""
        if len(self._textures) < CLEAN_BEATS:
            return False
        newest = np.array(self._textures)[-CLEAN_BEATS:]
        return bool(np.median(newest.std(axis=0, ddof=1)) < CLEAN_MV)

    def _repeated(self) -> bool:
        """Tell whether the newest passage of beats was there before, noise and all.

        What the beats of a passage have in common is the heart's shape; the rest is compared.
        """
        if len(self._textures) < PASSAGE_BEATS:
            return False
        own = np.array(self._textures)
        own -= own.mean(axis=0)
        own /= np.maximum(np.linalg.norm(own, axis=1, keepdims=True), np.finfo(float).tiny)
        passage = own.ravel().astype(np.float32)
        highest = float((self._passages @ passage).max()) / PASSAGE_BEATS
        self._passages[self._passages_seen % REMEMBERED] = passage
        self._passages_seen += 1
        return highest > REPEATED


def texture(window_mv: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what moves fast in a beat outside its QRS, in mV."""
    fast: NDArray[np.float64] = np.convolve(window_mv, TEXTURE_FILTER, "valid")[OUTSIDE_QRS]
    return fast
