"""Draws recordings on millimetre paper as an ECG machine would, and spoils the pages.

It knows nothing of what reads them: matplotlib draws, OpenCV blurs and bends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsp.front_end import RATE_HZ

Image = NDArray[np.uint8]  # shape (rows, columns, 3): blue, green, red, as OpenCV has it
WIDTH_MM, MARGINS_MM, ROOM_MM = 297.0, 50.0, 50.0  # of a page; above and below, and of a strip
LEFT_MM, STRIP_MM = 25.0, 250.0
PULSE_S, PULSE_MV = 0.2, 1.0
PULSE_MM = 12.0  # from the edge of the paper to where the signal begins
FINE_MM = 0.12  # width of the fine lines
PRINTED_HZ = (0.5, 40.0)
POINTS_MM = 72 / 25.4


@dataclass(frozen=True, slots=True)
class Paper:
    """What a page looks like."""

    dpi: int = 300
    mm_per_s: float = 25.0
    mm_per_mv: float = 10.0
    fine: str = "#f8c9c6"
    coarse: str = "#eb9a94"
    coarse_mm: float = 0.2
    ground: str = "#fffafa"
    ink: str = "black"
    pen_mm: float = 0.35
    pulse: bool = True

    @property
    def seconds(self) -> float:
        """How long a strip is."""
        return STRIP_MM / self.mm_per_s


def printed(ecg_mv: NDArray[np.float64], paper: Paper) -> NDArray[np.float64]:
    """Return as much of a recording as fits on a strip, through a machine's filters."""
    from scipy.signal import butter, sosfiltfilt

    band = butter(2, PRINTED_HZ, "bandpass", fs=RATE_HZ, output="sos")
    mv = np.asarray(sosfiltfilt(band, ecg_mv))
    return mv[: round(paper.seconds * RATE_HZ)]


