"""The Raspberry Pi's side: options, SPI through a stand-in for spidev, pins through gpiozero's mock
pins and through a stand-in for libgpiod."""

from __future__ import annotations

import errno
import gc
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory

from drivers.errors import (
    BusError,
    DriverError,
    GpioNotPermitted,
    GpioUnavailable,
    NoSpiDevice,
    PackageMissing,
    SpiNotPermitted,
)
from drivers.gpio_lines import (
    GPIOZERO_QUEUE,
    GpiodReadyLine,
    GpiozeroOutputLine,
    GpiozeroReadyLine,
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
def pins() -> Iterator[MockFactory]:
    """Mock pins in place of the Pi's."""
    before = gpiozero.Device.pin_factory
    gpiozero.Device.pin_factory = factory = MockFactory()
    yield factory
    factory.reset()
    gpiozero.Device.pin_factory = before


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
    assert caught.value.exit_code == 74


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
    assert (NoSpiDevice.exit_code, SpiNotPermitted.exit_code) == (69, 77)


@pytest.mark.parametrize("package", ["spidev", "gpiozero", "gpiod"])
def test_a_missing_package_is_named_with_its_remedy(
    spidev: type[FakeSpiDev], monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    backend: Any = "gpiod" if package == "gpiod" else "gpiozero"
    with pytest.raises(PackageMissing, match=rf"{package} .*pip install 'qrsd\[pi\]'"):
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


# DRDY through gpiozero


def pulse(pin: Any) -> None:
    pin.drive_high()
    pin.drive_low()


def test_each_falling_edge_is_told_once_with_its_time(pins: MockFactory) -> None:
    line = GpiozeroReadyLine(25)
    before_s = time.monotonic()
    pulse(pins.pin(25))
    edge = line.wait(0.0)
    assert edge is not None
    assert before_s <= edge.time_s <= time.monotonic()
    assert edge.sequence is None
    assert line.wait(0.0) is None
    line.close()


def test_a_quiet_line_gives_nothing_after_the_timeout(pins: MockFactory) -> None:
    line = GpiozeroReadyLine(25)
    assert line.wait(0.01) is None
    line.close()


def test_the_callback_survives_the_garbage_collector(pins: MockFactory) -> None:
    line = GpiozeroReadyLine(25)
    gc.collect()
    pulse(pins.pin(25))
    assert line.wait(0.0) is not None
    line.close()


def test_a_late_reader_finds_the_newest_edges(pins: MockFactory) -> None:
    line = GpiozeroReadyLine(25)
    for _ in range(3 * GPIOZERO_QUEUE):
        pulse(pins.pin(25))
    edges = []
    while (edge := line.wait(0.0)) is not None:
        edges.append(edge.time_s)
    assert len(edges) == GPIOZERO_QUEUE
    assert edges == sorted(edges)
    line.close()


def test_waiting_ends_with_the_edge(pins: MockFactory) -> None:
    line = GpiozeroReadyLine(25)
    thread = threading.Timer(0.02, pulse, [pins.pin(25)])
    thread.start()
    assert line.wait(5.0) is not None
    thread.join()
    line.close()


def test_the_level_can_be_read(pins: MockFactory) -> None:
    line = GpiozeroReadyLine(25)
    assert not line.is_low()  # pulled up: a wire that is not there reads as no sample
    pins.pin(25).drive_low()
    assert line.is_low()
    line.close()


def test_ticks_of_another_origin_are_put_on_the_monotonic_clock(pins: MockFactory) -> None:
    line = GpiozeroReadyLine(25)
    for ticks in (1.7e9, 1.7e9 + 0.004):
        line._fell(ticks, 0)
    edges = [line.wait(0.0), line.wait(0.0)]
    assert edges[0] is not None
    assert edges[1] is not None
    assert edges[0].time_s == pytest.approx(time.monotonic(), abs=1.0)
    assert edges[1].time_s - edges[0].time_s == pytest.approx(0.004, abs=1e-6)
    line.close()


def test_an_error_of_gpiozeros_own_backend_is_caught_too(
    pins: MockFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    class BackendError(Exception):
        """As lgpio.error is: no relative of gpiozero's errors."""

    def refuse(*_: object) -> None:
        raise BackendError("GPIO busy")

    monkeypatch.setattr(pins, "pin", refuse)
    with pytest.raises(GpioUnavailable, match="GPIO busy"):
        GpiozeroReadyLine(25)


def test_a_pin_in_use_is_named(pins: MockFactory) -> None:
    line = GpiozeroReadyLine(25)
    with pytest.raises(GpioUnavailable, match="GPIO25 cannot be used for START"):
        GpiozeroOutputLine("START", 25)
    line.close()


# DRDY through libgpiod


class FakeRequest:
    """As much of gpiod.LineRequest as is used."""

    def __init__(self) -> None:
        self.pending: list[SimpleNamespace] = []
        self.value = FakeGpiod.line.Value.ACTIVE
        self.released = False

    def wait_edge_events(self, timeout: float) -> bool:
        return bool(self.pending)

    def read_edge_events(self) -> list[SimpleNamespace]:
        events, self.pending = self.pending, []
        return events

    def get_value(self, line: int) -> Enum:
        return self.value

    def release(self) -> None:
        self.released = True


class FakeGpiod(ModuleType):
    """As much of the module gpiod, version 2, as is used."""

    class line:  # noqa: N801
        """gpiod.line."""

        Direction = Enum("Direction", ["INPUT", "OUTPUT"])
        Edge = Enum("Edge", ["FALLING", "BOTH"])
        Bias = Enum("Bias", ["PULL_UP", "AS_IS"])
        Clock = Enum("Clock", ["MONOTONIC", "REALTIME"])
        Value = Enum("Value", ["INACTIVE", "ACTIVE"])

    LineSettings = SimpleNamespace

    def request_lines(self, path: str, **request: Any) -> FakeRequest:
        if path != "/dev/gpiochip0":
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        self.path, self.request = path, request
        self.given = FakeRequest()
        return self.given


@pytest.fixture
def gpiod(monkeypatch: pytest.MonkeyPatch) -> FakeGpiod:
    """The stand-in for gpiod, where the driver imports it."""
    module = FakeGpiod("gpiod")
    monkeypatch.setitem(sys.modules, "gpiod", module)
    return module


def test_gpiod_listens_to_falling_edges_on_the_monotonic_clock(gpiod: FakeGpiod) -> None:
    GpiodReadyLine("/dev/gpiochip0", 25)
    settings = gpiod.request["config"][25]
    assert settings.edge_detection is gpiod.line.Edge.FALLING
    assert settings.event_clock is gpiod.line.Clock.MONOTONIC
    assert settings.direction is gpiod.line.Direction.INPUT
    assert gpiod.request["event_buffer_size"] >= 256


def test_gpiod_gives_the_kernels_times_and_numbers_in_order(gpiod: FakeGpiod) -> None:
    line = GpiodReadyLine("/dev/gpiochip0", 25)
    gpiod.given.pending = [
        SimpleNamespace(timestamp_ns=n * 4_000_000, line_seqno=n) for n in range(5)
    ]
    assert [line.wait(0.0) for _ in range(6)] == [
        *((n * 0.004, n) for n in range(5)),
        None,
    ]


def test_gpiod_reads_the_level_and_releases_the_line(gpiod: FakeGpiod) -> None:
    line = GpiodReadyLine("/dev/gpiochip0", 25)
    assert not line.is_low()
    gpiod.given.value = gpiod.line.Value.INACTIVE
    assert line.is_low()
    line.close()
    assert gpiod.given.released


def test_a_gpio_chip_that_is_not_there_is_named(gpiod: FakeGpiod) -> None:
    with pytest.raises(GpioUnavailable, match="/dev/gpiochip9"):
        GpiodReadyLine("/dev/gpiochip9", 25)


def test_a_gpio_chip_that_is_not_ours_says_which_group(
    gpiod: FakeGpiod, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(gpiod, "request_lines", refuse)
    with pytest.raises(GpioNotPermitted, match="group gpio") as caught:
        GpiodReadyLine("/dev/gpiochip0", 25)
    assert caught.value.exit_code == 77


def test_version_1_of_gpiod_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiod", ModuleType("gpiod"))
    with pytest.raises(PackageMissing, match="version 1"):
        GpiodReadyLine("/dev/gpiochip0", 25)
