"""The board on a Raspberry Pi: SPI through spidev, pins through gpiozero or libgpiod.

    chip     SCLK   DIN    DOUT   CS     DRDY    START   PWDN/RESET
    GPIO     11     10     9      8      25      22      24            (the defaults, on SPI0 CE0)

DRDY rises with the first SCLK edge whoever is addressed (datasheet, "Data Ready"), so any other
device on the same SPI controller makes samples disappear: :func:`neighbours` finds them.
"""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from drivers.bus import Board, ReadyLine
from drivers.errors import BusError, NoSpiDevice, PackageMissing, SpiNotPermitted, reason
from drivers.gpio_lines import GpiodReadyLine, GpiozeroOutputLine, GpiozeroReadyLine

#: Faster than 2 x 512 kHz, RREG and WREG need gaps between their bytes ("SPI Command Definitions").
MAX_SPI_HZ = 1_000_000
#: Slower, a frame takes a noticeable part of the 4 ms between samples.
MIN_SPI_HZ = 100_000
#: From the last bit to the release of CS: 4 tCLK are 7.8 us.
CS_HOLD_US = 10

_SPI_PINS = {0: (7, 8, 9, 10, 11), 1: (16, 17, 18, 19, 20, 21)}
_HEADER_PINS = range(2, 28)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BoardOptions:
    """How the chip is wired to the Raspberry Pi; pins by their BCM numbers."""

    spi_bus: int = 0  # SPI controller
    spi_device: int = 0  # chip select
    spi_hz: int = MAX_SPI_HZ  # highest SPI clock in Hz
    drdy_pin: int = 25  # GPIO that DRDY is wired to
    start_pin: int | None = 22  # GPIO of START, None where START is tied low
    reset_pin: int | None = 24  # GPIO of PWDN/RESET, None where it is tied high
    drdy_backend: Literal["gpiozero", "gpiod"] = "gpiozero"  # which library listens to DRDY
    gpio_chip: str = "/dev/gpiochip0"  # device file of the GPIO chip, for the gpiod backend

    def __post_init__(self) -> None:
        """Refuse with a ValueError what the Pi does not have, and a pin that is used twice."""
        if self.spi_bus not in range(7):
            raise ValueError(f"spi_bus: {self.spi_bus} is not between 0 and 6")
        if self.spi_device not in range(3):
            raise ValueError(f"spi_device: {self.spi_device} is not between 0 and 2")
        if not MIN_SPI_HZ <= self.spi_hz <= MAX_SPI_HZ:
            raise ValueError(f"spi_hz: {self.spi_hz} is not between {MIN_SPI_HZ} and {MAX_SPI_HZ}")
        if self.drdy_backend not in ("gpiozero", "gpiod"):
            raise ValueError(f"drdy_backend: {self.drdy_backend} is not one of gpiozero, gpiod")
        if not self.gpio_chip.startswith("/dev/"):
            raise ValueError(f"gpio_chip: {self.gpio_chip} does not begin with /dev/")
        self._check_pins()

    def _check_pins(self) -> None:
        taken = dict.fromkeys(_SPI_PINS.get(self.spi_bus, ()), "SPI")
        for name in ("drdy_pin", "start_pin", "reset_pin"):
            pin = getattr(self, name)
            if pin is None and name != "drdy_pin":
                continue
            if pin not in _HEADER_PINS:
                raise ValueError(f"{name}: {pin} is not between 2 and 27")
            if pin in taken:
                raise ValueError(f"{name}: {pin} is already used for {taken[pin]}")
            taken[pin] = name


class SpiDev(Protocol):
    """What is used of ``spidev.SpiDev``, on a Pi or simulated."""

    def xfer2(self, values: bytes, speed_hz: int, delay_usec: int, /) -> Sequence[int]:
        """Exchange bytes in one chip-select frame."""

    def close(self) -> None:
        """Close the device."""


