"""From a file's rate to the 250 Hz of the signal chain, at once or in blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from dsp.front_end import RATE_HZ

BLOCK_SAMPLES = 1 << 20  # at the file's rate; half an hour at 360 Hz is one block
FINEST = 1000  # denominators beyond make filters of millions of taps


def resampled_blocks(
    blocks: Iterable[NDArray[np.float64]], rate_hz: float
) -> Iterator[NDArray[np.float64]]:
    """Resample a signal that comes in blocks; up to ``BLOCK_SAMPLES`` it is done at once.

    Longer ones are cut where an output sample falls on one of the input, and each piece is filtered
    together with as much of its neighbours as the filter sees.
    """
    ratio = _ratio(rate_hz)
    if ratio == 1:
        yield from blocks
        return
    seen = 11 * max(ratio.numerator, ratio.denominator) // ratio.numerator + 1
    margin = -(-seen // ratio.denominator) * ratio.denominator
    piece = max(1, BLOCK_SAMPLES // ratio.denominator) * ratio.denominator
    held: list[NDArray[np.float64]] = []
    before = 0  # samples at the begin of what is held that are out already
    for block in blocks:
        held.append(block)
        while sum(map(len, held)) - before > piece + margin:
            joined = np.concatenate(held)
            out = to_250_hz(joined[: before + piece + margin], rate_hz)
            begin, end = (int(at * ratio) for at in (before, before + piece))
            yield out[begin:end]
            held = [joined[before + piece - margin :]] if before + piece > margin else [joined]
            before = min(margin, before + piece)
    if held:
        yield to_250_hz(np.concatenate(held), rate_hz)[int(before * ratio) :]


def to_250_hz(mv: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """Resample by a rational ratio, with an anti-aliasing filter of no delay.

    The level is taken off before and put back after: the filter's phases differ in gain by 1e-4,
    which would turn an electrode offset of 300 mV into a hum of 40 uV. Missing samples (NaN) are
    bridged for the filter and are missing again in its output.
    """
    ratio = _ratio(rate_hz)
    if ratio == 1:
        return mv
    from scipy.signal import resample_poly  # takes a second, and many recordings have 250 Hz

    missing = np.isnan(mv)
    if missing.all():
        return np.full(-(-len(mv) * ratio.numerator // ratio.denominator), np.nan)
    positions = np.arange(len(mv))
    bridged = np.interp(positions, positions[~missing], mv[~missing]) if missing.any() else mv
    level = np.median(bridged)
    resampled = resample_poly(bridged - level, ratio.numerator, ratio.denominator, padtype="line")
    resampled = np.asarray(resampled + level, dtype=np.float64)
    nearest = np.rint(np.arange(len(resampled)) / float(ratio)).astype(int)
    resampled[missing[np.minimum(nearest, len(mv) - 1)]] = np.nan
    return resampled


def _ratio(rate_hz: float) -> Fraction:
    exact = Fraction(RATE_HZ) / Fraction(rate_hz).limit_denominator(1000)
    fine = max(exact.numerator, exact.denominator) <= 20 * FINEST
    return exact if fine else exact.limit_denominator(FINEST)
