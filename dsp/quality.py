"""How far a beat can be trusted: what would spoil identity is named, beat by beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dsp.segmenter import BEFORE_R
from dsp.signals import BeatQuality

FLAT_MV = 0.1  # a beat whose span is smaller has no QRS to speak of
QRS_SAMPLES = 15  # on either side of the R peak: what is steep there is no noise
NOISY = 0.10  # noise, as a part of the beat's span, that begins to hide the P wave
UNLIKE = 0.80  # correlation with the running template below which a beat is an odd one
TEMPLATE_GAIN = 0.2
TEMPLATE_PATIENCE = 3  # after so many odd beats in a row the template was the odd one


class QualityJudge:
    """Judges beats against the running template of the beats before them."""

    def __init__(self) -> None:
        self._template: NDArray[np.float64] | None = None
        self._odd_in_a_row = 0

    def judge(self, ecg_mv: Sequence[float], saturated: bool, gap: bool) -> BeatQuality:
        """Judge one window of 175 conditioned samples in mV.

        Args:
            ecg_mv: the window.
            saturated: whether the converter was at the end of its range within it.
            gap: whether so many samples are missing from its QRS that it has another shape.
        """
        window = np.asarray(ecg_mv)
        span_mv = float(np.ptp(window))
        if saturated:
            return BeatQuality(0.0, ("saturated",))
        if gap:
            return BeatQuality(0.0, ("gap",))
        if span_mv < FLAT_MV:
            return BeatQuality(0.0, ("flat",))
        noise = noise_rms(window) / span_mv
        likeness = self._compare(window)
        flaws = []
        if noise > NOISY:
            flaws.append("noisy")
        if likeness < UNLIKE:
            flaws.append("unlike_template")
        score = max(likeness, 0.0) * max(1 - noise / (2 * NOISY), 0.0)
        return BeatQuality(round(score, 3), tuple(flaws))

    def _compare(self, window: NDArray[np.float64]) -> float:
        """Return the correlation with the template, and let the template follow."""
        shape = (window - window.mean()) / window.std()
        if self._template is None:
            self._template = shape
            return 1.0
        template = self._template
        likeness = float(np.mean(shape * template) / template.std())
        if likeness >= UNLIKE:
            self._odd_in_a_row = 0
            self._template = template + TEMPLATE_GAIN * (shape - template)
        else:
            self._odd_in_a_row += 1
            if self._odd_in_a_row > TEMPLATE_PATIENCE:
                self._template = shape
                self._odd_in_a_row = 0
        return likeness


def noise_rms(window: NDArray[np.float64]) -> float:
    """Return the root mean square in mV of what moves faster than P and T waves, outside the QRS.

    The second difference ``x[i] - (x[i-2] + x[i+2]) / 2`` weighs 30 Hz fully at 250 Hz, and the
    waves of the heart outside the QRS, which lie below 10 Hz, with a fifth or less.
    """
    fast = window[2:-2] - (window[:-4] + window[4:]) / 2
    outside_qrs = np.ones(len(fast), dtype=bool)
    r_at = BEFORE_R - 2
    outside_qrs[r_at - QRS_SAMPLES : r_at + QRS_SAMPLES + 1] = False
    return float(np.sqrt(np.mean(fast[outside_qrs] ** 2)))
