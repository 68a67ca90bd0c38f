"""The Raspberry Pi's side: options, SPI through a stand-in for spidev, and the whole board."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest
from gpiozero.pins.mock import MockFactory

from daemon.commands.exit_codes import exit_code
from drivers import raspberry
from drivers.errors import (
    BusError,
    DriverError,
    NoSpiDevice,
    PackageMissing,
    SpiNotPermitted,
)
from drivers.raspberry import BoardOptions, SpidevBus, neighbours, open_board


class FakeSpiDev:
    """As much of spidev.SpiDev as is used, with its habit of overwriting a list."""

    opened: ClassVar[list[FakeSpiDev]] = []
    failure: ClassVar[int | None] = None

    def __init__(self) -> None:
        self.mode = 0
        self.max_speed_hz = 0
        self.calls: list[tuple[Any, ...]] = []
        self.closed = False
        self.opened.append(self)

    def open(self, bus: int, device: int) -> None:
        self.fail()
        self.address = (bus, device)

    def xfer2(self, values: Sequence[int], *settings: int) -> list[int]:
        self.fail()
        self.calls.append((values, *settings))
        return [byte ^ 0xFF for byte in values]

    def close(self) -> None:
        self.closed = True

    def fail(self) -> None:
        if self.failure is not None:
            raise OSError(self.failure, os.strerror(self.failure))


@pytest.fixture
def spidev(monkeypatch: pytest.MonkeyPatch) -> type[FakeSpiDev]:
    """The stand-in for spidev, where the driver imports it."""
    module = ModuleType("spidev")
    module.SpiDev = FakeSpiDev  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "spidev", module)
    monkeypatch.setattr(FakeSpiDev, "opened", [])
    return FakeSpiDev


# Options


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"spi_hz": 4_000_000}, "spi_hz: 4000000 is not between 100000 and 1000000"),
        ({"spi_bus": 9}, "spi_bus: 9 is not between 0 and 6"),
        ({"spi_device": 3}, "spi_device: 3 is not between 0 and 2"),
        ({"drdy_pin": 40}, "drdy_pin: 40 is not between 2 and 27"),
        ({"drdy_pin": None}, "drdy_pin: None is not between 2 and 27"),
        ({"drdy_pin": 9}, "drdy_pin: 9 is already used for SPI"),
        ({"reset_pin": 25}, "reset_pin: 25 is already used for drdy_pin"),
        ({"drdy_backend": "pigpio"}, "drdy_backend: pigpio is not one of gpiozero, gpiod"),
        ({"gpio_chip": "gpiochip0"}, "gpio_chip: gpiochip0 does not begin with /dev/"),
    ],
)
def test_impossible_wiring_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        BoardOptions(**changes)


def test_start_and_reset_may_be_tied() -> None:
    BoardOptions(start_pin=None, reset_pin=None)


# SPI


def test_a_transfer_is_one_call_with_bytes_and_a_hold_of_chip_select() -> None:
    device = FakeSpiDev()
    assert SpidevBus(device, 500_000).transfer(b"\x12\x00\x34") == b"\xed\xff\xcb"
    (values, speed_hz, delay_us) = device.calls[0]
    assert isinstance(values, bytes)
    assert speed_hz == 500_000
    assert delay_us >= 8


def test_a_failed_transfer_is_a_bus_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeSpiDev, "failure", errno.ETIMEDOUT)
    with pytest.raises(BusError, match="timed out") as caught:
        SpidevBus(FakeSpiDev()).transfer(bytes(10))
    assert exit_code(caught.value) == 74


def test_an_error_without_a_number_says_what_it_can(spidev: type[FakeSpiDev]) -> None:
    class Failing(FakeSpiDev):
        def fail(self) -> None:
            raise OSError("Argument list is too long")

    with pytest.raises(BusError, match=r"failed \(Argument list is too long\)"):
        SpidevBus(Failing()).transfer(bytes(10))


@pytest.mark.parametrize(
    ("failure", "error", "advice"),
    [
        (errno.ENOENT, NoSpiDevice, "enable SPI with raspi-config"),
        (errno.EACCES, SpiNotPermitted, "groups spi and gpio"),
        (errno.EINVAL, BusError, "dmesg"),
    ],
)
def test_a_device_that_cannot_be_opened_says_what_to_do(
    spidev: type[FakeSpiDev],
    monkeypatch: pytest.MonkeyPatch,
    failure: int,
    error: type[DriverError],
    advice: str,
) -> None:
    monkeypatch.setattr(spidev, "failure", failure)
    with pytest.raises(error, match=advice) as caught:
        open_board(BoardOptions())
    assert type(caught.value) is error


def test_exit_codes_tell_a_missing_device_from_one_that_is_not_ours() -> None:
    assert (exit_code(NoSpiDevice()), exit_code(SpiNotPermitted())) == (69, 77)


@pytest.mark.parametrize("package", ["spidev", "gpiozero", "gpiod"])
def test_a_missing_package_is_named_with_its_remedy(
    spidev: type[FakeSpiDev], monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    backend: Any = "gpiod" if package == "gpiod" else "gpiozero"
    with pytest.raises(PackageMissing, match=rf"{package} .*pip install '\.\[pi\]'"):
        open_board(BoardOptions(drdy_backend=backend))


def test_neighbours_are_devices_with_a_driver_of_their_own(tmp_path: Path) -> None:
    drivers, devices = tmp_path / "drivers", tmp_path / "devices"
    for name, driver in (("spi0.0", "spidev"), ("spi0.1", "ads7846"), ("spi1.0", "mcp251x")):
        (devices / name).mkdir(parents=True)
        (drivers / driver).mkdir(parents=True)
        (devices / name / "driver").symlink_to(drivers / driver)
    assert neighbours(0, 0, devices) == ("spi0.1 (ads7846)",)
    assert neighbours(0, 1, devices) == ()
    assert neighbours(2, 0, devices) == ()


# The whole board


def test_the_board_is_opened_as_wired(spidev: type[FakeSpiDev], pins: MockFactory) -> None:
    board = open_board(BoardOptions(spi_device=1))
    assert spidev.opened[0].address == (0, 1)
    assert spidev.opened[0].mode == 1
    assert not board.simulated
    assert board.start is not None
    assert board.reset is not None
    assert (pins.pin(22).state, pins.pin(24).state) == (0, 0)
    board.reset.set(True)
    assert (pins.pin(22).state, pins.pin(24).state) == (0, 1)
    before_s = board.clock.now()
    assert before_s <= time.monotonic()
    board.close()
    assert spidev.opened[0].closed


def test_tied_pins_are_left_alone(spidev: type[FakeSpiDev], pins: MockFactory) -> None:
    board = open_board(BoardOptions(start_pin=None, reset_pin=None))
    assert board.start is None
    assert board.reset is None
    board.close()


def test_another_device_on_the_bus_is_warned_of(
    spidev: type[FakeSpiDev],
    pins: MockFactory,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(raspberry, "neighbours", lambda *_: ("spi0.1 (ads7846)",))
    open_board(BoardOptions()).close()
    assert [record.getMessage() for record in caplog.records] == [
        "spi0.1 (ads7846) on the same SPI controller: traffic there clears DRDY and loses samples"
    ]
