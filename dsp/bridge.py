"""Bridges gaps of a few samples, so that a busy machine costs samples and not heartbeats.

Filters that begin anew after each lost sample need a third of a second, and the beats whose windows
a gap touches are gone: at three lost samples a second nobody would ever be recognised. A straight
line across the gap leaves filters, levels and RR intervals in peace. The gap is told all the same.

Up to two samples, wherever they are missing, change a beat less than the next heartbeat does, and
so do up to twelve outside the QRS. Three or more within it spoil the beat.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from dsp.qrs_features import HISTORY
from dsp.quality import QRS_SAMPLES

BRIDGED_SAMPLES = 12  # 48 ms at 250 Hz; a longer line may take a whole QRS out
HARMLESS_SAMPLES = 2


class Bridge:
    """Fills short gaps with a straight line, and remembers which beats that spoils."""

    def __init__(self) -> None:
        self._gaps: deque[range] = deque()

    def across(self, gap: range, before_mv: float, after_mv: float) -> Iterator[float]:
        """Return the missing samples, on a straight line between those before and after the gap.

        Args:
            gap: the indices that are missing.
            before_mv: the sample before them.
            after_mv: the sample after them.
        """
        while self._gaps and self._gaps[0].stop < gap.stop - HISTORY:
            self._gaps.popleft()  # no beat can be cut out there any more
        self._gaps.append(gap)
        step_mv = (after_mv - before_mv) / (len(gap) + 1)
        return (before_mv + number * step_mv for number in range(1, len(gap) + 1))

    def spoils(self, r_index: int) -> bool:
        """Tell whether too much of the QRS of the beat with this R peak is made up."""
        first, stop = r_index - QRS_SAMPLES, r_index + QRS_SAMPLES + 1
        made_up = sum(max(min(gap.stop, stop) - max(gap.start, first), 0) for gap in self._gaps)
        return made_up > HARMLESS_SAMPLES
