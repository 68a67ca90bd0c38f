"""Reads the time stamps of a logger's table: numbers of any unit, dates, or times of day.

What rate they mean, and where rows are missing by them, ``sample_clock`` finds out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daemon.recordings.csv_numbers import NumberStyle
from daemon.recordings.errors import MalformedRecording

TIME_OF_DAY = re.compile(r"(?:^|.*[ T])(?:(\d{1,2}):)?(\d{1,2}):(\d{1,2}(?:[.,:]\d+)?)(?: .*|$)")


def is_stamp(text: str, style: NumberStyle) -> bool:
    """Tell whether a cell is a number, a date, or a time of day."""
    return style.number(text) is not None or _seconds(text) is not None


def parse_stamps(
    cells: Sequence[str], lines: Sequence[int], style: NumberStyle, path: Path
) -> tuple[NDArray[np.float64], bool]:
    """Return the stamps, NaN for empty ones, and whether they are dates or times, in seconds."""
    try:
        return style.numbers(cells), False
    except ValueError as error:
        wrong = int(error.args[0])
    first = next((text for text in cells if text), "")
    if style.number(first) is None:
        seconds = [_seconds(text) if text else np.nan for text in cells]
        if None not in seconds:
            return np.array(seconds, dtype=np.float64), True
        wrong = seconds.index(None)
    raise MalformedRecording(
        f"{path}, line {lines[wrong]}: {cells[wrong]!r} is neither a number nor an ISO 8601 time."
    )


def _seconds(text: str) -> float | None:
    """Return a date's seconds since 1970, or a time's since midnight."""
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        found = TIME_OF_DAY.fullmatch(text.strip("[]"))
        if not found:
            return None
        hours, minutes, seconds = (part or "0" for part in found.groups())
        seconds = seconds.replace(",", ".").replace(":", ".")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    if date.tzinfo is None:  # whatever zone this computer is in, its clock changes did not happen
        date = date.replace(tzinfo=UTC)
    return date.timestamp()
