"""The surface of ``spidev.SpiDev`` in front of the simulated chip, habits included.

A list that is passed is overwritten and returned; bytes stay as they are and give a fresh list;
a tuple gives a tuple. One call is one chip-select frame.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence

from drivers.simulator.world import World

#: From the last bit to the release of CS when no delay is asked for.
_RELEASE_S = 2e-6


class SimulatedSpiDev:
    """An SPI device as py-spidev 3.8 gives it.

    Attributes:
        mode: clock polarity and phase; the chip wants 1.
        max_speed_hz: SCLK in Hz.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._is_open = False
        self._missing = world.faults.get("no-chip-00")
        self._floating = world.faults.get("no-chip-ff")
        self._failing = world.faults.get("spi-error")
        self.mode = 0
        self.max_speed_hz = 500_000

    def open(self, bus: int, device: int) -> None:
        """Open ``/dev/spidev<bus>.<device>``."""
        self._is_open = True

    def close(self) -> None:
        """Close the device."""
        self._is_open = False

    def xfer2(
        self, values: Sequence[int], speed_hz: int = 0, delay_usec: int = 0
    ) -> list[int] | tuple[int, ...]:
        """Exchange bytes in one chip-select frame, which ends ``delay_usec`` after the last bit.

        Raises:
            OSError: the device is not open, or the fault ``spi-error`` strikes.
        """
        answer = self._exchange(bytes(values), speed_hz or self.max_speed_hz, delay_usec * 1e-6)
        if isinstance(values, list):
            values[:] = answer
            return values
        return tuple(answer) if isinstance(values, tuple) else list(answer)

    def _exchange(self, data: bytes, sclk_hz: int, delay_s: float) -> bytes:
        if not self._is_open:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        hold_s = delay_s + _RELEASE_S
        with self._world.lock:
            self._world.catch_up()
            answer = self._answer(data, sclk_hz, hold_s)
        self._world.end_transfer(len(data) * 8 / sclk_hz + hold_s)
        return answer

    def _answer(self, data: bytes, sclk_hz: int, hold_s: float) -> bytes:
        chip = self._world.chip
        if self._failing and self._failing.strikes(chip.time_s):
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        if self._missing and self._missing.active(chip.time_s):
            return bytes(len(data))
        if self._floating and self._floating.active(chip.time_s):
            return b"\xff" * len(data)
        if self.mode != 1:
            chip.violations.append(f"SPI mode {self.mode}, the chip wants 1")
            return bytes(len(data))
        return chip.transfer(data, sclk_hz, hold_s)
