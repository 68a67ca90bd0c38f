"""Where exactly the R peak is: the local extremum with the sharpest bend.

The largest deflection, which one would think of first, is 160 ms away from the R wave in some
paced and wide beats.
"""

from __future__ import annotations

from collections.abc import Sequence

from dsp.qrs_features import MASK

CURVATURE_S = 0.040  # spacing of the three points that measure curvature; it nulls 50 Hz
LOOK_BEFORE_S = 0.140
LOOK_AFTER_S = 0.060
UPRIGHT = 1.8  # an upward bend counts for more: equal R and S must not take turns as the R peak


def sharpest_bend(ecg: Sequence[float], places: range, spacing: int, about: int) -> int:
    """Return the place of the R peak.

    Args:
        ecg: samples in mV; that of position p is at ``p & MASK``.
        places: positions to choose from.
        spacing: of the three points that measure curvature, in samples.
        about: what to return if there is nothing to choose from.
    """

    def sharpness(i: int) -> float:
        before, here, after = ecg[(i - 1) & MASK], ecg[i & MASK], ecg[(i + 1) & MASK]
        bend = 2 * here - ecg[(i - spacing) & MASK] - ecg[(i + spacing) & MASK]
        if bend > 0:
            return bend * UPRIGHT if before <= here >= after else 0.0
        return -bend if before >= here <= after else 0.0

    return max(places, key=sharpness, default=about)
