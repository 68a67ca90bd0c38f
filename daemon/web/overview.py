"""Recordings to be looked at: those that were looked at last are kept at any zoom.

Each is read once by a child (``daemon.web.reader``), and again when it has grown.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from daemon.web.children import PREFIX, run
from daemon.web.recordings_folder import files_of
from daemon.web.zoom import Zoom

READ_S = 300.0  # at most
KEPT_BYTES = 512 << 20  # of files without names: a day, and hours
STALE_S = 10.0  # until one that grows is read again


class Overviews:
    """Those that were looked at last; another is read when it is asked for, one at a time."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._kept: OrderedDict[Path, tuple[Zoom, list[tuple[int, int]], float]] = OrderedDict()
        self._reading = asyncio.Lock()

    async def of(self, path: Path) -> Zoom:
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
                zoom = Zoom.of(folder)
            self._kept[path] = zoom, state, self._now()
            self._kept.move_to_end(path)
            self._make_room()
            return zoom

    def forget(self, path: Path) -> None:
        """Let go of one."""
        self._kept.pop(path, None)

    def _fresh(self, path: Path) -> Zoom | None:
        zoom, state, read_s = self._kept.get(path, (None, None, 0.0))
        if zoom is None:
            return None
        if state != _state(path) and self._now() - read_s >= STALE_S:
            return None
        self._kept.move_to_end(path)
        return zoom

    def _make_room(self) -> None:
        while len(self._kept) > 1 and self._size > KEPT_BYTES:
            self._kept.popitem(last=False)

    @property
    def _size(self) -> int:
        return sum(zoom.size_bytes for zoom, _, _ in self._kept.values())


def _state(path: Path) -> list[tuple[int, int]]:
    """Tell one state of a recording's files from another."""
    stats = [part.stat() for part in files_of(path)]
    return [(each.st_size, each.st_mtime_ns) for each in stats]
