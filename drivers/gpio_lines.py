"""GPIO lines of a Raspberry Pi: DRDY by gpiozero or by libgpiod, START and PWDN/RESET by gpiozero.

DRDY must be heard by its falling edges alone. gpiozero's ``when_activated`` remembers the level and
speaks only when it changes: a sample read late leaves DRDY low with a high pulse of 8 us, the
rising edge is lost, and no callback ever comes again. ``pin.edges`` and ``pin.when_changed`` have
no such memory. Both backends stamp an edge with the kernel's monotonic time.
"""

from __future__ import annotations

import atexit
import os
import select
import shutil
import struct
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import ModuleType
from typing import Any

from drivers.bus import Edge, edge_of
from drivers.errors import GpioNotPermitted, GpioUnavailable, PackageMissing, reason

#: Edges kept by the kernel for the gpiod line: one second at 250 samples per second.
GPIOD_QUEUE = 256
#: Kernel stamps within this of the monotonic clock are taken to be on its scale.
_SAME_SCALE_S = 10.0
#: The kernel's ``struct gpio_v2_line_event``: time in ns and the number of the line's event; kind,
#: line and number among all lines' are skipped.
_EVENT = struct.Struct("=Q12xI24x")
_READ_BYTES = GPIOD_QUEUE * _EVENT.size


class GpiozeroReadyLine:
    """DRDY through gpiozero, whose callback thread feeds a queue."""

    def __init__(self, pin: int) -> None:
        gpiozero = _gpiozero()
        self._edges: SimpleQueue[Edge] = SimpleQueue()
        self._offset_s: float | None = None
        self._ticks_are_monotonic = True
        with _pin_errors("DRDY", pin):
            self._device = gpiozero.InputDevice(pin, pull_up=True)
            self._device.pin.edges = "falling"
            # gpiozero keeps only a weak reference: a bound method of this object lives as long as
            # the line does, where a lambda would vanish without a word.
            self._device.pin.when_changed = self._fell

    def _fell(self, ticks: float, state: int) -> None:
        self._edges.put(edge_of((self._monotonic(ticks), None)))

    def _monotonic(self, ticks: float) -> float:
        """Return a tick on the monotonic scale, whose origin gpiozero does not promise."""
        behind_s = time.monotonic() - ticks
        if self._offset_s is None:
            self._offset_s = 0.0 if abs(behind_s) < _SAME_SCALE_S else behind_s
        elif abs(behind_s - self._offset_s) > _SAME_SCALE_S:
            self._ticks_are_monotonic = False
        return ticks + self._offset_s

    def wait(self, timeout_s: float) -> list[Edge]:
        """Return the falling edges not yet taken, none after ``timeout_s``.

        Raises:
            GpioUnavailable: the pin factory's ticks do not keep up with the monotonic clock.
        """
        if not self._ticks_are_monotonic:
            raise _no_monotonic_ticks(self._device)
        try:
            edges = [self._edges.get(timeout=timeout_s)]
        except Empty:
            return []
        for _ in range(self._edges.qsize()):
            edges.append(self._edges.get_nowait())
        return edges

    def is_low(self) -> bool:
        """Return whether DRDY is low."""
        return not self._device.pin.state

    def close(self) -> None:
        """Release the pin."""
        self._device.close()


