"""Converts recordings: between BDF, EDF, WFDB and tables, and to a list of RR intervals."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from daemon.offline.analysis import listen
from daemon.recordings.durable_file import DurableFile
from daemon.recordings.edf_file import EdfFile
from daemon.recordings.edf_writer import EdfWriter
from daemon.recordings.encryption import decrypted_name, encrypt, is_encrypted, recipients
from daemon.recordings.errors import MalformedRecording, RecordingNotWritten
from daemon.recordings.origin import origin, words
from daemon.recordings.recorded import (
    LEAD_OFF,
    LOST,
    LOST_SAMPLES,
    R_PEAK,
    THE_END,
    UNKNOWN_BEGIN,
    Annotation,
    Layout,
    RecordedSignal,
    RecordingWriter,
    lost_stretches,
)
from daemon.recordings.recording import OpenRecording, open_file
from daemon.recordings.replay import GAIN, VREF_V
from daemon.recordings.signal_file import Reading, is_table
from daemon.recordings.writers import WRITERS, open_writer
from daemon.tables import counted
from drivers.frame import FULL_SCALE_COUNTS, MIN_COUNTS
from dsp.front_end import RATE_HZ
from dsp.rr_correction import RrSeries

SYNC_S = 3600.0  # what is made of a file can be made again
MEMORY = "/dev/shm"  # a file system that is on no disk
TOLD_EVERY_S = 60
ROUNDED = 1000  # codes that the end of a range may be off in a header of EDF


class Source:
    """A recording to be converted: all its signals of voltage, and its annotations."""

    def __init__(self, record: str, identity: Path | None = None) -> None:
        path = Path(record)
        self._record = record
        self._file = file = open_file(path, Reading(identity=identity))
        self._numbers = list(file.voltages())
        rates = sorted({file.rate_hz(number) for number in self._numbers})
        if len(rates) != 1:
            there = ", ".join(f"{rate:g} Hz" for rate in rates) or "none"
            raise MalformedRecording(
                f"{record}: its signals in mV have rates of {there}; expected one rate for all."
            )
        told = origin(record, identity, file)
        begin = told.begin or UNKNOWN_BEGIN
        signals = [RecordedSignal(file.names[n], GAIN, VREF_V) for n in self._numbers]
        self._notes = [f"written in the steps of a chip at gain {GAIN:g}, {VREF_V} V"]
        if isinstance(file, EdfFile):
            begin = file.begin_utc
            if all(known := [file.recorded_signal(number) for number in self._numbers]):
                signals, self._notes = [signal for signal in known if signal], []
        if len(told.signals) == len(signals):
            signals, self._notes = list(told.signals), []
        self.layout = Layout(tuple(signals), rates[0], told.source or "convert", begin)
        said = words(record, identity, file) if told.source or not is_table(path) else []
        self._annotations = [
            Annotation(round(at_s * rates[0]), text, round(for_s * rates[0]))
            for at_s, text, for_s in sorted(said, key=lambda each: each[0])
            if text != THE_END
        ]
        self._gaps_told = any(each.text == LOST_SAMPLES for each in self._annotations)
        self._beyond = 0  # samples that no code is high or low enough for
        self._partial = 0  # that some of the signals have, and others lack

    @property
    def notes(self) -> list[str]:
        """What had to be assumed or mended, complete once all was read."""
        numbers = {
            "beyond the range of such a chip, and cut off there": self._beyond,
            "left out of all signals, since one lacks them": self._partial,
        }
        of_samples = (f"{what}: {counted(n, 'sample')}" for what, n in numbers.items() if n)
        return [*self._file.notes, *self._notes, *of_samples]

    def seconds(self) -> Iterator[NDArray[np.float64]]:
        """Yield all signals in mV, a second after the other, of shape (n, signals)."""
        samples = round(self.layout.rate_hz)
        columns = [_chunks(self._file.blocks(number), samples) for number in self._numbers]
        for chunks in zip(*columns, strict=True):
            yield np.column_stack(chunks)

    def codes(
        self, advance: Callable[[float], None]
    ) -> Iterator[tuple[NDArray[np.int32], list[Annotation]]]:
        """Yield the same as codes, and the annotations of each second.

        Raises:
            MalformedRecording: all would be lost, since one signal or another is always missing.
        """
        steps = np.array([signal.mv_per_code for signal in self.layout.signals])
        left = deque(self._annotations)
        at = self._beyond = self._partial = whole = 0
        for second, mv in enumerate(self.seconds()):
            if second % TOLD_EVERY_S == 0:
                advance(second)
            lost = np.isnan(mv)
            wanted = np.rint(mv / steps)
            codes = np.clip(wanted, MIN_COUNTS, FULL_SCALE_COUNTS)
            self._beyond += int((np.abs(wanted - codes) > ROUNDED).sum())
            codes[lost] = LOST
            end = at + len(mv)
            due = []
            while left and left[0].sample < end:
                due.append(left.popleft())
            gaps: Iterable[Annotation] = ()
            if not self._gaps_told:
                left_out = lost.any(axis=1)
                gaps = lost_stretches(left_out, at)
                whole += int((~left_out).sum())
                self._partial += int((left_out & ~lost.all(axis=1)).sum())
            yield codes.astype(np.int32), [*gaps, *due]
            at = end
        if self._partial and not whole:
            raise MalformedRecording(
                f"{self._record} has no sample of all its signals in mV: one or another is always "
                "missing."
            )
        if left:
            yield np.empty((0, len(steps)), np.int32), list(left)


def convert(
    record: str,
    out: Path,
    mains_hz: int,
    advance: Callable[[float], None] = lambda _: None,
    *,
    identity: Path | None = None,
    public_keys: Sequence[str] = (),
) -> list[str]:
    """Convert a recording to what the suffix of a new file means, and say what was assumed.

    Args:
        record: what to read.
        out: the new file; one that ends in ``.age`` is encrypted.
        mains_hz: frequency of the grid, for those without annotated R peaks.
        advance: told how many seconds are done.
        identity: file with the age key of an encrypted record.
        public_keys: for which the new file is encrypted.

    Raises:
        RecordingError: it cannot be read, or the file not be written.
    """
    if decrypted_name(out).suffix.casefold() not in (*WRITERS, ".edf", ".txt"):
        raise MalformedRecording(
            f"{out}: give it one of the suffixes .bdf, .edf, .hea, .csv, .txt."
        )
    if not is_encrypted(out):
        return _convert(record, out, mains_hz, advance, identity)
    keys = recipients(public_keys)
    plain = decrypted_name(out).name
    if plain.casefold().endswith(".hea"):
        raise MalformedRecording(f"{out}: a WFDB record is several files: choose .bdf.age.")
    if out.exists():
        raise RecordingNotWritten(f"{out} is there already: give another name, or move it away.")
    with TemporaryDirectory(dir=MEMORY) as folder:
        notes = _convert(record, Path(folder, plain), mains_hz, advance, identity)
        encrypt(Path(folder, plain), out, keys)
    return notes


def _convert(
    record: str,
    out: Path,
    mains_hz: int,
    advance: Callable[[float], None],
    identity: Path | None,
) -> list[str]:
    if out.suffix.casefold() == ".txt":
        return _write_rr(record, out, mains_hz, advance, identity)
    source = Source(record, identity)
    if next(source.seconds(), None) is None:
        raise MalformedRecording(f"{record} holds not one sample.")
    writer: RecordingWriter
    if out.suffix.casefold() == ".edf":
        writer = EdfWriter(out, source.layout, _ranges(source, advance))
    else:
        writer = open_writer(out, source.layout, SYNC_S)
    try:
        with closing(writer):
            for codes, annotations in source.codes(advance):
                writer.write(codes, annotations)
    except BaseException:  # half of it would look like all of it
        others = (".dat", ".atr") if out.suffix.casefold() == ".hea" else ()
        for part in (out, *map(out.with_suffix, others)):
            part.unlink(missing_ok=True)
        raise
    return source.notes


def _ranges(source: Source, advance: Callable[[float], None]) -> list[tuple[int, int]]:
    """Return the lowest and the highest code of each signal."""
    low = np.full(len(source.layout.signals), FULL_SCALE_COUNTS)
    high = np.full(len(source.layout.signals), MIN_COUNTS)
    for codes, _ in source.codes(advance):
        held = codes[(codes != LOST).all(axis=1)]
        low = np.minimum(low, held.min(axis=0, initial=FULL_SCALE_COUNTS))
        high = np.maximum(high, held.max(axis=0, initial=MIN_COUNTS))
    return [(min(a, b), max(a, b)) for a, b in zip(low.tolist(), high.tolist(), strict=True)]


def _write_rr(
    record: str,
    out: Path,
    mains_hz: int,
    advance: Callable[[float], None],
    identity: Path | None,
) -> list[str]:
    """Write the RR intervals in ms, a line each, but for those with a gap in them."""
    reading = Reading(identity=identity)
    file = open_file(Path(record), reading)
    said = sorted(words(record, identity, file)) if isinstance(file, EdfFile) else []
    peaks_s = np.array([at_s for at_s, text, _ in said if text.startswith(R_PEAK)])
    if len(peaks_s):
        gaps_s = np.array([at_s for at_s, text, _ in said if text in (LOST_SAMPLES, LEAD_OFF)])
        whole = np.searchsorted(gaps_s, peaks_s[1:]) == np.searchsorted(gaps_s, peaks_s[:-1])
        rr_ms = 1000 * np.diff(peaks_s)[whole]
        within = f"from {peaks_s[0]:.1f} to {peaks_s[-1]:.1f} s"
        notes = [*file.notes, f"R peaks as annotated: {len(peaks_s)}, {within}"]
    else:
        found = listen(OpenRecording(record, None, reading), mains_hz, advance=advance)
        rr_ms = RrSeries.of_beats(found.r_indices / RATE_HZ, found.heard.after_break).rr_ms
        notes = [*found.notes, "no R peaks are annotated that are read here: qrsd's detector's"]
    if not len(rr_ms):
        raise MalformedRecording(f"{record} has no two heartbeats in a row.")
    with DurableFile(out) as written:
        written.append("".join(f"{interval:.0f}\n" for interval in rr_ms).encode())
        written.sync()
    return notes


def _chunks(blocks: Iterator[NDArray[np.float64]], samples: int) -> Iterator[NDArray[np.float64]]:
    """Cut blocks of any length into those of one length, and what is left."""
    held = np.empty(0)
    for block in blocks:
        held = np.concatenate([held, block])
        whole = len(held) - len(held) % samples
        yield from held[:whole].reshape(-1, samples)
        held = held[whole:]
    if len(held):
        yield held
