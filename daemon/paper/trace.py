"""Follows a trace through its ink, and takes the width of the pen off it.

The trace is the cheapest way from the left to the right, through ink up and down a column as well
as on to the next. A way takes short cuts through the ink of a sharp peak, and the middle of the ink
of a column lies below it. Therefore both edges of the ink along the way are taken, and the disc of
the pen is rolled along each: where they differ then, the trace turned between, and the edge that it
turned at is right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daemon.paper.ink import BAND_MM, Ink

ASIDE = 4.0  # cost of a column without ink: less cuts tall R waves off at 150 dots an inch
UP_DOWN = 0.04  # cost of a pixel up or down, on ink
FAR = 0.1  # cost of a column that is a centimetre off the strip's middle
EDGE = 0.5  # of ink
STRAIGHT_MM = 1.0
GAP_MM = 1.0  # that is bridged
BASELINE_MM = 20.0  # about the mean of which is what a peak goes out from
THIN = 10  # percentile of how thick the ink is: the rest is thickened by what is drawn
PEN_STEPS = 17  # across the disc
PIXEL_OFF = 0.25  # standard error of an edge, in pixels
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """A strip's trace; one value for each column of pixels."""

    begin_px: int  # its first column on the sheet
    row_px: int  # about where its middle is
    up_mm: Values  # NaN where there is no ink
    error_mm: Values  # standard error of each
    px_per_mm: float
    covered: float  # share of its columns where there is ink
    pen_mm: float

    @property
    def length_mm(self) -> float:
        """How long it is."""
        return len(self.up_mm) / self.px_per_mm

    @property
    def is_curve(self) -> bool:
        """Tell whether it is no frame or other straight line."""
        low, high = np.nanpercentile(self.up_mm, [0.5, 99.5])
        return bool(high - low > STRAIGHT_MM)


def follow(ink: Ink, row: int, rows: list[int], px_per_mm: float) -> Trace | None:
    """Follow the trace around one of the rows of strips; None if there is none.

    Args:
        ink: of the sheet.
        row: where the strip is.
        rows: where all strips are.
        px_per_mm: scale of the sheet.
    """
    top = max([row - BAND_MM * px_per_mm, 0, *(r + 2 * px_per_mm for r in rows if r < row)])
    end = min([row + BAND_MM * px_per_mm, len(ink), *(r - 2 * px_per_mm for r in rows if r > row)])
    band = ink[int(top) : int(end)]
    way = _cheapest_way(band, row - int(top), px_per_mm)
    high, low = _edges(band, way)
    inked = low >= high
    columns = np.flatnonzero(_in_a_row(inked, round(2 * px_per_mm)))
    if not len(columns):
        return None
    kept = slice(int(columns[0]), int(columns[-1]) + 1)
    high, low, inked = high[kept], low[kept], inked[kept]
    soft = _softness(band[:, kept], way[kept])
    up, error, pen = _unpenned(-high, -low, inked, soft, px_per_mm)
    blank = _in_a_row(~inked, round(GAP_MM * px_per_mm))
    up[blank] = error[blank] = np.nan
    return Trace(
        begin_px=kept.start,
        row_px=row,
        up_mm=(up - np.nanmedian(up)) / px_per_mm,
        error_mm=error / px_per_mm,
        px_per_mm=px_per_mm,
        covered=float(inked.mean()),
        pen_mm=pen / px_per_mm,
    )


def _cheapest_way(band: Ink, middle: int, px_per_mm: float) -> NDArray[np.intp]:
    """Return the row in which the cheapest way leaves each column."""
    height, width = band.shape
    paper = (1 - band.T) ** 2  # a column is a row of it
    far = FAR * np.abs(np.arange(height) - middle) / (10 * px_per_mm)
    climb = np.cumsum(paper + np.float32(UP_DOWN), axis=1)
    cost = np.zeros(height)
    came = np.empty((width, height), np.int32)  # the row from which each was entered
    rows = np.arange(height, dtype=np.int32)
    for column in range(width):
        entered = cost + ASIDE * paper[column] + far
        up = climb[column]
        from_above, above = _running_minimum(entered - up, rows)
        below_cost, below = _running_minimum((entered + up)[::-1], rows)
        from_above += up
        from_below = below_cost[::-1] - up
        is_above = from_above <= from_below
        cost = np.where(is_above, from_above, from_below)
        came[column] = np.where(is_above, above, height - 1 - below[::-1])
        cost -= cost.min()
    way = np.empty(width, np.intp)
    row = int(np.argmin(cost))
    for column in range(width - 1, -1, -1):
        way[column] = row
        row = came[column, row]
    return way