def draw(strips_mv: list[NDArray[np.float64]], paper: Paper) -> Image:
    """Draw strips, one below the other, with words around them."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height = MARGINS_MM + ROOM_MM * len(strips_mv)
    figure = Figure(figsize=(WIDTH_MM / 25.4, height / 25.4), dpi=paper.dpi)
    canvas: Any = FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1), facecolor=paper.ground)
    axes.set(xlim=(0, WIDTH_MM), ylim=(0, height), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    _draw_grid(axes, height, paper)
    for number, mv in enumerate(strips_mv):
        middle = height - MARGINS_MM / 2 - ROOM_MM * (number + 0.5)
        _draw_strip(axes, mv, middle, paper)
    text: dict[str, Any] = {"fontsize": 9, "color": paper.ink}
    axes.text(LEFT_MM, height - 14, "Made up from a public recording", **text)
    said = f"{paper.mm_per_s:g} mm/s   {paper.mm_per_mv:g} mm/mV   0.05-150 Hz"
    axes.text(LEFT_MM, 14, said, **text)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., 2::-1]
    return np.ascontiguousarray(pixels)


def _draw_grid(axes: Any, height: float, paper: Paper) -> None:
    left, right, low, high = 8.0, WIDTH_MM - 8, 8.0, height - 8
    for of_five, colour, width in (
        ((1, 2, 3, 4), paper.fine, FINE_MM),
        ((0,), paper.coarse, paper.coarse_mm),
    ):
        look = {"color": colour, "linewidth": width * POINTS_MM, "zorder": 1 + (0 in of_five)}
        for at in of_five:
            axes.vlines(np.arange(left + at, right + 0.1, 5), low, high, **look)
            axes.hlines(np.arange(low + at, high + 0.1, 5), left, right, **look)


def _draw_strip(axes: Any, mv: NDArray[np.float64], middle_mm: float, paper: Paper) -> None:
    left = LEFT_MM - PULSE_MM
    x = LEFT_MM + paper.mm_per_s * np.arange(len(mv)) / RATE_HZ
    y = middle_mm + paper.mm_per_mv * (mv - np.median(mv))
    if paper.pulse:
        wide, high = PULSE_S * paper.mm_per_s, PULSE_MV * paper.mm_per_mv
        begin = left + (2 if wide < 8 else 1)
        pulse_x = [left, begin, begin, begin + wide, begin + wide, LEFT_MM - 0.2, LEFT_MM - 0.2]
        pulse_y = [0, 0, high, high, 0, 0, float(y[0] - middle_mm)]
        x = np.concatenate([pulse_x, x])
        y = np.concatenate([middle_mm + np.array(pulse_y), y])
    look = {"color": paper.ink, "linewidth": paper.pen_mm * POINTS_MM, "zorder": 20}
    axes.plot(x, y, solid_joinstyle="round", **look)
    axes.text(LEFT_MM + 3, middle_mm + 14, "II", fontsize=10, color=paper.ink)


def _blur(page: Image, rng: np.random.Generator, sigma_px: float = 2.0) -> Image:
    import cv2

    return np.asarray(cv2.GaussianBlur(page, (0, 0), sigma_px), np.uint8)


def _noise(page: Image, rng: np.random.Generator, size: float = 18) -> Image:
    return _to_bytes(page + size * rng.standard_normal(page.shape, np.float32))


def _shadow(page: Image, rng: np.random.Generator) -> Image:
    """Let light fall from one side, and a hand shade a corner."""
    rows, columns = np.ogrid[0 : 1 : page.shape[0] * 1j, 0 : 1 : page.shape[1] * 1j]
    corner = np.hypot(rows - 1, columns - 0.3)
    light = (1 - 0.35 * columns) * (0.55 + 0.45 / (1 + np.exp(-(corner - 0.5) * 25)))
    return _to_bytes(page * light[..., None].astype(np.float32))


def _creases(page: Image, rng: np.random.Generator) -> Image:
    """Fold it twice: a dark and a bright line, and paper that is nearer to the lens beside it."""
    height, width = page.shape[:2]
    columns, rows = np.arange(width)[None], np.arange(height)[:, None]
    shift_x = 3 * np.exp(-np.abs(columns - 0.48 * width) / (0.08 * width))
    shift_y = 3 * np.exp(-np.abs(rows - 0.55 * height) / (0.08 * height))
    light = np.ones(page.shape[:2], np.float32)
    for at, factor in ((0.48, 0.6), (0.482, 1.15)):
        light[:, round(at * width) :][:, :5] *= factor
        light[round((at + 0.07) * height) :][:5] *= factor
    return _to_bytes(_sampled(page, rows + shift_y, columns + shift_x) * light[..., None])


def _rotation(page: Image, rng: np.random.Generator) -> Image:
    height, width = page.shape[:2]
    angle = np.deg2rad(10)
    up, aside = height / 2 + 0.1 * width, width / 2 + 0.1 * height
    rows, columns = np.ogrid[-up : up : 2 * up * 1j, -aside : aside : 2 * aside * 1j]
    return _sampled(
        page,
        np.cos(angle) * rows - np.sin(angle) * columns + height / 2,
        np.sin(angle) * rows + np.cos(angle) * columns + width / 2,
    )


def _perspective(page: Image, rng: np.random.Generator) -> Image:
    """Look at it from below and aside, as a telephone does."""
    height, width = page.shape[:2]
    rows, columns = np.ogrid[-0.55 : 0.55 : height * 1j, -0.55 : 0.55 : width * 1j]
    depth = 1 + 0.22 * rows + 0.12 * columns
    y = 0.5 + (rows + 0.05 * columns) / depth
    x = 0.5 + (columns - 0.04 * rows) / depth
    return _sampled(page, y * height, x * width)


def _sampled(page: Image, rows: NDArray[Any], columns: NDArray[Any]) -> Image:
    import cv2

    y, x = (each.astype(np.float32) for each in np.broadcast_arrays(rows, columns))
    table = (90, 90, 90)  # that it lies on
    return np.asarray(cv2.remap(page, x, y, cv2.INTER_LINEAR, borderValue=table), np.uint8)


def _photograph(page: Image, rng: np.random.Generator) -> Image:
    """All at once, a little of each."""
    return _noise(_blur(_shadow(_perspective(page, rng), rng), rng, 1), rng, 6)


def _to_bytes(page: NDArray[Any]) -> Image:
    return np.clip(page, 0, 255).astype(np.uint8)


#: By name: what is done to a page of 300 dpi.
DEGRADATIONS: dict[str, Callable[[Image, np.random.Generator], Image]] = {
    "clean": lambda page, _: page,
    "blur": _blur,
    "noise": _noise,
    "shadow": _shadow,
    "creases": _creases,
    "rotated 10 degrees": _rotation,
    "perspective": _perspective,
    "photograph": _photograph,
}
#: By name: pages of another look.
PAPERS = {
    "150 dpi": Paper(dpi=150),
    "50 mm/s": Paper(mm_per_s=50),
    "5 mm/mV": Paper(mm_per_mv=5),
    "green": Paper(fine="#cfe8cf", coarse="#97c897"),
    "blue": Paper(fine="#cfd8f0", coarse="#94a8dc"),
    "grey": Paper(fine="#e0e0e0", coarse="#bdbdbd"),
    "screen": Paper(fine="#123018", coarse="#1f5a2b", ground="#04080a", ink="#6cff7a"),
}
