from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.paper.pages import Paper, printed
from drivers.waveforms.hearts import Heart

COARSE_SCAN = Paper(dpi=150)  # a quarter of the pixels that a usual scan has


@pytest.fixture(scope="session")
def heart_mv() -> NDArray[np.float64]:
    """Ten seconds of a heart, as a machine prints it."""
    return printed(Heart(3).ecg_mv[: 12 * 250], COARSE_SCAN)
