"""The annotations of EDF+ and BDF+: lists of times and texts, among the samples of each record.

    +1.204 NAK NUL                        the first of a record: when it begins
    +1.5 NAK2 0.25 NAK Lost samples NAK NUL   (NAK stands for the byte 20, NAK2 for 21)

Times are seconds since the time in the header. Source: Kemp & Olivan 2003.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from daemon.recordings.recorded import LONGEST_TEXT, printable

MARK, DURATION, END = b"\x14", b"\x15", b"\x00"
ONE = re.compile(rb"([+-]\d+(?:\.\d*)?)(?:\x15(\d+(?:\.\d*)?))?\x14([^\x00]*)\x00")


def encode_time(onset_s: float) -> bytes:
    """Return what a record begins with."""
    return _seconds(onset_s, "+") + MARK + MARK + END


def encode(onset_s: float, duration_s: float, text: str) -> bytes:
    """Return one annotation; a text that is too long is cut, and has no control characters."""
    cut = printable(text).encode()[:LONGEST_TEXT].decode(errors="ignore").encode()
    duration = DURATION + _seconds(duration_s) if duration_s else b""
    return _seconds(onset_s, "+") + duration + MARK + cut + MARK + END


def decode(data: bytes) -> tuple[float | None, list[tuple[float, float, str]]]:
    """Return when a record begins, None if it does not say, and what its annotations are.

    Each has an onset and a duration in seconds, and a text.
    """
    begin_s: float | None = None
    found: list[tuple[float, float, str]] = []
    for number, (onset_s, duration_s, texts) in enumerate(_lists(data)):
        if number == 0 and texts[:1] == [""]:
            begin_s = onset_s
        found += [(onset_s, duration_s, text) for text in texts if text]
    return begin_s, found


def _lists(data: bytes) -> Iterator[tuple[float, float, list[str]]]:
    for match in ONE.finditer(data):
        texts = match[3].removesuffix(MARK).decode(errors="replace").split("\x14")
        yield float(match[1]), float(match[2] or 0), texts


def _seconds(seconds: float, sign: str = "") -> bytes:
    return f"{seconds:{sign}.6f}".rstrip("0").rstrip(".").encode()
