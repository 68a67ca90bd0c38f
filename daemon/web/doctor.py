"""What is wrong with the device, and what to do: looked at by one child for all who ask."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from daemon.web.children import PREFIX, run

LOOK_S = 60.0  # at most
FRESH_S = 10.0  # for which what was found serves everybody


@dataclass(frozen=True, slots=True)
class Checkup:
    """What was found of the device, as far as that takes neither rights nor the chip."""

    at_utc: str  # when it was looked
    simulated: bool  # whether no real chip is behind it
    #: of each check: verdict (fine, note, wrong, skipped), about (its name), says (what was found
    #: and what to do), figures (what was measured, by names with their units)
    findings: Any


class Doctor:
    """Has the device looked at: one child at a time, whose findings are for all who wait."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._looking = asyncio.Lock()
        self._newest: tuple[Checkup, float] | None = None

    async def look(self) -> Checkup:
        """Return what is found, or was just now.

        Raises:
            Problem: the child failed, or took too long.
        """
        async with self._looking:
            if self._newest is None or self._now() - self._newest[1] >= FRESH_S:
                self._newest = await _look(), self._now()
            return self._newest[0]


async def _look() -> Checkup:
    at_utc = datetime.now(UTC).isoformat(timespec="seconds")
    with TemporaryDirectory(prefix=PREFIX) as folder:
        told = json.loads(await run(Path(folder), "daemon.web.checkup", time_s=LOOK_S))
    return Checkup(at_utc, **told)
