"""Writes a table in the layout of ADS1292R loggers, and the annotations as comments.

    # channel 2: ECG, gain 6, reference 2.42 V
    timestamp, Channel 1, Channel 2, Channel 3
    0, 128363, -5355355, 0
    # 0.004000 s: Identity unknown

The timestamp is in ms, channels 1 and 2 are codes, and channel 3 is 1 in the sample of an R peak. A
sample that was lost has no row.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daemon.recordings.durable_file import begin_file
from daemon.recordings.recorded import R_PEAK, Annotation, Gaps, Layout, printable

CHANNELS = 3  # of the loggers, the last for R peaks


class CsvWriter:
    """Writes one table (see ``RecordingWriter``)."""

    def __init__(self, path: Path, layout: Layout, sync_s: float = 5.0) -> None:
        self.path = path
        self._rate_hz = layout.rate_hz
        self._to_sync = max(1, round(sync_s * layout.rate_hz))
        self._at = self._synced = 0  # samples
        self._gaps = Gaps()
        signals = [
            f"# channel {n}: {signal.name}, gain {signal.gain}, reference {signal.vref_v} V"
            for n, signal in enumerate(layout.signals, 1)
        ]
        columns = [f"Channel {n + 1}" for n in range(max(CHANNELS, len(layout.signals) + 1))]
        lines = [
            f"# recorded by qrsd from {layout.source}; begins {layout.begin_utc.isoformat()}",
            f"# codes of 24 bits, sample rate {layout.rate_hz:g} Hz, timestamp in ms",
            *signals,
            f"# {columns[-1]}: 1 in the sample of an R peak",
            ", ".join(["timestamp", *columns]),
        ]
        self._unused = len(columns) - len(layout.signals) - 1
        self._file = begin_file(path, "\n".join([*lines, ""]).encode())

    def write(self, codes: NDArray[np.int32], annotations: Iterable[Annotation]) -> None:
        """Add rows, and comments below them."""
        told = list(annotations)
        places = np.arange(self._at, self._at + len(codes))
        peaks = [each.sample for each in told if each.text.startswith(R_PEAK)]
        nothing = np.zeros((len(codes), self._unused), np.int32)
        table = np.column_stack([codes, nothing, np.isin(places, peaks)])
        kept = ~self._gaps.take(told, len(codes))
        stamps = (1000 * places[kept] / self._rate_hz).tolist()
        rows = zip(stamps, table[kept].tolist(), strict=True)
        lines = [f"{stamp:.10g}, {str(row)[1:-1]}" for stamp, row in rows]
        for each in told:
            length = f", for {each.samples / self._rate_hz:.10g} s" if each.samples else ""
            lines.append(f"# {each.sample / self._rate_hz:.6f} s: {printable(each.text)}{length}")
        self._file.append("\n".join([*lines, ""]).encode())
        self._at += len(codes)
        if self._at - self._synced >= self._to_sync:
            self.sync()

    def sync(self) -> None:
        """Bring all rows to the disk."""
        self._file.sync()
        self._synced = self._at

    def close(self) -> None:
        """Bring the rest to the disk."""
        try:
            self.sync()
        finally:
            self._file.close()
