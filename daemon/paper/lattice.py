"""Follows the lines of millimetre paper across a picture, however it lies in it.

Lines at even distances are waves in both directions. Their frequency is taken from the spectrum
where it is clearest, then their phase is followed from tile to tile, so that the n-th line is the
n-th wherever it is seen. That gives the plane of the paper, and how far it is bent off that plane.
Tiles where the waves are not seen are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from daemon.paper.errors import PageUnusable, opencv

SPECTRUM_PX = 512  # of the tiles of which the spectrum is made
LONGEST_PX, SHORTEST_PX = 70.0, 3.2  # of the waves that are looked for
TURNED_DEG = 40.0  # more is a page that lies on its side
PERIODS = 8  # in a tile
TILE_PX = (64, 320)
CLEAR = 0.12  # share of a tile's best wave that one is followed at
ASTRAY = 0.3  # waves that a tile may be off from where its neighbour expects it
SQUARE_OFF = 0.1
FEWEST_TILES = 12
OFF_PLANE = 0.15  # waves; tiles beyond do not say where the plane is
FAR_OFF_PLANE = 3.0  # waves; no paper is bent so much
MANY_TILES = 300  # of which every other one is enough
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """Where the lines are."""

    plane: NDArray[np.float64]  # 3 by 3, from pixels to numbers of waves, across and down
    corners: Vector  # lowest and highest number of each, where waves are seen
    bent: NDArray[np.float32]  # how far off the plane each tile is, of shape (rows, columns, 2)
    tile_px: float  # from a tile of ``bent`` to the next; the first one's middle is half of it
    agreeing: float  # share of the tiles that are where those around them say

    def wave_px(self) -> Vector:
        """Return how long a wave across and one down are in the middle."""
        cv2 = opencv()
        middle = self.corners.mean(axis=0)
        waves = middle + np.array([[[0.0, 0], [1, 0], [0, 1]]])
        here, across, down = cv2.perspectiveTransform(waves, np.linalg.inv(self.plane))[0]
        return np.asarray(np.hypot(*np.array([across - here, down - here]).T))

    def with_squares(self) -> Lattice:
        """Return the same lines, where one way every so many were counted, with all waves as long.

        Raises:
            PageUnusable: no whole number of the shorter waves is one of the longer.
        """
        across, down = self.wave_px()
        times = round(max(across, down) / min(across, down))
        if times > 6 or abs(max(across, down) / min(across, down) / times - 1) > SQUARE_OFF:
            raise PageUnusable(
                f"the lines across and down are {across:.1f} and {down:.1f} pixels apart, no "
                "squares: take the picture from straight above, or give --box around the strip"
            )
        scale = np.array([times if across < down else 1, times if down < across else 1])
        return replace(
            self,
            plane=self.plane / np.array([*scale, 1])[:, None],
            corners=self.corners / scale,
            bent=(self.bent / scale).astype(np.float32),
        )

    def pixels_of(self, numbers: Vector) -> Vector:
        """Return where in the picture numbers of waves are, both of shape (rows, columns, 2)."""
        cv2 = opencv()
        back = np.linalg.inv(self.plane)
        flat = cv2.perspectiveTransform(numbers, back).astype(np.float32)
        at = flat / self.tile_px - 0.5
        off = cv2.remap(
            self.bent, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(cv2.perspectiveTransform(numbers - off, back))


def darkness(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how much darker each pixel is than the paper around it, 0 to 1."""
    cv2 = opencv()
    scale = 8
    small = cv2.resize(grey, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA)
    around = cv2.GaussianBlur(cv2.medianBlur(small, 21), (0, 0), 4)
    paper = cv2.resize(around, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    ratio = grey.astype(np.float32) / np.maximum(paper, 8)
    return np.asarray(np.clip(1 - ratio, -0.2, 1), np.float32)


def find_lattice(dark: NDArray[np.float32]) -> Lattice:
    """Find the strongest waves in how dark a picture is.

    Raises:
        PageUnusable: there is no grid of lines in it.
    """
    lines = np.clip(dark, None, max(float(np.percentile(dark[::4, ::4], 90)), 0.02))  # no trace
    lines -= lines.mean()
    middle, waves = _rough_waves(lines)
    if not waves.any():
        raise PageUnusable(NO_GRID)
    tiles, tile_px = _follow(lines, middle, waves)
    if len(tiles) < FEWEST_TILES:
        raise PageUnusable(NO_GRID)
    cv2 = opencv()
    centres = np.array([each.centre for each in tiles.values()])
    numbers = np.array([each.numbers for each in tiles.values()])
    plane, _ = cv2.findHomography(centres, numbers, cv2.RANSAC, OFF_PLANE)
    if plane is None:
        raise PageUnusable(NO_GRID)
    off = numbers - cv2.perspectiveTransform(centres[None], plane)[0]
    near = np.abs(off).max(axis=1) < FAR_OFF_PLANE
    rows, columns = (max(n) + 1 for n in zip(*tiles, strict=True))
    weighed = np.zeros((rows, columns, 3), np.float32)
    places = tuple(np.array(list(tiles))[near].T)
    weighed[places] = np.column_stack([off[near], np.ones(near.sum())])
    smooth = cv2.GaussianBlur(weighed, (0, 0), 1.0, borderType=cv2.BORDER_CONSTANT)
    bent = smooth[..., :2] / np.maximum(smooth[..., 2:], 1e-3)
    rest = np.abs(off[near] - bent[places]).max(axis=1)
    half = PERIODS / 2
    corners = np.array([numbers[near].min(axis=0) - half, numbers[near].max(axis=0) + half])
    return Lattice(plane, corners, bent, tile_px, float((rest < ASTRAY / 4).sum() / len(tiles)))


NO_GRID = (
    "no millimetre paper is found: give one page that lies flat, lines upright, in even light, at "
    "150 dots an inch or more, or --box around the strip"
)


def _rough_waves(lines: NDArray[np.float32]) -> tuple[Vector, Vector]:
    """Return where waves are clearest, x and y, and their frequencies there, in waves a pixel.

    The first is the strongest near across, the second the strongest near down.
    """
    size = SPECTRUM_PX
    lines = np.pad(lines, [(0, max(0, size - n)) for n in lines.shape], mode="reflect")
    window = np.hanning(size).astype(np.float32)
    window = window[:, None] * window
    turned = np.deg2rad(np.arange(-TURNED_DEG, TURNED_DEG, 0.5))[:, None]
    radius = np.arange(size / LONGEST_PX, size / SHORTEST_PX, 0.5)
    clearest, middle, waves = 0.0, np.zeros(2), np.zeros((2, 2))
    for y in range(0, lines.shape[0] - size + 1, size):
        for x in range(0, lines.shape[1] - size + 1, size):
            power = np.abs(np.fft.fft2(lines[y : y + size, x : x + size] * window))
            found, clear = [], np.inf
            for angle in (turned, turned + np.pi / 2):
                across, down = np.cos(angle) * radius, np.sin(angle) * radius
                along = power[np.rint(down).astype(int) % size, np.rint(across).astype(int) % size]
                best = np.unravel_index(np.argmax(along), along.shape)
                found.append([across[best] / size, down[best] / size])
                clear = min(clear, float(along[best]))
            if clear > clearest:
                clearest, middle, waves = clear, np.array([x, y]) + size / 2, np.array(found)
    return middle, waves


@dataclass(frozen=True, slots=True, eq=False)
class _Tile:
    centre: Vector  # in pixels, x and y
    waves: Vector  # frequency vectors of both directions
    numbers: Vector  # of the waves at the centre
    strength: float


def _follow(
    lines: NDArray[np.float32], middle: Vector, rough: Vector
) -> tuple[dict[tuple[int, int], _Tile], float]:
    """Follow both waves from where they are clearest to wherever they are seen.

    Returns:
        The tiles by row and column, and how far they are from each other.
    """
    pitch = float(1 / np.hypot(*rough.T).min())
    size = int(np.clip(PERIODS * pitch, *TILE_PX)) // 2 * 2
    step = size if lines.size > MANY_TILES * size * size else size // 2
    seer = _Seer(lines, size, step)
    rows, columns = (max(0, (n - size) // step + 1) for n in lines.shape)
    if not rows or not columns:
        return {}, step
    at = np.clip((middle[::-1] - size / 2) // step, 0, [rows - 1, columns - 1]).astype(int)
    place = (int(at[0]), int(at[1]))
    known = {place: seer.see(place, rough, np.zeros(2))}
    enough = CLEAR * known[place].strength
    waiting = [(-known[place].strength, place)]
    while waiting:
        _, place = heappop(waiting)
        here = known[place]
        for other in _neighbours(place, rows, columns):
            if other in known:
                continue
            expected = here.numbers + here.waves @ (seer.centre(other) - here.centre)
            tile = seer.see(other, here.waves, expected)
            if tile.strength > enough and np.abs(tile.numbers - expected).max() < ASTRAY:
                known[other] = tile
                heappush(waiting, (-tile.strength, other))
    return known, step


def _neighbours(place: tuple[int, int], rows: int, columns: int) -> Iterator[tuple[int, int]]:
    for down, across in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        row, column = place[0] + down, place[1] + across
        if 0 <= row < rows and 0 <= column < columns:
            yield row, column


class _Seer:
    """Looks at tiles."""

    def __init__(self, lines: NDArray[np.float32], size: int, step: int) -> None:
        self._lines, self._size, self._step = lines, size, step
        window = np.hanning(size + 2)[1:-1].astype(np.float32)
        self._window = window[:, None] * window
        self._at = np.arange(size) - (size - 1) / 2
        self._tries = np.linspace(-1, 1, 7) / size
        self._trying = np.exp(-2j * np.pi * np.outer(self._at, self._tries)).astype(np.complex64)

    def centre(self, place: tuple[int, int]) -> Vector:
        """Return the middle of a tile, x and y."""
        return np.array(place[::-1]) * self._step + (self._size - 1) / 2

    def see(self, place: tuple[int, int], waves: Vector, expected: Vector) -> _Tile:
        """Return the waves of a tile that are nearest to those that are expected."""
        y, x = place[0] * self._step, place[1] * self._step
        tile = self._lines[y : y + self._size, x : x + self._size] * self._window
        found, numbers, strength = [], [], np.inf
        for wave, number in zip(waves, expected, strict=True):
            across, down = np.exp(-2j * np.pi * np.outer(wave, self._at)).astype(np.complex64)
            answer = (self._trying.T * down) @ (tile @ (self._trying * across[:, None]))
            heard = np.abs(answer)
            row, column = np.unravel_index(np.argmax(heard), heard.shape)
            by = [_vertex(heard[row], int(column)), _vertex(heard[:, column], int(row))]
            apart = self._tries[1] - self._tries[0]
            found.append(wave + self._tries[[column, row]] + apart * np.array(by))
            phase = np.angle(answer[row, column]) / (2 * np.pi)
            numbers.append(phase + np.rint(number - phase))
            strength = min(strength, float(heard[row, column]))
        return _Tile(self.centre(place), np.array(found), np.array(numbers), strength)


def _vertex(values: Vector, at: int) -> float:
    """Return how far beside the greatest of even steps the greatest value is."""
    if not 0 < at < len(values) - 1:
        return 0.0
    before, here, after = values[at - 1 : at + 2]
    bend = before - 2 * here + after
    return float(0.5 * (before - after) / bend) if bend < 0 else 0.0
