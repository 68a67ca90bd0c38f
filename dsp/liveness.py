"""Presentation attack detection: signals that repeat themselves, or are too clean or too regular.

Three things that hearts do not do, told from the beats of one session alone:

- ``too_clean``: no beat of a living body is like the one before to a fraction of a microvolt, since
  muscles hum. A drawn or averaged beat is, but for the noise of the chip.
- ``repeated``: the same eight beats in a row do not come again with the same noise on them. A
  looped recording does just that, from its second turn on.
- ``too_regular``: the beats of fifteen seconds, twenty at least, do not come as evenly as a clock's
  (unless a pacemaker's). Of a fast heart each interval is like the next, but small differences add
  up, as a clock's do not: within a few breaths, for which twenty fast beats are too short.

Any of them ends sixty beats after it was last seen: who is alive need not refit the electrodes.

All but the last look at a beat's texture: what is left of it from about 15 to 40 Hz, outside the
QRS, where noise lives and waves do not. A fresh recording of a living heart, played once, has all
that a living heart has: nothing here tells it, and docs/presentation-attacks.md says so in figures.
"""

from __future__ import annotations

from collections import deque
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dsp.options import Suspicion
from dsp.segmenter import BEFORE_R, RATE_HZ, WINDOW_SAMPLES
from dsp.signals import BeatWindow

#: ``x[i] - (x[i-2] + x[i+2]) / 2``, then the mean of five, which is blind to mains at 50 Hz.
TEXTURE_FILTER = np.convolve([-0.5, 0, 1, 0, -0.5], np.full(5, 0.2))
STEEP_SAMPLES = 18  # on either side of the R peak: a QRS of 15, and what the filter drags along
TEXTURE_AT = np.arange(WINDOW_SAMPLES - len(TEXTURE_FILTER) + 1) + len(TEXTURE_FILTER) // 2
OUTSIDE_QRS = np.abs(TEXTURE_AT - BEFORE_R) > STEEP_SAMPLES
TEXTURE_PLACES = TEXTURE_AT[OUTSIDE_QRS] - BEFORE_R  # samples from the R peak

CLEAN_BEATS = 5
CLEAN_MV = 0.00017  # the chip alone has 0.00009 to 0.00013, hearts 0.00019 and more
PASSAGE_BEATS = 8
REMEMBERED = 120  # passages, about two minutes: a longer loop is taken for a fresh recording
REPEATED = 0.87  # correlation: hearts reach 0.4, arrhythmias in ten minutes 0.8, loops 0.92 to 1
NEIGHBOUR = 0.85  # of an RR interval: the next beat may come so early, and is no texture
LONG_S = 2.0  # where no RR interval is known, no neighbour is near
REGULAR_BEATS = 20  # at least ...
REGULAR_SPAN_S = 15.0  # ... and as many as come in so long
#: Root mean square off a steady beat: a clock's are 0.0011, rounded to samples, and 0.0014 with the
#: detector's jitter; the evenest of 600 recordings of hearts is off by 0.0024, of 100 drawn hearts
#: at 110 to 180 a minute, RR intervals within 3 to 8 ms (SD), by 0.0018.
REGULAR_S = 0.0015
ALIVE_BEATS = 60  # without anything suspect, until a suspicion ends


