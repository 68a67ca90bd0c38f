"""Annotations: of a WFDB record, where experts or detectors saw a beat; of a table of qrsd's."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daemon.recordings.encryption import open_content
from daemon.recordings.errors import MalformedRecording, RecordingNotFound
from daemon.recordings.recorded import R_PEAK, Word
from daemon.recordings.signal_file import without_suffix
from daemon.recordings.wfdb_header import import_wfdb, read_header
from dsp.front_end import RATE_HZ

#: The symbols of beats; all others mark rhythm, noise, waves or comments. Source: wfdb's annotation
#: codes (``isqrs`` in ecgmap.h of the WFDB library).
BEAT_SYMBOLS = frozenset("NLRBAaJSVrFejnE/fQ?")
#: The classes of AAMI EC57, and the symbols of each; escape beats (e, j) count as normal.
AAMI_CLASSES = {"N": "NLRBej", "S": "AaJSn", "V": "VEr", "F": "F", "Q": "/fQ?"}
SUFFIX = re.compile(r"[\w.-]{1,32}", re.ASCII)
COMMENT = '"'
TABLE_COMMENT = re.compile(r"# (\d+\.\d+) s: (.*?)(?:, for (\d+(?:\.\d+)?) s)?\n")
TABLE_STAMP = re.compile(r"[0-9]+(?:\.[0-9]+)?")
LASTING = re.compile(r"(.+); (\d+(?:\.\d*)?) s")  # as qrsd writes what lasts


@dataclass(frozen=True, slots=True, eq=False)
class Annotations:
    """What one annotator marked in a record, in time order."""

    indices: NDArray[np.int64]  # sample at 250 Hz of each annotation
    symbols: NDArray[np.str_]  # its WFDB symbol, such as ``N``
    notes: NDArray[np.str_]  # what is written beside it, such as ``(AFIB``; most often nothing

    @property
    def is_beat(self) -> NDArray[np.bool_]:
        """Which of them mark a beat."""
        return np.isin(self.symbols, list(BEAT_SYMBOLS))

    @property
    def beats(self) -> NDArray[np.int64]:
        """The samples of the beats, ascending."""
        return np.sort(self.indices[self.is_beat])

    @property
    def rhythms(self) -> tuple[tuple[str, int, int], ...]:
        """Each rhythm, such as ``(AFIB``, with its first sample and that of the next rhythm."""
        begins = self.symbols == "+"
        names, firsts = self.notes[begins].tolist(), self.indices[begins].tolist()
        stops = [*firsts, np.iinfo(np.int64).max][1:]
        return tuple(zip(names, firsts, stops, strict=True))

    @property
    def flutter(self) -> tuple[tuple[int, int], ...]:
        """The stretches from ``[`` to ``]`` of ventricular flutter, without single beats."""
        ends = np.append(self.indices[self.symbols == "]"], np.iinfo(np.int64).max)
        begins = self.indices[self.symbols == "["]
        return tuple((int(begin), int(ends[ends > begin][0])) for begin in begins)


def read_texts(path: Path) -> list[Word]:
    """Return what the reference annotations (.atr) of a record say; nothing if there are none.

    Raises:
        RecordingError: they are malformed.
    """
    record = without_suffix(path)
    if not record.with_name(f"{record.name}.atr").is_file():
        return []
    read = _read(record, "atr")
    rate_hz = read.fs or read_header(record).frame_hz
    said = []
    for sample, symbol, note in zip(read.sample, read.symbol, read.aux_note, strict=True):
        words, length_s = _in_utf8(note).strip("\0 "), 0.0
        if lasting := LASTING.fullmatch(words):
            words, length_s = lasting[1], float(lasting[2])
        said.append((float(sample / rate_hz), _text(symbol, words), length_s))
    return said


def _in_utf8(note: str) -> str:
    """Return a note as it was written: the library takes each byte for a letter of Latin-1."""
    with suppress(UnicodeError):
        return note.encode("latin-1").decode()
    return note


def read_comments(path: Path, identity: Path | None) -> list[Word]:
    """Return what qrsd wrote below the rows of a table."""
    found, begin_ms = [], None
    with TextIOWrapper(open_content(path, identity), "utf-8", errors="replace") as lines:
        for line in lines:
            if told := TABLE_COMMENT.fullmatch(line):
                found.append((float(told[1]), told[2], float(told[3] or 0)))
            elif begin_ms is None and (stamp := TABLE_STAMP.match(line)):
                begin_ms = float(stamp[0])  # what was lost before has no row
    return [(at_s - (begin_ms or 0.0) / 1000, text, length_s) for at_s, text, length_s in found]


def _text(symbol: str, note: str) -> str:
    if symbol in BEAT_SYMBOLS:
        kind = note or symbol
        return R_PEAK if kind == "N" else f"{R_PEAK} ({kind})"
    return note if symbol == COMMENT and note else f"{symbol} {note}".strip()


def read_annotations(path: str | Path, annotator: str) -> Annotations:
    """Read the annotation file of a record whose suffix is the annotator's name, such as ``atr``.

    Raises:
        RecordingError: it is missing or malformed, or its record's header is.
    """
    record = without_suffix(Path(path))
    annotations = _read(record, annotator)
    indices = np.asarray(annotations.sample, dtype=np.float64)
    grid = RATE_HZ / (annotations.fs or read_header(record).frame_hz)
    return Annotations(
        np.rint(indices * grid).astype(np.int64),
        np.array(annotations.symbol),
        np.array([note.strip("\0 ") for note in annotations.aux_note], dtype=np.str_),
    )


def _read(record: Path, annotator: str) -> Any:
    """Return what the reference library makes of an annotation file."""
    if not SUFFIX.fullmatch(annotator):
        raise RecordingNotFound(
            f"{annotator!r:.40} is no suffix of an annotation file: it is 1 to 32 letters, digits, "
            "dots, - or _, as in atr."
        )
    file = record.with_name(f"{record.name}.{annotator}")
    if not file.is_file():
        raise RecordingNotFound(f"There are no annotations {file}.")
    try:
        read = import_wfdb(record).rdann(str(record), annotator)
        np.asarray(read.sample, dtype=np.float64)
    except Exception as error:  # the parser raises whatever it trips over
        raise MalformedRecording(f"{file} cannot be read as annotations: {error}.") from error
    return read