def _running_minimum(values: Values, rows: NDArray[np.int32]) -> tuple[Values, NDArray[np.int32]]:
    """Return the smallest value so far, and where it was."""
    least = np.minimum.accumulate(values)
    where = np.maximum.accumulate(np.where(values <= least, rows, 0))
    return least, where


def _edges(band: Ink, way: NDArray[np.intp], level: float = EDGE) -> tuple[Values, Values]:
    """Return the upper and the lower edge of the ink in each column, in parts of a pixel.

    It is the ink that the way goes through from the column before. Without ink, the upper edge
    is below the lower one.
    """
    height, width = band.shape
    columns = np.arange(width)
    rows = np.arange(height)[:, None]
    light = band < level
    last = np.maximum.accumulate(np.where(light, rows, -1), axis=0)
    following = np.minimum.accumulate(np.where(light, rows, height)[::-1], axis=0)[::-1]
    entered = np.concatenate([way[:1], way[:-1]])
    upper, lower = np.minimum(entered, way), np.maximum(entered, way)
    inked = ~light[upper, columns] | ~light[lower, columns]
    upper = np.where(light[upper, columns], lower, upper)
    lower = np.where(light[lower, columns], upper, lower)
    above, below = last[upper, columns], following[lower, columns]
    high = above + _crossing(band, above, above + 1, level)
    low = below - _crossing(band, below, below - 1, level)
    return np.where(inked, high, 1.0), np.where(inked, low, 0.0)


def _softness(band: Ink, way: NDArray[np.intp]) -> float:
    """Return over how many pixels the ink goes from dark to light, from a quarter to three."""
    (high, low), (inner_high, inner_low) = (_edges(band, way, level) for level in (0.25, 0.75))
    inked = inner_low >= inner_high
    return (
        float(np.median((low - high - inner_low + inner_high)[inked])) / 2 if inked.any() else 0.0
    )


def _crossing(band: Ink, light: NDArray[np.intp], dark: NDArray[np.intp], level: float) -> Values:
    """Return how far on the way from a light pixel to a dark one the edge is."""
    height, columns = len(band), np.arange(band.shape[1])
    outside = band[np.clip(light, 0, height - 1), columns] * ((light >= 0) & (light < height))
    inside = band[np.clip(dark, 0, height - 1), columns]
    return np.asarray(np.clip((level - outside) / np.maximum(inside - outside, 1e-3), 0, 1))


def _in_a_row(inked: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    """Return what is left of runs of at least so many."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inked.astype(np.int8), [0]])))
    kept = np.zeros(len(inked), np.bool_)
    for begin, end in edges.reshape(-1, 2):
        kept[begin:end] = end - begin >= count
    return kept


def _unpenned(
    top: Values, bottom: Values, inked: NDArray[np.bool_], soft: float, px_per_mm: float
) -> tuple[Values, Values, float]:
    """Return the trace between the edges of its ink, its standard error, and the pen's width."""
    at = np.flatnonzero(inked)
    columns = np.arange(len(top))
    top, bottom = (np.interp(columns, at, edge[at]) for edge in (top, bottom))
    thick = top - bottom
    flat = np.abs(np.gradient((top + bottom) / 2)) < 0.3
    pen = (
        float(np.percentile(thick[flat & inked], THIN))
        if (flat & inked).any()
        else float(thick.min())
    )
    upper, lower = np.full(len(top), np.inf), np.full(len(top), -np.inf)
    for aside in np.linspace(-pen / 2, pen / 2, PEN_STEPS):
        disc = np.sqrt(max(pen**2 / 4 - aside**2, 0))
        upper = np.minimum(upper, np.interp(columns + aside, columns, top) - disc)
        lower = np.maximum(lower, np.interp(columns + aside, columns, bottom) + disc)
    middle, half = (upper + lower) / 2, np.maximum(0, (upper - lower) / 2)
    turned = middle - baseline(middle, round(BASELINE_MM * px_per_mm))
    sure = np.clip(2 * half / pen, 0, 1)  # that it turned here, and not only the edges are rough
    up = middle + np.sign(turned) * half * sure
    slope = np.gradient(up)
    off = PIXEL_OFF**2 + (soft / 3) ** 2
    error = np.sqrt(off * (1 + slope**2) + (half * (1 - sure / 2)) ** 2)
    missing = ~inked
    error[missing] = 3 * error[missing] + 0.5 * pen
    return up, error, pen


def baseline(values: Values, count: int) -> Values:
    """Return the median of so many values around each, in steps."""
    from scipy.ndimage import median_filter

    step = max(1, count // 25)
    coarse = median_filter(values[::step], 25, mode="nearest")
    return np.asarray(np.interp(np.arange(len(values)), np.arange(len(coarse)) * step, coarse))
