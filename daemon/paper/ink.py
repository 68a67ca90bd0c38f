"""Tells the ink of the trace from the lines of the paper, and finds the strips."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from daemon.paper.errors import PageUnusable, opencv
from daemon.paper.lattice import darkness
from daemon.paper.page import Picture

Ink = NDArray[np.float32]  # 0 for paper and its lines, 1 for the trace
LEAST_CONTRAST = 0.12  # of the trace, in parts of what is white
SHORTEST_MM = 25.0  # of a strip; words are shorter
APART_MM = 12.0  # of two strips
BAND_MM = 40.0  # of a strip, up and down from its middle
LEAST_COLUMNS = 0.3  # of those of the clearest strip: a row of tall R waves has a tenth


def ink_of(picture: Picture) -> Ink:
    """Return where the trace and words are.

    The lines of the paper are bright in one of the colours, or brighter than the trace in all.

    Raises:
        PageUnusable: nothing is darker than the lines of the paper.
    """
    planes = [
        picture.max(axis=2),
        picture.mean(axis=2).astype(np.uint8),
        *np.moveaxis(picture, 2, 0),
    ]
    contrasts = [_levels(darkness(plane[::2, ::2].copy()))[2] for plane in planes]
    dark = darkness(np.ascontiguousarray(planes[int(np.argmax(contrasts))]))
    lines, trace, _ = _levels(dark)
    if trace - lines < LEAST_CONTRAST:
        raise PageUnusable(
            "no trace stands out from the lines of the paper: scan it in colour, or with more "
            "contrast"
        )
    return np.asarray(np.clip((dark - lines) / (trace - lines), 0, 1), np.float32)


def _levels(dark: NDArray[np.float32]) -> tuple[float, float, float]:
    """Return how dark the lines of the paper are, and the trace, and how clear that is."""
    paper, lines, trace = np.percentile(dark[::2, ::2], [50, 95, 99.8])
    darkest = opencv().blur(dark, (3, 3)).max(axis=0)  # of each column
    traced = darkest[darkest > lines + 0.3 * (trace - lines)]
    trace = min(trace, np.median(traced)) if len(traced) else trace
    return float(lines), float(trace), float((trace - lines) / (lines - paper + 0.05))


def find_strips(ink: Ink, px_per_mm: float) -> list[int]:
    """Return the rows around which the strips are, from the top.

    Raises:
        PageUnusable: there is none.
    """
    cv2 = opencv()
    written = (ink > 0.5).astype(np.uint8)
    box = np.ones((max(1, round(0.5 * px_per_mm)), max(1, round(1.2 * px_per_mm))), np.uint8)
    _, labels, sizes, _ = cv2.connectedComponentsWithStats(cv2.dilate(written, box))
    long = sizes[:, cv2.CC_STAT_WIDTH] > SHORTEST_MM * px_per_mm
    long[0] = False  # the paper
    written *= long[labels]
    count = written.sum(axis=1).astype(np.float32)
    smooth = cv2.GaussianBlur(count[:, None], (1, 0), 2 * px_per_mm, sigmaY=2 * px_per_mm)[:, 0]
    rows: list[int] = []
    while smooth.max(initial=0) > 0.3 * SHORTEST_MM * px_per_mm / (5 * px_per_mm):
        row = int(np.argmax(smooth))
        columns = _columns_near(written, row, px_per_mm)
        if not rows:
            least = LEAST_COLUMNS * columns
        if columns >= least:
            rows.append(row)
        smooth[max(0, row - round(APART_MM * px_per_mm)) : row + round(APART_MM * px_per_mm)] = 0
    if not rows:
        raise PageUnusable(
            f"no trace of {SHORTEST_MM:g} mm or more is found: is it sharp? give --box around one "
            "strip"
        )
    return sorted(rows)


def _columns_near(written: NDArray[np.uint8], row: int, px_per_mm: float) -> int:
    """Return in how many columns something is written within three millimetres of a row."""
    near = round(3 * px_per_mm)
    return int(written[max(0, row - near) : row + near].any(axis=0).sum())
