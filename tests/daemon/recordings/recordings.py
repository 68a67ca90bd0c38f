"""Made-up recordings: noise over the whole range of the converter, and a word on each beat."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daemon.recordings.bdf_writer import BdfWriter
from daemon.recordings.recorded import Annotation, Layout, RecordedSignal

BEGIN = datetime(2026, 11, 28, 10, 55, 39, 123456, tzinfo=UTC)
RATE_HZ = 250
LAYOUT = Layout(
    (RecordedSignal("Resp", 4, 2.42), RecordedSignal("ECG", 6, 2.42)), RATE_HZ, "simulated", BEGIN
)


def noise(samples: int, seed: int = 1) -> NDArray[np.int32]:
    """Return codes that use the whole range, its ends among them."""
    codes = np.random.default_rng(seed).integers(-(1 << 23), 1 << 23, (samples, 2), dtype=np.int32)
    codes[:2] = [[-(1 << 23), (1 << 23) - 1], [(1 << 23) - 1, -(1 << 23)]]
    return codes


def beats(samples: int, every: int = 200) -> list[Annotation]:
    """Return an R peak every so many samples, each with a text of its own."""
    return [Annotation(at, f"R peak {at}") for at in range(every // 2, samples, every)]


def write_bdf(
    path: Path,
    codes: NDArray[np.int32],
    annotations: Sequence[Annotation],
    layout: Layout = LAYOUT,
) -> None:
    """Write a recording second by second, as a recorder does."""
    writer = BdfWriter(path, layout)
    rate_hz = int(layout.rate_hz)
    for begin in range(0, len(codes), rate_hz):
        second = range(begin, begin + rate_hz)
        writer.write(
            codes[begin : begin + rate_hz], [each for each in annotations if each.sample in second]
        )
    writer.close()
