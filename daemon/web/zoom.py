"""A recording at any zoom: what ``daemon.web.reader`` left of it, mapped into memory.

The files may be erased as soon as they are mapped: the system keeps of them what it has room for,
and they are gone with the server. All of it without numpy, which would double the server's memory.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil, inf, isfinite, isnan
from pathlib import Path
from typing import Any

#: Samples of which the least and the most are kept. Where nothing was recorded, these are inf and
#: -inf, which are no least and no most beside any other; a sample by itself is NaN.
FACTORS = (4, 16, 64, 256, 1024, 4096)
DIGITS = 4  # of mV: a code of the chip's at gain 6 is 0.00005


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """One signal: its samples in mV, and the least and the most of each so many, in turn."""

    samples: memoryview[float]
    pairs: Mapping[int, memoryview[float]]

    @classmethod
    def of(cls, folder: Path, name: str) -> Signal | None:
        """Map a signal's files; None if it was not recorded."""
        file = folder / name
        if not file.exists() or not file.stat().st_size:
            return None
        pairs = {factor: _mapped(folder / f"{name}.{factor}") for factor in FACTORS}
        return cls(_mapped(file), pairs)

    def extremes(self, factor: int, first: int, last: int, merged: int) -> dict[str, Any]:
        """Return the least and the most of some rows of a factor, so many rows at a time."""
        if factor == 1:
            rows = list(self.samples[first:last])
            least = [inf if isnan(mv) else mv for mv in rows]
            most = [-inf if isnan(mv) else mv for mv in rows]
        else:
            rows = list(self.pairs[factor][2 * first : 2 * last])
            least, most = rows[::2], rows[1::2]
        if merged > 1:
            begins = range(0, len(least), merged)
            least = [min(least[begin : begin + merged]) for begin in begins]
            most = [max(most[begin : begin + merged]) for begin in begins]
        return {"min": _rounded(least), "max": _rounded(most)}


@dataclass(frozen=True, slots=True, eq=False)
class Zoom:
    """One recording.

    Attributes:
        told: what ``daemon.web.reader`` tells besides.
    """

    told: Mapping[str, Any]
    ecg: Signal
    respiration: Signal | None

    @classmethod
    def of(cls, folder: Path) -> Zoom:
        """Map what the reader left in a folder."""
        told = json.loads((folder / "told.json").read_bytes())
        ecg = Signal.of(folder, "ecg")
        assert ecg is not None  # as the reader refuses a recording without a sample
        return cls(told, ecg, Signal.of(folder, "respiration"))

    @property
    def rate_hz(self) -> float:
        """Samples a second."""
        return float(self.told["rate_hz"])

    @property
    def duration_s(self) -> float:
        """How long it is."""
        return len(self.ecg.samples) / self.rate_hz

    @property
    def size_bytes(self) -> int:
        """The size of all files behind it."""
        signals = [signal for signal in (self.ecg, self.respiration) if signal]
        return sum(
            view.nbytes for signal in signals for view in (signal.samples, *signal.pairs.values())
        )

    def stretch(self, from_s: float, to_s: float, width: int) -> dict[str, Any]:
        """Return a stretch of it in so many steps, or in one more."""
        count = len(self.ecg.samples)
        begin, end = (round(min(max(at_s * self.rate_hz, 0), count)) for at_s in (from_s, to_s))
        wanted = (end - begin) / width  # samples a step
        factor = max((each for each in FACTORS if each <= wanted), default=1)
        first, last = begin // factor, ceil(end / factor)
        merged = max(1, ceil((last - first - 1) / width))
        rows = factor, first, last, merged
        return {
            "from_s": first * factor / self.rate_hz,
            "to_s": min(last * factor, count) / self.rate_hz,
            "step_s": merged * factor / self.rate_hz,
            "rate_hz": self.rate_hz,
            "ecg_mv": self.ecg.extremes(*rows),
            "respiration_mv": self.respiration and self.respiration.extremes(*rows),
        }

    def last_mv(self, seconds: float) -> list[float | None]:
        """Return the ECG's end, without what was measured while an electrode was off."""
        samples = self.ecg.samples
        begin = max(0, len(samples) - round(seconds * self.rate_hz))
        taken = _rounded(samples[begin:], 6)
        for off_s, on_s in self.told["lead_off_s"]:
            off = max(0, round(off_s * self.rate_hz) - begin)
            on = len(taken) if on_s is None else max(0, round(on_s * self.rate_hz) - begin)
            taken[off:on] = [None] * len(taken[off:on])
        return taken


def _mapped(file: Path) -> memoryview[float]:
    with file.open("rb") as opened:
        return memoryview(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)).cast("f")


def _rounded(numbers: Iterable[float], digits: int = DIGITS) -> list[float | None]:
    return [round(number, digits) if isfinite(number) else None for number in numbers]
