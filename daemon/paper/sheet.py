"""The paper laid flat: a line is as far from the next everywhere, and it is known how far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daemon.paper.errors import PageUnusable, opencv
from daemon.paper.lattice import NO_GRID, Lattice, darkness, find_lattice
from daemon.paper.page import Picture

PX_PER_MM = (10.0, 13.0)  # of the flat picture: finer shows no more, coarser loses peaks
NODE_PX = 8  # from one pixel to the next of which it is reckoned where it was
MOST_FLAT_PX = 60_000_000
SQUARE = 1.25  # more is another harmonic across than down
CLEAR_OF_NOISE = 8.0
LEAST_SHARE = 0.03  # of the strongest wave
FIFTH = 1.6  # how much stronger than those beside it a fifth harmonic is that fine lines make
COARSE_MM, FINE_MM = 5.0, 1.0
LEAST_COARSE_PX = 20  # in which a fifth harmonic can be seen


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A page laid flat."""

    picture: Picture
    px_per_mm: float
    agreeing: float  # share of the paper whose lines are where those around them say


class Paper:
    """Finds the lines of a picture of millimetre paper.

    Raises:
        PageUnusable: there are none, or none that are sure.
    """

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._lattice = find_lattice(darkness(picture.min(axis=2)))
        across, down = self._lattice.wave_px()
        if not 1 / SQUARE < across / down < SQUARE:
            self._lattice = self._lattice.with_squares()
            across, down = self._lattice.wave_px()
        self._wave_px = float(max(across, down))
        self._flat = flat = _flatten(picture, self._lattice, self._wave_px)
        #: from a line to the next; None where all are alike, and may be 1 or 5 mm apart
        self.wave_mm = _wave_mm(darkness(flat.min(axis=2)), self._wave_px)

    def laid_flat(self, wave_mm: float) -> Sheet:
        """Straighten it, with so many millimetres from a line to the next."""
        px_per_mm = float(np.clip(self._wave_px / wave_mm, *PX_PER_MM))
        flat = self._flat
        if px_per_mm * wave_mm != self._wave_px:
            flat = _flatten(self._picture, self._lattice, px_per_mm * wave_mm)
        return Sheet(flat, px_per_mm, self._lattice.agreeing)


def _flatten(picture: Picture, lattice: Lattice, scale: float) -> Picture:
    cv2 = opencv()
    begin = lattice.corners[0]
    width, height = (int(n) // NODE_PX for n in scale * np.ptp(lattice.corners, axis=0))
    if not 0 < width * height * NODE_PX**2 < MOST_FLAT_PX:
        raise PageUnusable(NO_GRID)
    rows, columns = np.mgrid[0:height, 0:width]
    nodes = (np.stack([columns, rows], axis=-1) + 0.5) * NODE_PX - 0.5
    where = lattice.pixels_of(begin + nodes / scale)
    size = (width * NODE_PX, height * NODE_PX)
    maps = cv2.resize(where.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    flat = cv2.remap(
        picture, maps[..., 0], maps[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(flat, np.uint8)


def _wave_mm(dark: NDArray[np.float32], scale: float) -> float | None:
    """Tell from the harmonics of both axes whether the strongest waves are of 1 or of 5 mm.

    Paper has a strong line at every fifth. If a wave is a fine line, there are weaker ones of five
    times its length; if it is a strong line, its fifth harmonic stands out.

    Raises:
        PageUnusable: lines come in other than fives, or the axes contradict each other.
    """
    profiles = (np.median(dark[::3], axis=0), np.median(dark[:, ::3], axis=1))  # without trace
    said = [_fives(profile, scale) for profile in profiles]
    known = {mm for mm in said if mm}
    if len(known) > 1:
        raise PageUnusable(
            "the lines across and those down say different millimetres: give --box around the strip"
        )
    return known.pop() if known else None


def _fives(profile: NDArray[np.float32], scale: float) -> float | None:
    """Tell the length in mm of the wave of a profile that repeats itself every ``scale`` pixels."""
    waves = np.arange(len(profile)) / scale
    window = np.hanning(len(profile)) * (profile - profile.mean())

    def strength(per_wave: float) -> float:
        return float(abs(np.exp(-2j * np.pi * per_wave * waves) @ window))

    strongest = strength(1)
    between = [strength(f) for f in np.linspace(0.13, 0.97, 43)]  # of which few are multiples
    enough = max(CLEAR_OF_NOISE / 2 * float(np.median(between)), LEAST_SHARE * strongest)
    if any(strength(1 / n) > 2 * enough for n in (2, 3, 4)):  # the wave is a part of a line's
        raise PageUnusable(
            "the paper's strong lines do not come at every fifth fine one, so that nobody knows "
            "what a millimetre is: is the picture sharp, and of one page only?"
        )
    if sum(strength(n / 5) > enough for n in (1, 2, 3, 4)) >= 3:
        return FINE_MM
    if scale > LEAST_COARSE_PX and strength(5) > FIFTH * max(strength(4), strength(6)):
        return COARSE_MM
    return None
