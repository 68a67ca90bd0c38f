"""Writes a WFDB record: a header, samples of format 24 (24 bits), and annotations (.atr).

The header tells no length while the record grows, so that readers take what is there. Source:
header(5), signal(5) and annot(5) of the WFDB Applications Guide.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from errno import EEXIST
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daemon.recordings.durable_file import DurableFile, explained, replace_file
from daemon.recordings.errors import RecordingNotWritten
from daemon.recordings.recorded import LOST, R_PEAK, Annotation, Gaps, Layout, printable

NORMAL, UNKNOWN, NOTE, SKIP, AUX = 1, 13, 22, 59, 63  # codes of annotations
LONGEST_STEP = 1023  # between two annotations, without a SKIP
LONGEST_TEXT = 255


class WfdbWriter:
    """Writes one record; ``path`` is its header (see ``RecordingWriter``)."""

    def __init__(self, path: Path, layout: Layout, sync_s: float = 5.0) -> None:
        if not re.fullmatch(r"[\w.-]+", path.stem, re.ASCII):
            raise RecordingNotWritten(
                f"{path} cannot be written: the name of a WFDB record has ASCII letters, digits, "
                "'_', '-' and '.' only; give it another."
            )
        with explained(path):
            for file in (path, path.with_suffix(".atr")):  # a .dat that is there is noticed below
                if file.exists():
                    raise FileExistsError(EEXIST, f"{file.name} is there already")
        self.path = path
        self._layout = layout
        self._to_sync = max(1, round(sync_s * layout.rate_hz))
        self._at = self._synced = 0  # samples
        self._first = [0] * len(layout.signals)
        self._sums = np.zeros(len(layout.signals), np.int64)
        self._annotations: list[Annotation] = []
        self._gaps = Gaps()
        self._file = DurableFile(path.with_suffix(".dat"))
        try:
            replace_file(path, self._header(is_complete=False))
        except BaseException:
            self._file.close()
            raise

    def write(self, codes: NDArray[np.int32], annotations: Iterable[Annotation]) -> None:
        """Add samples and annotations."""
        # The lowest code says that there is no sample: a measured one is written as that above.
        told = list(annotations)
        self._annotations += told
        lost = self._gaps.take(told, len(codes))
        rail = (codes == LOST) & ~lost[:, np.newaxis]
        samples = np.where(rail, LOST + 1, codes).astype("<i4")
        self._file.append(samples.reshape(-1, 1).view(np.uint8)[:, :3].tobytes())
        if self._at == 0 and len(samples):
            self._first = samples[0].tolist()
        self._sums += samples.sum(axis=0)
        self._at += len(codes)
        if self._at - self._synced >= self._to_sync:
            self.sync()

    def sync(self) -> None:
        """Bring all samples to the disk, and then their annotations."""
        self._file.sync()
        replace_file(
            self.path.with_suffix(".atr"), encode_annotations(self._annotations, self._layout)
        )
        self._synced = self._at

    def close(self) -> None:
        """Bring the rest to the disk, and tell the length."""
        try:
            self.sync()
            replace_file(self.path, self._header(is_complete=True))
        finally:
            self._file.close()

    def _header(self, *, is_complete: bool) -> bytes:
        layout = self._layout
        begin = layout.begin_utc
        length = f" {self._at} {begin:%H:%M:%S}.{begin.microsecond // 1000:03d} {begin:%d/%m/%Y}"
        lines = [
            f"{self.path.stem} {len(layout.signals)} {layout.rate_hz:g}{length * is_complete}",
            *(
                f"{self.path.stem}.dat 24 {1 / signal.mv_per_code!r}(0)/mV 24 0 {first} "
                f"{int(total) % 65536} 0 {signal.name}"
                for signal, first, total in zip(
                    layout.signals, self._first, self._sums, strict=True
                )
            ),
            f"# recorded by qrsd from {layout.source}; begins {begin.isoformat()}",
            *(f"# {s.name}: gain {s.gain}, reference {s.vref_v} V" for s in layout.signals),
            "",
        ]
        return "\n".join(lines).encode("ascii", "replace")


def encode_annotations(annotations: Iterable[Annotation], layout: Layout) -> bytes:
    """Return the content of an annotation file."""
    words: list[bytes] = []
    before = 0
    for each in sorted(annotations, key=lambda each: each.sample):
        at = max(1, each.sample)  # readers take a note at sample 0 for one on the whole file
        words += _words(each, at - before, layout.rate_hz)
        before = at
    return b"".join(words) + b"\0\0"


def _words(annotation: Annotation, step: int, rate_hz: float) -> Iterator[bytes]:
    """Yield the words of one annotation, so many samples after the one before."""
    if step > LONGEST_STEP:
        yield struct.pack("<HHH", SKIP << 10, step >> 16, step & 0xFFFF)
        step = 0
    length = f"; {annotation.samples / rate_hz:g} s" if annotation.samples else ""
    code, text = NOTE, annotation.text + length
    if annotation.text.startswith(R_PEAK):
        text = annotation.text.removeprefix(R_PEAK).strip(" ()")
        code = UNKNOWN if text else NORMAL
    yield struct.pack("<H", code << 10 | step)
    whole = printable(text).encode()[:LONGEST_TEXT].decode(errors="ignore")  # no half letter
    if note := whole.encode():
        yield struct.pack("<H", AUX << 10 | len(note)) + note + b"\0" * (len(note) % 2)
