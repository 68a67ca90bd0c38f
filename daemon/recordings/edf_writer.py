"""Writes EDF+C, 16 bits a sample, for programs that know no BDF: the range is that of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daemon.recordings.bdf_writer import ANNOTATION_BYTES, BdfWriter, bdf_header
from daemon.recordings.edf_header import EdfHeader
from daemon.recordings.recorded import LOST, Layout

SYNC_S = 3600.0  # what is made of a file can be made again
LEAST, MOST = -(1 << 15), (1 << 15) - 1  # the least stands for a lost sample


class EdfWriter(BdfWriter):
    """Writes one file (see ``RecordingWriter``).

    Args:
        path: the new file.
        layout: what is recorded, in codes of 24 bits.
        ranges: the lowest and the highest code of each signal, which must be known before.

    Raises:
        RecordingNotWritten: the file is there already, or the system refuses.
    """

    def __init__(self, path: Path, layout: Layout, ranges: Sequence[tuple[int, int]]) -> None:
        self._zeros = np.array([(low + high) / 2 for low, high in ranges])
        self._steps = np.array([max(1.0, (high - low) / (2 * MOST)) for low, high in ranges])
        super().__init__(path, layout, SYNC_S, self._header_of_16_bits(layout))

    def _header_of_16_bits(self, layout: Layout) -> EdfHeader:
        header = bdf_header(layout, max(1, round(layout.rate_hz)))
        *signals, annotations = header.signals
        described = [
            replace(
                signal,
                physical=tuple(recorded.mv_per_code * (zero + step * at) for at in (LEAST, MOST)),
                digital=(LEAST, MOST),
            )
            for signal, recorded, zero, step in zip(
                signals, layout.signals, self._zeros.tolist(), self._steps.tolist(), strict=True
            )
        ]
        texts = replace(
            annotations,
            label="EDF Annotations",
            digital=(LEAST, MOST),
            samples=ANNOTATION_BYTES // 2,
        )
        return replace(header, sample_bytes=2, signals=(*described, texts))

    def _packed(self, codes: NDArray[np.int32]) -> bytes:
        scaled = np.clip(np.rint((codes - self._zeros) / self._steps), -MOST, MOST)
        return np.where(codes == LOST, LEAST, scaled).T.astype("<i2").tobytes()
