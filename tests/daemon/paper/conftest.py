from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.paper.pages import Paper, draw, printed
from drivers.waveforms.hearts import Heart

COARSE_SCAN = Paper(dpi=150)  # a quarter of the pixels that a usual scan has


def scan_of_two(file: Path) -> Path:
    """Draw a page with ten seconds of each of two hearts, numbers 3 and 5, one above the other."""
    cv2.imwrite(str(file), draw([Heart(seed).ecg_mv[: 10 * 250] for seed in (3, 5)], COARSE_SCAN))
    return file


@pytest.fixture(scope="session")
def heart_mv() -> NDArray[np.float64]:
    """Ten seconds of a heart, as a machine prints it."""
    return printed(Heart(3).ecg_mv[: 12 * 250], COARSE_SCAN)
