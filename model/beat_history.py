"""What is known of a beat, against its wearer's earlier ones: the network's input.

Nothing here is absolute: shapes are held against the wearer's usual one and intervals against the
wearer's own. An electrode that is moved, or a heart that beats faster, changes little.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from math import log, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.moments import span
from dsp.quality import noise_rms, qrs_width
from dsp.segmenter import BEFORE_R, WINDOW_SAMPLES
from dsp.signals import BeatWindow
from model.beat_clusters import TINY, BeatClusters

Array = NDArray[np.float64]

LONGEST_RR_S = 2.0  # a longer interval counts as this one
RR_MEMORY = 128
THINNED = 4  # samples that become one: 250 Hz become 62.5 Hz
SHAPE_SAMPLES = WINDOW_SAMPLES // THINNED  # of a beat at 62.5 Hz; its R peak is in [17]
SEQUENCE = 16  # beats whose figures the network sees: the beat itself is the last
QRS = slice(BEFORE_R - 20, BEFORE_R + 25)


def _parts() -> Array:
    """Return the weights that make means over the window, its QRS, P and T, shape (175, 4)."""
    at = np.arange(WINDOW_SAMPLES) - BEFORE_R
    parts = (at > -99, (at >= -20) & (at < 25), (at >= -65) & (at < -15), at >= 30)
    return np.column_stack([part / part.sum() for part in parts])


PARTS = _parts()
LARGEST = 3.0  # no figure is larger: what is, is no more telling

#: The figures of a beat, in their order. ``ln_`` is a natural logarithm of a ratio.
FIGURES = (
    "ln_rr_to_median_8",
    "ln_rr_to_median_32",
    "ln_rr_to_median_128",
    "ln_rr_to_upper_quartile_128",  # runs of early beats drag a median along, but not this
    "ln_after_to_median_32",
    "ln_after_to_upper_quartile_128",
    "ln_after_to_rr",
    "ln_rr_to_rr_before",
    "rr_rank",  # the part of the last 128 intervals that are shorter
    "rr_spread",  # ln of upper to lower quartile of 128
    "irregularity",  # median change from interval to interval of 32, to their median
    "rr_unknown",
    "after_unknown",
    "ln_upper_quartile_s",
    "ln_beats_known",  # of 128, from -1 (none) to 0
    "like_usual",  # correlations with the usual shape
    "like_usual_qrs",
    "like_usual_p",
    "like_usual_t",
    "like_any",  # with the likest shape
    "share",  # of beats of this shape
    "ln_height_to_usual",
    "ln_width_to_usual",
    "qrs_change",  # root mean square of the difference, to the usual QRS's span
    "p_change",
    "noise",
)
UPPER_QUARTILE = FIGURES.index("ln_rr_to_upper_quartile_128")
LN_EARLY = -0.15  # of the interval to the upper quartile: sinus rhythm varies by less


class KnownBeat(NamedTuple):
    """What is known of a beat."""

    #: Shape (``INPUTS``,), for the network: the beat at 62.5 Hz, the usual one, both without offset
    #: and with the usual QRS's span for unit, then the figures of the last ``SEQUENCE`` beats, the
    #: oldest first; zeros where there were none.
    inputs: NDArray[np.float32]
    shape: int  # the number of its shape among the wearer's, or ``beat_clusters.USUAL``


class RrHistory:
    """The last 128 intervals between beats."""

    def __init__(self) -> None:
        self._rr_s: deque[float] = deque(maxlen=RR_MEMORY)

    def figures(self, rr_s: float | None, after_s: float | None) -> list[float]:
        """Return the figures of an interval and the next, by the intervals before them."""
        rr = _capped(rr_s)
        after = _capped(after_s)
        known = list(self._rr_s) or [rr or after or 1.0]
        ordered, lately = sorted(known), known[-32:]
        middle_8, middle_32 = _at(sorted(known[-8:]), 0.5), _at(sorted(lately), 0.5)
        lower, middle, upper = (_at(ordered, part) for part in (0.25, 0.5, 0.75))
        steps = sorted(abs(later - earlier) for earlier, later in pairwise(lately))
        return [
            _ln(rr, middle_8),
            _ln(rr, middle_32),
            _ln(rr, middle),
            _ln(rr, upper),
            _ln(after, middle_32),
            _ln(after, upper),
            _ln(after, rr),
            _ln(rr, known[-1]),
            bisect_left(ordered, rr) / len(ordered) if rr else 0.5,
            _ln(upper, lower),
            _at(steps, 0.5) / middle_32 if steps else 0.0,
            float(rr is None),
            float(after is None),
            _ln(upper, 1.0),
            log((1 + len(self._rr_s)) / (1 + RR_MEMORY)) / log(1 + RR_MEMORY),
        ]

    def take(self, rr_s: float | None) -> None:
        """Remember an interval."""
        if rr_s is not None:
            self._rr_s.append(min(rr_s, LONGEST_RR_S))


class BeatHistory:
    """What was learnt of a wearer from the beats taken so far."""

    def __init__(self) -> None:
        self._clusters = BeatClusters()
        self._rr = RrHistory()
        self._figures = np.zeros((SEQUENCE, len(FIGURES)), np.float32)

    def take(self, beat: BeatWindow, rr_after_s: float | None) -> KnownBeat:
        """Take the next beat and return all that is known of it."""
        window = np.asarray(beat.ecg_mv)
        figures = self._rr.figures(beat.rr_s, rr_after_s)
        early = figures[UPPER_QUARTILE] < LN_EARLY
        like_any, share, shape = self._clusters.take(window, early=early)
        both = _in_usual_spans(window, self._clusters.usual_mv)
        figures += _shape_figures(both, like_any, share)
        self._rr.take(beat.rr_s)
        self._figures[:-1] = self._figures[1:]
        self._figures[-1] = figures
        inputs = np.concatenate([thin(both), self._figures], axis=None, dtype=np.float32)
        return KnownBeat(np.clip(inputs, -LARGEST, LARGEST, out=inputs), shape)


INPUTS = 2 * SHAPE_SAMPLES + SEQUENCE * len(FIGURES)


def thin(windows: Array) -> Array:
    """Return windows, shape (..., 175), at 62.5 Hz, each sample the mean of four."""
    fours = windows[..., : SHAPE_SAMPLES * THINNED].reshape(*windows.shape[:-1], -1, THINNED)
    thinned: Array = fours.mean(axis=-1)
    return thinned


def _in_usual_spans(window: Array, usual: Array) -> Array:
    """Return both without offset and with the usual QRS's span for unit, shape (2, 175)."""
    both = np.empty((2, WINDOW_SAMPLES))
    both[0], both[1] = window, usual
    both -= np.sort(both, axis=1)[:, WINDOW_SAMPLES // 2, None]
    both /= max(span(usual[QRS]), TINY)
    return both


def _shape_figures(both: Array, like_any: float, share: float) -> list[float]:
    """Return the figures of a shape against the usual one, both in units of the usual span."""
    window, usual = both
    terms = np.empty((5, WINDOW_SAMPLES))
    terms[:2] = both
    np.multiply(both, both, out=terms[2:4])
    np.multiply(window, usual, out=terms[4])
    likeness, changes = [], []
    for mean, mean_usual, square, square_usual, product in (terms @ PARTS).T.tolist():
        spread = (square - mean * mean) * (square_usual - mean_usual * mean_usual)
        likeness.append((product - mean * mean_usual) / sqrt(max(spread, TINY)))
        changes.append(sqrt(max(square + square_usual - 2 * product, 0.0)))
    height = max(span(window[QRS]), TINY)
    return [
        *likeness,
        like_any,
        share,
        log(height),
        _ln(qrs_width(window), qrs_width(usual)),
        changes[1],
        changes[2],
        10 * noise_rms(window) / max(height, span(window)),
    ]


def _capped(rr_s: float | None) -> float | None:
    return None if rr_s is None else min(rr_s, LONGEST_RR_S)


def _at(ordered: Sequence[float], part: float) -> float:
    """Return the value so far up in ascending ones."""
    return ordered[int(part * (len(ordered) - 1) + 0.5)]


def _ln(value: float | None, other: float | None) -> float:
    """Return the logarithm of a ratio; 0 where one is unknown."""
    return log(value / other) if value and other else 0.0
