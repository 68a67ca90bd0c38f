"""What the time stamps of a logger's table tell: the sample rate, and where rows are missing.

Stamps may be seconds, milliseconds, microseconds, or dates in ISO 8601. The unit is the one that
makes their step a rate of the chip; the rate is then the chip's own, since a logger's clock is
worse than its crystal. Mere row numbers say nothing, and the rate is the usual 250 Hz.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daemon.recordings.errors import MalformedRecording

USUAL_RATE_HZ = 250.0
CHIP_RATES_HZ = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
RATE_TOLERANCE = 0.05
UNITS_S = (1.0, 1e-3, 1e-6)
LONGEST_GAP_ROWS = 1_000_000  # more than an hour at 250 Hz is not a gap but a broken stamp


@dataclass(frozen=True, slots=True, eq=False)
class TimeStamps:
    """The rate of a table, and the place of each row in the recording.

    Attributes:
        rate_hz: samples per second.
        note: how the rate was found.
        places: shape (n,), the sample number of each row; a jump is a gap.
    """

    rate_hz: float
    note: str
    places: NDArray[np.int64]

    @classmethod
    def parse(cls, stamps: Sequence[tuple[int, str]], path: Path) -> TimeStamps:
        """Make sense of a column of stamps, each with its line number.

        Raises:
            MalformedRecording: a stamp is neither number nor date, or time runs backwards or leaps.
        """
        in_order = np.arange(len(stamps))
        if len(stamps) < 2 or not any(text for _, text in stamps):
            return cls(USUAL_RATE_HZ, f"no time stamps: {USUAL_RATE_HZ:g} Hz assumed", in_order)
        values = [_stamp(line, text, path) for line, text in stamps]
        steps = np.diff(values)
        if (steps < 0).any():
            line, _ = stamps[int(np.argmax(steps < 0)) + 1]
            raise MalformedRecording(f"{path}, line {line}: the time stamps run backwards.")
        median = float(np.median(steps))
        if steps.min() <= 0.4 * median:  # a logger that writes in bursts: only their mean is true
            rate_hz, note = _rate(float(np.mean(steps)))
            return cls(rate_hz, note, in_order)
        step = float(np.mean(steps[steps < 1.5 * median]))
        rows = np.rint(steps / step)
        if rows.max() > LONGEST_GAP_ROWS:
            line, text = stamps[int(np.argmax(rows)) + 1]
            raise MalformedRecording(f"{path}, line {line}: the time stamps leap to {text}.")
        places = np.concatenate(([0], np.cumsum(np.maximum(rows, 1)))).astype(np.int64)
        counts_rows = values[0] in (0, 1) and bool((steps == 1).all())
        rate_hz, note = _rate(0.0 if counts_rows else step)
        return cls(rate_hz, note, places)

    def spread(self, column: NDArray[np.float64]) -> tuple[NDArray[np.float64], tuple[str, ...]]:
        """Put NaN between the rows where rows are missing, and say how many."""
        length = int(self.places[-1]) + 1
        missing = length - len(column)
        if not missing:
            return column, ()
        spread = np.full(length, np.nan)
        spread[self.places] = column
        return spread, (f"{missing} samples are missing by the time stamps",)


def _stamp(line: int, text: str, path: Path) -> float:
    """Return a stamp in a unit still unknown, or in seconds if it is a date."""
    try:
        number = float(text)
    except ValueError:
        number = np.nan
    if np.isfinite(number):
        return number
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise MalformedRecording(
            f"{path}, line {line}: {text!r} is neither a number nor an ISO 8601 time."
        ) from None


def _rate(step: float) -> tuple[float, str]:
    """Return the chip's rate that a step means in one of the units, and how it was found."""
    for unit_s in UNITS_S:
        for rate_hz in CHIP_RATES_HZ:
            if abs(step * unit_s * rate_hz - 1) < RATE_TOLERANCE:
                return rate_hz, f"{rate_hz:g} Hz by the time stamps"
    return USUAL_RATE_HZ, f"the time stamps show no rate of the chip: {USUAL_RATE_HZ:g} Hz assumed"