class Liveness:
    """Looks at the beats of one session. A suspicion stays until sixty beats are beyond it.

    Args:
        smoothed: whether the signal may have been smoothed before it came here, as that of a file
            may: it is never too clean then.

    Attributes:
        suspicion: the first one that has not ended; None without.
        may_be_regular: whether twenty beats or more come as evenly as a clock's, and whether for
            fifteen seconds is not known yet.
    """

    def __init__(self, smoothed: bool = False) -> None:
        self._smoothed = smoothed
        self.restart()

    def restart(self) -> None:
        """Forget the session: someone else may wear the electrodes."""
        self.suspicion: Suspicion | None = None
        self.may_be_regular = False
        self._textures: deque[NDArray[np.float64]] = deque(maxlen=PASSAGE_BEATS)
        self._good_rr_s: deque[float] = deque(maxlen=PASSAGE_BEATS)
        self._passages = np.zeros((REMEMBERED, PASSAGE_BEATS * int(OUTSIDE_QRS.sum())), np.float32)
        self._passages_seen = 0
        self._beats_s: deque[float] = deque()  # of REGULAR_BEATS, and of REGULAR_SPAN_S
        self._alive_beats = 0

    def push(self, beat: BeatWindow) -> Suspicion | None:
        """Take one beat and return the suspicion, if any; of a flawed beat the rhythm counts."""
        found: Suspicion | None = "too_regular" if self._regular(beat.rr_s) else None
        if beat.quality.good:
            self._textures.append(texture(np.array(beat.ecg_mv)))
            self._good_rr_s.append(beat.rr_s or LONG_S)
            repeated = self._repeated()
            if not self._smoothed and self._clean():
                found = "too_clean"
            elif repeated:
                found = "repeated"
        self._alive_beats = 0 if found else self._alive_beats + 1
        if self._alive_beats >= ALIVE_BEATS:
            self.suspicion = None
        self.suspicion = self.suspicion or found
        return self.suspicion

    def _regular(self, rr_s: float | None) -> bool:
        """Tell whether the newest beats lie on a straight line, as nearly as a clock's."""
        if rr_s is None:
            self._beats_s.clear()
        beats_s = self._beats_s
        beats_s.append((beats_s[-1] if beats_s else 0.0) + (rr_s or 0.0))
        while len(beats_s) > REGULAR_BEATS and beats_s[-1] - beats_s[1] >= REGULAR_SPAN_S:
            beats_s.popleft()
        if (count := len(beats_s)) < REGULAR_BEATS:
            return False  # what may have been regular before some lost samples may be so still
        off_s = _off_steady(count) @ beats_s
        is_even = bool(off_s @ off_s < count * REGULAR_S**2)
        long_enough = beats_s[-1] - beats_s[0] >= REGULAR_SPAN_S
        self.may_be_regular = is_even and not long_enough
        return is_even and long_enough

    def _without_neighbours(self) -> NDArray[np.bool_]:
        """Tell which places of the textures no QRS of the beats before and after can reach."""
        rr = min(self._good_rr_s) * RATE_HZ
        before, after = STEEP_SAMPLES - rr, NEIGHBOUR * rr - STEEP_SAMPLES
        clear: NDArray[np.bool_] = (before < TEXTURE_PLACES) & (after > TEXTURE_PLACES)
        return clear

    def _clean(self) -> bool:
        """Tell whether the newest beats are the same in most places but for the chip's noise."""
        if len(self._textures) < CLEAN_BEATS:
            return False
        newest = np.array(self._textures)[-CLEAN_BEATS:, self._without_neighbours()]
        return bool(np.median(newest.std(axis=0, ddof=1)) < CLEAN_MV)

    def _repeated(self) -> bool:
        """Tell whether the newest passage of beats was there before, noise and all.

        What the beats of a passage have in common is the heart's shape; the rest is compared.
        """
        if len(self._textures) < PASSAGE_BEATS:
            return False
        own = np.array(self._textures)
        own -= own.mean(axis=0)
        own[:, ~self._without_neighbours()] = 0
        own /= np.maximum(np.linalg.norm(own, axis=1, keepdims=True), np.finfo(float).tiny)
        passage = own.ravel().astype(np.float32)
        highest = float((self._passages @ passage).max()) / PASSAGE_BEATS
        self._passages[self._passages_seen % REMEMBERED] = passage
        self._passages_seen += 1
        return highest > REPEATED


@cache
def _off_steady(count: int) -> NDArray[np.float64]:
    """Return the matrix that takes from the times of some beats the steady beat next to them."""
    steady = np.vander(np.arange(count, dtype=float), 2)
    off: NDArray[np.float64] = np.eye(count) - steady @ np.linalg.pinv(steady)
    return off


def texture(window_mv: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what moves fast in a beat outside its QRS, in mV."""
    fast: NDArray[np.float64] = np.convolve(window_mv, TEXTURE_FILTER, "valid")[OUTSIDE_QRS]
    return fast
