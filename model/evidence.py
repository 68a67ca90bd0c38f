"""How long beats speak for whoever wears the electrodes: until too few follow, or others do.

Nothing says that the electrodes changed hands where lead-off is not measured. Two things do:

- **No good beat** for three seconds, or more beats with flaws than good ones among the last eight:
  whatever is measured now, it is not the heart that was.
- **Another heart**: beats in a row that the network puts far from the mean of those before them. A
  beat that has no flaw but to be unlike the running template counts too, since that is how another
  heart's first beats are judged.

The bound was set on 160 hand-held recordings (CinC 2017, normal rhythm) of people whom the network
never saw: of one person's beats 0.5 % are less than 0.34 like the ten before, of another's 83 %.
Of 60 other pairs of them, one after the other, 48 were told apart, half of these by the fourth beat
and the last by the eleventh; one person's own recordings raised 2 alarms in 1.1 hours. Arrhythmias
raise more: a run of ectopic beats looks like another heart.
"""

from __future__ import annotations

from collections import deque
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dsp.front_end import RATE_HZ
from dsp.signals import BeatWindow
from model.scores import mean_direction

STALE_SAMPLES = round(3.0 * RATE_HZ)
JUDGED_BEATS = 8
COMPARED_BEATS = 10  # the newest good ones, with which each beat is compared
FEWEST_COMPARED = 3
ANOTHER_HEART = 0.34  # cosine
ANOTHERS_BEATS = 4  # in a row

Doubt: TypeAlias = Literal["no_good_beats", "heart_changed"]


class Evidence:
    """Follows the beats of one session, and tells when they stop speaking for its wearer."""

    def __init__(self) -> None:
        self._good: deque[NDArray[np.float32]] = deque(maxlen=COMPARED_BEATS)
        self._were_good: deque[bool] = deque(maxlen=JUDGED_BEATS)
        self._last_good: int | None = None
        self._anothers = 0

    def restart(self) -> None:
        """Forget the session."""
        self._good.clear()
        self._were_good.clear()
        self._last_good = None
        self._anothers = 0

    def is_stale(self, index: int) -> bool:
        """Tell whether the last good beat lies three seconds before a sample; False without one."""
        return self._last_good is not None and index - self._last_good > STALE_SAMPLES

    def push(self, beat: BeatWindow, output: NDArray[np.float32]) -> Doubt | None:
        """Take a beat and its output, shape (d,); return what speaks against those before it."""
        good = beat.quality.good
        self._were_good.append(good)
        if good or beat.quality.flaws == ("unlike_template",):
            self._anothers = self._anothers + 1 if self._is_anothers(output) else 0
            if self._anothers == ANOTHERS_BEATS:
                return "heart_changed"
        if good:
            self._last_good = beat.r_index
            if not self._anothers:
                self._good.append(output)
        elif self._last_good is not None and self._were_good.count(False) > JUDGED_BEATS // 2:
            return "no_good_beats"
        return None

    def _is_anothers(self, output: NDArray[np.float32]) -> bool:
        if len(self._good) < FEWEST_COMPARED:
            return False
        likeness = output @ mean_direction(np.stack(self._good)) / np.linalg.norm(output)
        return bool(likeness < ANOTHER_HEART)