class SpidevBus:
    """The SPI bus through a ``spidev.SpiDev``, open and in mode 1."""

    def __init__(self, device: SpiDev, speed_hz: int = MAX_SPI_HZ) -> None:
        self._device = device
        self._speed_hz = speed_hz

    def transfer(self, data: bytes) -> bytes:
        """Clock out ``data`` in one chip-select frame and return as many bytes clocked in.

        Raises:
            BusError: the kernel failed the transfer.
        """
        try:
            # bytes, never a list: xfer2 overwrites the list it is given.
            return bytes(self._device.xfer2(data, self._speed_hz, CS_HOLD_US))
        except OSError as error:
            raise BusError(
                f"An SPI transfer of {len(data)} bytes failed ({reason(error)}): check the "
                "kernel's log (dmesg) and that no other driver uses the controller."
            ) from error

    def close(self) -> None:
        """Close the device."""
        self._device.close()


class MonotonicClock:
    """The kernel's monotonic clock, the one that stamps edges."""

    now = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)


def open_board(options: BoardOptions) -> Board:
    """Open the SPI device and the pins.

    Raises:
        PackageMissing: spidev, gpiozero or gpiod is not installed.
        BusError: the SPI device is missing, not permitted, or cannot be set up.
        GpioUnavailable: a pin cannot be used.
    """
    spi = SpidevBus(_open_spi(options), options.spi_hz)
    others = neighbours(options.spi_bus, options.spi_device)
    if others:
        _LOG.warning(
            "%s on the same SPI controller: traffic there clears DRDY and loses samples",
            ", ".join(others),
        )
    return Board(
        spi=spi,
        ready=_open_ready_line(options),
        start=_open_output("START", options.start_pin),
        reset=_open_output("PWDN/RESET", options.reset_pin),
        clock=MonotonicClock(),
        simulated=False,
    )


def neighbours(
    spi_bus: int, spi_device: int, devices: Path = Path("/sys/bus/spi/devices")
) -> tuple[str, ...]:
    """Return the other devices of the SPI controller that a kernel driver has claimed.

    A bare ``spidev`` on the other chip select is the Pi's default and does no harm by itself.
    """
    own = f"spi{spi_bus}.{spi_device}"
    found = []
    for entry in sorted(devices.glob(f"spi{spi_bus}.*")):
        driver = entry / "driver"
        if entry.name != own and driver.exists() and driver.resolve().name != "spidev":
            found.append(f"{entry.name} ({driver.resolve().name})")
    return tuple(found)


def _open_spi(options: BoardOptions) -> Any:
    try:
        import spidev
    except ImportError:
        raise PackageMissing(
            "spidev is not installed, and the SPI bus needs it: pip install '.[pi]'."
        ) from None
    device = spidev.SpiDev()
    try:
        device.open(options.spi_bus, options.spi_device)
        device.mode = 1
        device.max_speed_hz = options.spi_hz
    except OSError as error:
        raise open_error(options, error) from error
    return device


def spi_path(options: BoardOptions) -> str:
    """Return the device file of the chip's place on the SPI bus."""
    return f"/dev/spidev{options.spi_bus}.{options.spi_device}"


def open_error(options: BoardOptions, error: OSError) -> BusError:
    """Return what the operating system's refusal to open the SPI device means."""
    path = spi_path(options)
    if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return NoSpiDevice(
            f"There is no {path}: enable SPI with raspi-config (Interface Options) or "
            "dtparam=spi=on, restart, and check board.spi_bus and board.spi_device."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return SpiNotPermitted(
            f"{path} may not be opened by this user: add it to the groups spi and gpio "
            "(sudo usermod -aG spi,gpio USER) and log in again."
        )
    return BusError(f"{path} cannot be set up ({reason(error)}): check the kernel's log (dmesg).")


def _open_ready_line(options: BoardOptions) -> ReadyLine:
    if options.drdy_backend == "gpiod":
        return GpiodReadyLine(options.gpio_chip, options.drdy_pin)
    return GpiozeroReadyLine(options.drdy_pin)


def _open_output(name: str, pin: int | None) -> GpiozeroOutputLine | None:
    return None if pin is None else GpiozeroOutputLine(name, pin)