class GpiodReadyLine:
    """DRDY through libgpiod 2: kernel time stamps and sequence numbers, no thread in between.

    Args:
        chip: the GPIO chip's device file.
        pin: the line's offset, which on a Raspberry Pi is its BCM number.
    """

    def __init__(self, chip: str, pin: int) -> None:
        gpiod = _gpiod()
        line = gpiod.line
        settings = gpiod.LineSettings(
            direction=line.Direction.INPUT,
            edge_detection=line.Edge.FALLING,
            bias=line.Bias.PULL_UP,
            event_clock=line.Clock.MONOTONIC,
        )
        self._pin = pin
        self._low = line.Value.INACTIVE
        with _line_errors(chip, pin):
            self._request = gpiod.request_lines(
                chip, consumer="qrsd", config={pin: settings}, event_buffer_size=GPIOD_QUEUE
            )
        self._events: int = self._request.fd
        self._poller = select.poll()
        self._poller.register(self._events, select.POLLIN)

    def wait(self, timeout_s: float) -> list[Edge]:
        """Return the falling edges not yet taken, none after ``timeout_s``.

        The kernel's events are read as they are: for each, gpiod would make an object of ten parts.
        """
        if not self._poller.poll(timeout_s * 1000):
            return []
        edges = []
        for time_ns, sequence in _EVENT.iter_unpack(os.read(self._events, _READ_BYTES)):
            edges.append(edge_of((time_ns / 1e9, sequence)))
        return edges

    def is_low(self) -> bool:
        """Return whether DRDY is low."""
        return bool(self._request.get_value(self._pin) == self._low)

    def close(self) -> None:
        """Release the line."""
        self._request.release()


class GpiozeroOutputLine:
    """START or PWDN/RESET through gpiozero; low until told otherwise."""

    def __init__(self, name: str, pin: int) -> None:
        gpiozero = _gpiozero()
        with _pin_errors(name, pin):
            self._device = gpiozero.OutputDevice(pin, initial_value=False)

    def set(self, high: bool) -> None:
        """Drive the pin high or low."""
        self._device.value = int(high)

    def close(self) -> None:
        """Release the pin."""
        self._device.close()


def _gpiozero() -> ModuleType:
    if "LG_WD" not in os.environ:  # lgpio would make its pipes in the working directory
        os.environ["LG_WD"] = folder = tempfile.mkdtemp(prefix="qrsd-lgpio-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        import gpiozero
    except ImportError:
        raise PackageMissing(
            "gpiozero is not installed, and the board's pins need it: pip install '.[pi]'."
        ) from None
    return gpiozero  # type: ignore[no-any-return]


def _gpiod() -> Any:
    try:
        import gpiod
    except ImportError:
        raise PackageMissing(
            "gpiod is not installed, and board.drdy_backend: gpiod needs it: "
            "pip install '.[pi]', or set board.drdy_backend: gpiozero."
        ) from None
    if not hasattr(gpiod, "request_lines"):
        raise PackageMissing(
            "The installed gpiod is version 1, and version 2 is needed: pip install '.[pi]'."
        )
    return gpiod


def _no_monotonic_ticks(device: Any) -> GpioUnavailable:
    """Return the error for a pin factory whose ticks are not seconds that only grow."""
    name = type(getattr(device, "pin_factory", device)).__name__
    return GpioUnavailable(
        f"gpiozero runs on {name}, whose edges have no monotonic time in seconds (pigpio counts "
        "microseconds, which wrap): take GPIOZERO_PIN_FACTORY away or set it to lgpio, or set "
        "board.drdy_backend: gpiod."
    )


@contextmanager
def _pin_errors(name: str, pin: int) -> Iterator[None]:
    """Say in one sentence why gpiozero could not give a pin."""
    try:
        yield
    except Exception as error:  # gpiozero's backends have errors of their own, as lgpio.error
        raise GpioUnavailable(
            f"GPIO{pin} cannot be used for {name} ({reason(error)}): check the wiring table and "
            "the settings, that no other program holds the pin, that lgpio is installed, and that "
            "the user is in the group gpio."
        ) from error


@contextmanager
def _line_errors(chip: str, pin: int) -> Iterator[None]:
    """Say in one sentence why libgpiod could not give a line."""
    try:
        yield
    except PermissionError as error:
        raise not_permitted(chip) from error
    except OSError as error:
        raise GpioUnavailable(
            f"Line {pin} of {chip} cannot be used for DRDY ({reason(error)}): check "
            "board.gpio_chip (gpiodetect lists them), and that no other program holds the line."
        ) from error


def not_permitted(chip: str) -> GpioNotPermitted:
    """Return the error for a GPIO chip that belongs to others."""
    return GpioNotPermitted(
        f"{chip} may not be opened by this user: add it to the group gpio "
        "(sudo usermod -aG gpio USER) and log in again."
    )
