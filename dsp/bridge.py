"""Bridges gaps of a few samples, so that a busy machine costs samples and not heartbeats.

Filters that begin anew after each lost sample need a third of a second, and the beats whose windows
a gap touches are gone: at three lost samples a second nobody would ever be recognised. A straight
line across the gap leaves filters, levels and RR intervals in peace. The gap is told all the same.

What a line across up to two samples does to a beat is less than what the next heartbeat does, even
in the QRS: cosine of the embeddings 0.99, where beats that follow each other have 0.85 (60 beats of
each kind from 20 people of ECG-ID). Longer ones do no more outside the QRS (0.95 and better, up to
12 samples); within it they do (0.97 for three samples, 0.28 for twelve), and the beat is flawed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from dsp.signals import Sample

BRIDGED_SAMPLES = 12  # 48 ms at 250 Hz; a longer line may take a whole QRS out
HARMLESS_SAMPLES = 2
QRS_SAMPLES = 15  # on either side of the R peak
REMEMBERED = 64  # gaps, more than there can be until a beat found by search-back is cut out


class Bridge:
    """Makes up the samples of short gaps, and remembers which beats that spoils."""

    def __init__(self) -> None:
        self._harmful: deque[range] = deque(maxlen=REMEMBERED)

    def across(self, last: Sample, following: Sample) -> Iterator[Sample]:
        """Yield the samples between two, on a straight line; flawed like the one after them."""
        missing = range(last.index + 1, following.index)
        if len(missing) > HARMLESS_SAMPLES:
            self._harmful.append(missing)
        intervals = len(missing) + 1
        step_mv = (following.ecg_mv - last.ecg_mv) / intervals
        step_s = (following.time_s - last.time_s) / intervals
        for number, index in enumerate(missing, start=1):
            yield Sample(
                index=index,
                time_s=last.time_s + number * step_s,
                ecg_mv=last.ecg_mv + number * step_mv,
                lead_off=following.lead_off,
                saturated=following.saturated,
            )

    def spoils(self, r_index: int) -> bool:
        """Tell whether a line runs through the QRS of the beat with this R peak."""
        first, last = r_index - QRS_SAMPLES, r_index + QRS_SAMPLES
        return any(gap.start <= last and gap.stop > first for gap in self._harmful)
