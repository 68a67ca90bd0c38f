"""How far a beat can be trusted: what would spoil identity is named, beat by beat."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median

import numpy as np
from numpy.typing import NDArray

from dsp.moments import deviation, mean, span
from dsp.qrs_shape import has_qrs
from dsp.segmenter import BEFORE_R
from dsp.signals import BeatQuality
from dsp.t_wave import has_t_wave

FLAT_MV = 0.1  # a beat whose span is smaller has no QRS to speak of
QRS_SAMPLES = 15  # on either side of the R peak: what is steep there is no noise
NOISY = 0.10  # noise, as a part of the beat's span, that begins to hide the P wave
UNLIKE = 0.80  # correlation with the running template below which a beat is an odd one
TEMPLATE_GAIN = 0.2
TEMPLATE_PATIENCE = 3  # after so many odd beats in a row the template was the odd one

JUDGED_TOGETHER = 8  # beats: where many have no QRS, one that seems to have is none either
FALSE_BEATS = 5  # of so many; more than the wide ones of bigeminy
RECENT_BEATS = 8  # how far back a kind of beats is counted
SEEN_AGAIN = 1.7  # beats of a kind, counted so, that make it more than one odd beat
OTHER_KINDS = 2  # remembered: ectopic beats come in more than one shape
USUAL_SHARE = 0.25  # of the beats, from which on a kind is usual: bigeminy has 0.5, trigeminy 0.33
NARROWER = 0.85  # the sinus beat's QRS, at most, to the ventricular one's
WIDTH_SAMPLES = 30  # on either side of the R peak: where a QRS's width is looked for
_NEAR_R = np.arange(2 * WIDTH_SAMPLES)


@dataclass(slots=True, eq=False)
class Kind:
    """Beats of one morphology, with their running template."""

    template: NDArray[np.float64]  # their running mean, of mean 0 and about deviation 1
    count: float  # how many there were lately, older ones counting less
    width: float  # of the QRS, in samples

    def likeness(self, shape: NDArray[np.float64]) -> float:
        """Return the correlation of a beat with them."""
        return mean(shape * self.template) / deviation(self.template)

    def take(self, shape: NDArray[np.float64]) -> None:
        """Update the running mean with a beat."""
        gain = max(TEMPLATE_GAIN, 1 / self.count)
        self.template = self.template + gain * (shape - self.template)
        self.width = qrs_width(self.template)


class QualityJudge:
    """Judges beats against the running template of the beats before them.

    Extrasystoles that come again and again, as in bigeminy, are a second kind of beats. Which kind
    came first does not matter: the narrow one is the heart's own.
    """

    def __init__(self) -> None:
        self._usual: Kind | None = None
        self._others: list[Kind] = []
        self._odd_in_a_row = 0
        self._without_qrs: deque[bool] = deque(maxlen=JUDGED_TOGETHER)
        self._rr_s: deque[float] = deque(maxlen=JUDGED_TOGETHER)

    def judge(
        self, ecg_mv: Sequence[float], saturated: bool, gap: bool, rr_s: float | None = None
    ) -> BeatQuality:
        """Judge one window of 175 conditioned samples in mV.

        Args:
            ecg_mv: the window.
            saturated: whether the converter was at the end of its range within it.
            gap: whether so many samples are missing from its QRS that it has another shape.
            rr_s: seconds since the beat before, if there was one.
        """
        window = np.asarray(ecg_mv)
        span_mv = span(window)
        if saturated:
            return BeatQuality(0.0, ("saturated",))
        if gap:
            return BeatQuality(0.0, ("gap",))
        if span_mv < FLAT_MV:
            return BeatQuality(0.0, ("flat",))
        self._without_qrs.append(not has_qrs(window, rr_s))
        if self._without_qrs[-1] or sum(self._without_qrs) >= FALSE_BEATS:
            return BeatQuality(0.0, ("no_qrs",))
        noise = noise_rms(window) / span_mv
        likeness = self._compare(window, noise > NOISY)
        flaws = []
        if noise > NOISY:
            flaws.append("noisy")
        if likeness < UNLIKE:
            flaws.append("unlike_template")
        if rr_s is not None:
            self._rr_s.append(rr_s)
        if self._usual and self._rr_s and not has_t_wave(self._usual.template, median(self._rr_s)):
            flaws.append("no_t_wave")
        score = max(likeness, 0.0) * max(1 - noise / (2 * NOISY), 0.0)
        return BeatQuality(round(score, 3), tuple(flaws), any(map(self._recurs, self._others)))

    def _compare(self, window: NDArray[np.float64], noisy: bool) -> float:
        """Return the correlation with the usual kind, and let the kinds follow."""
        shape = (window - mean(window)) / deviation(window)
        if self._usual is None:
            self._usual = Kind(shape, 1.0, qrs_width(shape))
            return 1.0
        for kind in (self._usual, *self._others):
            kind.count *= 1 - 1 / RECENT_BEATS
        likeness = self._usual.likeness(shape)
        if likeness >= UNLIKE:
            self._odd_in_a_row = 0
            self._usual.count += 1
            self._usual.take(shape)
            return likeness
        self._odd_in_a_row += 1
        other = self._take_as_other(shape)
        if self._odd_in_a_row > TEMPLATE_PATIENCE:
            self._make_usual(other)
            other.template, other.width = shape, qrs_width(shape)
        elif not noisy and self._recurs(other) and other.width < NARROWER * self._usual.width:
            self._make_usual(other)
            return other.likeness(shape)
        return likeness

    def _take_as_other(self, shape: NDArray[np.float64]) -> Kind:
        """Count an odd beat to another kind, or begin a new one with it."""
        for kind in self._others:
            if kind.likeness(shape) >= UNLIKE:
                kind.count += 1
                kind.take(shape)
                return kind
        self._others = [Kind(shape, 1.0, qrs_width(shape)), *self._others][:OTHER_KINDS]
        return self._others[0]

    def _make_usual(self, kind: Kind) -> None:
        """Let a kind and the usual one change places."""
        assert self._usual is not None
        self._others[self._others.index(kind)], self._usual = self._usual, kind
        self._odd_in_a_row = 0

    def _recurs(self, kind: Kind) -> bool:
        """Tell whether a kind is more than an odd beat now and then."""
        assert self._usual is not None
        beats = self._usual.count + sum(other.count for other in self._others)
        return kind.count > SEEN_AGAIN and kind.count >= USUAL_SHARE * beats


def qrs_width(window: NDArray[np.float64]) -> float:
    """Return how widely what is steep is spread about the R peak, in samples."""
    near = window[BEFORE_R - WIDTH_SAMPLES : BEFORE_R + WIDTH_SAMPLES + 1]
    steep = (near[1:] - near[:-1]) ** 2
    total = float(np.add.reduce(steep))
    centre = float(steep @ _NEAR_R / total)
    return sqrt(float(steep @ (_NEAR_R - centre) ** 2) / total)


def noise_rms(window: NDArray[np.float64]) -> float:
    """Return the root mean square in mV of what moves faster than P and T waves, outside the QRS.

    The second difference ``x[i] - (x[i-2] + x[i+2]) / 2`` weighs 30 Hz fully at 250 Hz, and the
    waves of the heart outside the QRS, which lie below 10 Hz, with a fifth or less.
    """
    fast = window[2:-2] - (window[:-4] + window[4:]) / 2
    outside_qrs = np.concatenate(
        [fast[: BEFORE_R - 2 - QRS_SAMPLES], fast[BEFORE_R - 1 + QRS_SAMPLES :]]
    )
    return sqrt(mean(outside_qrs**2))
