"""Writes BDF+C: 24 bits a sample, records of a second with their annotations, safe from power cuts.

A sync brings the records to the disk, and only then the count of records in the header; so all that
the header counts is whole. What is beyond it after a power cut, ``bdf_repair`` sees to.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daemon.recordings import edf_annotations
from daemon.recordings.durable_file import begin_file
from daemon.recordings.edf_header import (
    COUNT_OFFSET,
    EdfHeader,
    EdfSignal,
    eight,
    final_count,
    growing_count,
)
from daemon.recordings.ours import OURS
from daemon.recordings.recorded import (
    LOST,
    THE_END,
    Annotation,
    Layout,
    RecordedSignal,
)
from drivers.frame import FULL_SCALE_COUNTS, MIN_COUNTS

ANNOTATION_BYTES = 300  # in each record: a dozen R peaks, or the longest text
ADS1292R = "ADS1292R, gain {}, reference {} V"  # as transducer: the range is told to six digits


class BdfWriter:
    """Writes one file (see ``RecordingWriter``).

    Args:
        path: the new file.
        layout: what is recorded.
        sync_s: how often to sync; what a power cut may cost.
        header: another than that of BDF.
    """

    def __init__(
        self, path: Path, layout: Layout, sync_s: float = 5.0, header: EdfHeader | None = None
    ) -> None:
        self.path = path
        self._rate_hz = layout.rate_hz
        self._samples = max(1, round(layout.rate_hz))  # in a record
        self._fraction_s = layout.begin_utc.microsecond / 1e6  # the header has whole seconds
        self._header = header or bdf_header(layout, self._samples)
        self._records_to_sync = max(1, int(sync_s / self._header.record_s))
        self._waiting: deque[bytes] = deque()  # annotations
        self._held = np.empty((0, len(layout.signals)), np.int32)  # samples of no whole record yet
        self._records = self._synced = 0
        self._file = begin_file(path, self._header.encode())

    def write(self, codes: NDArray[np.int32], annotations: Iterable[Annotation]) -> None:
        """Add samples and annotations; a record is written once it is whole."""
        for each in annotations:
            self._waiting.append(
                edf_annotations.encode(
                    self._fraction_s + each.sample / self._rate_hz,
                    each.samples / self._rate_hz,
                    each.text,
                )
            )
        self._held = np.concatenate([self._held, codes.astype(np.int32)])
        while len(self._held) >= self._samples:
            self._write_record(self._held[: self._samples])
            self._held = self._held[self._samples :]
            if self._records - self._synced >= self._records_to_sync:
                self.sync()

    def sync(self) -> None:
        """Bring all whole records to the disk, and then their number."""
        if self._records > self._synced:
            self._file.sync()
            self._put_count(growing_count(self._records))
            self._synced = self._records

    def close(self) -> None:
        """Fill the last record up, and go on until no annotation is left."""
        try:
            if len(self._held) or self._waiting:
                end = self._records * self._samples + len(self._held)
                self.write(
                    self._nothing(self._samples - len(self._held)), [Annotation(end, THE_END)]
                )
            while self._waiting:
                self._write_record(self._nothing(self._samples))
            self.sync()
            self._put_count(final_count(self._records))
        finally:
            self._file.close()

    def _nothing(self, samples: int) -> NDArray[np.int32]:
        return np.full((samples, self._held.shape[1]), LOST, np.int32)

    def _write_record(self, codes: NDArray[np.int32]) -> None:
        """Write one record, with as many of the waiting annotations as it holds."""
        room = ANNOTATION_BYTES
        texts = edf_annotations.encode_time(
            self._fraction_s + self._records * self._header.record_s
        )
        while self._waiting and len(texts) + len(self._waiting[0]) <= room:
            texts += self._waiting.popleft()
        # By signals; the annotations last, so that they are not whole where the end of the record
        # never came to the disk.
        self._file.append(self._packed(codes) + texts.ljust(room, b"\0"))
        self._records += 1

    def _packed(self, codes: NDArray[np.int32]) -> bytes:
        return codes.T.astype("<i4").reshape(-1, 1).view(np.uint8)[:, :3].tobytes()

    def _put_count(self, count: bytes) -> None:
        self._file.put(count, COUNT_OFFSET)
        self._file.sync()


def bdf_header(layout: Layout, samples: int) -> EdfHeader:
    """Return the header of a recording with so many samples in a record."""
    annotations = EdfSignal(
        "BDF Annotations", "", "", (-1, 1), (MIN_COUNTS, FULL_SCALE_COUNTS), ANNOTATION_BYTES // 3
    )
    signals = [_described(signal, samples) for signal in layout.signals]
    return EdfHeader(
        sample_bytes=3,
        recording=f"X X {OURS}{layout.source}_UTC",
        begin=layout.begin_utc,
        kind="BDF+C",
        records=0,
        record_s=samples / layout.rate_hz,
        signals=(*signals, annotations),
    )


def _described(signal: RecordedSignal, samples: int) -> EdfSignal:
    # The same digits at both ends, so that code 0 stays 0 mV to half a step.
    most_mv = -float(eight(MIN_COUNTS * signal.mv_per_code))
    return EdfSignal(
        signal.name,
        ADS1292R.format(signal.gain, signal.vref_v),
        "mV",
        (-most_mv, most_mv),
        (MIN_COUNTS, FULL_SCALE_COUNTS),
        samples,
    )
