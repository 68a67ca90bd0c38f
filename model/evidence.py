"""When gathered evidence is dropped: no good beats follow, or those of another heart do.

Nothing says that the electrodes changed hands where lead-off is not measured. Two things do:

- **No good beat** for three seconds, or more beats with flaws than good ones among the last eight:
  whatever is measured now, it is not the heart that was.
- **Another heart**: a sequential test. How alike a beat is to the likest of the good ones before it
  gives a log-likelihood ratio of another heart to the same; the sum of these, never less than 0,
  is held against a bound (CUSUM). A beat that has no flaw but to be unlike the running template
  counts too, since that is how another heart's first beats are judged.

``python -m benchmarks.change_of_heart`` measures how soon a change is told and how often there is
a false alarm; docs/scores.md has the figures. Extrasystoles that were not seen before look like
another heart.

Source: E. S. Page, "Continuous Inspection Schemes", Biometrika 41:100, 1954.
"""

from __future__ import annotations

from collections import deque
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dsp.front_end import RATE_HZ
from dsp.signals import BeatWindow

STALE_SAMPLES = round(3.0 * RATE_HZ)
JUDGED_BEATS = 8
COMPARED_BEATS = 30  # the newest good ones, with which each beat is compared
FEWEST_COMPARED = 3
# The line from cosine to log-likelihood ratio, and its bounds: one odd beat must not decide alone.
SLOPE, MIDDLE = -10.0, 0.40
MOST_FOR_SAME, MOST_FOR_OTHER = -4.0, 3.0
ANOTHER_HEART = 8.9  # the sum that tells a change, three beats at the soonest

Doubt: TypeAlias = Literal["no_good_beats", "heart_changed"]


class Evidence:
    """Follows the beats of one session, and tells when they stop speaking for its wearer."""

    def __init__(self) -> None:
        self._good: deque[NDArray[np.float32]] = deque(maxlen=COMPARED_BEATS)
        self._were_good: deque[bool] = deque(maxlen=JUDGED_BEATS)
        self._last_good: int | None = None
        self._ln_ratio = 0.0

    def restart(self) -> None:
        """Forget the session."""
        self._good.clear()
        self._were_good.clear()
        self._last_good = None
        self._ln_ratio = 0.0

    def is_stale(self, index: int) -> bool:
        """Tell whether the last good beat lies three seconds before a sample; False without one."""
        return self._last_good is not None and index - self._last_good > STALE_SAMPLES

    def push(self, beat: BeatWindow, output: NDArray[np.float32]) -> Doubt | None:
        """Take a beat and its output, shape (d,); return what speaks against those before it."""
        good = beat.quality.good
        self._were_good.append(good)
        ln_ratio = 0.0
        if good or beat.quality.flaws == ("unlike_template",):
            ln_ratio = self._ln_ratio_of_another(output)
            self._ln_ratio = max(0.0, self._ln_ratio + ln_ratio)
            if self._ln_ratio >= ANOTHER_HEART:
                return "heart_changed"
        if good:
            self._last_good = beat.r_index
            if ln_ratio <= 0:
                self._good.append(output / np.linalg.norm(output))
        elif self._last_good is not None and self._were_good.count(False) > JUDGED_BEATS // 2:
            return "no_good_beats"
        return None

    def _ln_ratio_of_another(self, output: NDArray[np.float32]) -> float:
        """Return how much likelier a beat is another heart's, as a natural logarithm."""
        if len(self._good) < FEWEST_COMPARED:
            return 0.0
        likeness = float((np.stack(self._good) @ output).max() / np.linalg.norm(output))
        return min(MOST_FOR_OTHER, max(MOST_FOR_SAME, SLOPE * (likeness - MIDDLE)))
