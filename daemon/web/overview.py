"""Recordings to be looked at: a day of samples at any zoom, in a thousandth of a second.

Each is read once, by a child (``daemon.web.reader``), which leaves its samples and the least and
the most of ever longer stretches of them. Those files are mapped into memory and have no names any
more: the system keeps of them what it has room for, and they are gone with the server.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daemon.web.children import PREFIX, run
from daemon.web.reader import FACTORS
from daemon.web.recordings_folder import files_of
from dsp.front_end import RATE_HZ

READ_S = 300.0  # at most
KEPT_BYTES = 512 << 20  # of files without names: two days
STALE_S = 10.0  # until one that grows is read again
DIGITS = 4  # of mV: a code of the chip's at gain 6 is 0.00005


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """One signal at all zooms: rows of the least and the most of so many samples."""

    rows: Mapping[int, NDArray[np.float32]]  # by samples a row, shape (n, 2)

    @classmethod
    def of(cls, folder: Path, name: str) -> Signal | None:
        """Map a signal's files; None if it was not recorded."""
        if not (folder / name).exists():
            return None
        values = np.memmap(folder / name, np.float32, "r")
        pairs = {
            factor: np.memmap(folder / f"{name}.{factor}", np.float32, "r").reshape(-1, 2)
            for factor in FACTORS
        }
        return cls({1: np.broadcast_to(values[:, None], (len(values), 2)), **pairs})

    def extremes(self, factor: int, first: int, last: int, merged: int) -> dict[str, Any]:
        """Return the least and the most of some rows, merged so many at a time; None for none."""
        rows = self.rows[factor][first:last]
        begins = np.arange(0, len(rows), merged)
        told = {}
        for name, merge, column in (("min", np.fmin, 0), ("max", np.fmax, 1)):
            merged_rows = merge.reduceat(rows[:, column], begins) if len(rows) else rows[:, column]
            numbers = merged_rows.astype(np.float64).round(DIGITS).tolist()
            told[name] = [number if isfinite(number) else None for number in numbers]
        return told


@dataclass(frozen=True, slots=True, eq=False)
class Overview:
    """One recording that was read.

    Attributes:
        told: what ``daemon.web.reader`` tells besides.
    """

    told: Mapping[str, Any]
    ecg: Signal
    respiration: Signal | None

    @classmethod
    def of(cls, folder: Path) -> Overview:
        """Map what the reader left in a folder, which may then be erased."""
        told = json.loads((folder / "told.json").read_bytes())
        ecg = Signal.of(folder, "ecg")
        assert ecg is not None  # as the reader refuses a recording without a sample
        return cls(told, ecg, Signal.of(folder, "respiration"))

    @property
    def duration_s(self) -> float:
        """How long it is."""
        return float(self.told["samples"]) / RATE_HZ

    @property
    def kept_bytes(self) -> int:
        """About the size of the files behind it."""
        return 10 * int(self.told["samples"])

    def samples(self, from_s: float, to_s: float, width: int) -> dict[str, Any]:
        """Return a stretch of it in so many steps at most, from the coarsest rows that will do."""
        count = int(self.told["samples"])
        begin, end = (min(max(round(at_s * RATE_HZ), 0), count) for at_s in (from_s, to_s))
        wanted = (end - begin) / width  # samples a step
        factor = max(each for each in self.ecg.rows if each <= max(wanted, 1))
        first, last = begin // factor, ceil(end / factor)
        merged = max(1, ceil((last - first - 1) / width))  # one more where it begins within a row
        respiration = self.respiration
        return {
            "from_s": first * factor / RATE_HZ,
            "to_s": min(last * factor, count) / RATE_HZ,
            "step_s": merged * factor / RATE_HZ,
            "rate_hz": RATE_HZ,
            "ecg_mv": self.ecg.extremes(factor, first, last, merged),
            "respiration_mv": respiration and respiration.extremes(factor, first, last, merged),
        }


class Overviews:
    """Those that were looked at last; another is read when it is asked for, one at a time."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._kept: OrderedDict[Path, tuple[Overview, list[tuple[int, int]], float]] = OrderedDict()
        self._reading = asyncio.Lock()

    async def of(self, path: Path) -> Overview:
        """Return that of a recording, read anew if it has grown.

        Raises:
            Problem: it cannot be read.
        """
        if kept := self._fresh(path):
            return kept
        async with self._reading:
            if kept := self._fresh(path):  # another request's, meanwhile
                return kept
            state = _state(path)
            with TemporaryDirectory(prefix=PREFIX) as name:
                folder = Path(name)
                await run(folder, "daemon.web.reader", path, folder, time_s=READ_S)
                overview = Overview.of(folder)
            self._kept[path] = overview, state, self._now()
            self._kept.move_to_end(path)
            self._make_room()
            return overview

    def forget(self, path: Path) -> None:
        """Let go of one."""
        self._kept.pop(path, None)

    def _fresh(self, path: Path) -> Overview | None:
        overview, state, read_s = self._kept.get(path, (None, None, 0.0))
        if overview is None:
            return None
        if state != _state(path) and self._now() - read_s >= STALE_S:
            return None
        self._kept.move_to_end(path)
        return overview

    def _make_room(self) -> None:
        while len(self._kept) > 1 and self._size > KEPT_BYTES:
            self._kept.popitem(last=False)

    @property
    def _size(self) -> int:
        return sum(overview.kept_bytes for overview, _, _ in self._kept.values())


def _state(path: Path) -> list[tuple[int, int]]:
    """Tell one state of a recording's files from another."""
    stats = [part.stat() for part in files_of(path)]
    return [(each.st_size, each.st_mtime_ns) for each in stats]
