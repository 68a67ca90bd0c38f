"""DRDY through gpiozero's mock pins, and through a stand-in for libgpiod."""

from __future__ import annotations

import errno
import gc
import os
import sys
import threading
import time
from array import array
from enum import Enum
from types import ModuleType, SimpleNamespace
from typing import Any

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory

from daemon.commands.exit_codes import exit_code
from drivers.errors import (
    GpioNotPermitted,
    GpioUnavailable,
    PackageMissing,
)
from drivers.gpio_lines import (
    GpiodReadyLine,
    GpiozeroOutputLine,
    GpiozeroReadyLine,
)

# DRDY through gpiozero


def pulse(pin: Any) -> None:
    pin.drive_high()
    pin.drive_low()


def test_each_falling_edge_is_told_once_with_its_time(pins: MockFactory) -> None:
    line = GpiozeroReadyLine(25)
    before_s = time.monotonic()
    pulse(pins.pin(25))
    [edge] = line.wait(0.0)
    assert before_s <= edge.time_s <= time.monotonic()
    assert edge.sequence is None
    assert line.wait(0.0) == []
    line.close()


def test_a_quiet_line_gives_nothing_after_the_timeout(pins: MockFactory) -> None:
    line = GpiozeroReadyLine(25)
    assert line.wait(0.01) == []
    line.close()


def test_the_callback_survives_the_garbage_collector(pins: MockFactory) -> None:
    line = GpiozeroReadyLine(25)
    gc.collect()
    pulse(pins.pin(25))
    assert len(line.wait(0.0)) == 1
    line.close()


def test_a_late_reader_finds_every_edge_in_order(pins: MockFactory) -> None:
    line = GpiozeroReadyLine(25)
    for _ in range(50):
        pulse(pins.pin(25))
    times_s = [edge.time_s for edge in line.wait(0.0)]
    assert len(times_s) == 50
    assert times_s == sorted(times_s)
    line.close()


def test_waiting_ends_with_the_edge(pins: MockFactory) -> None:
    line = GpiozeroReadyLine(25)
    thread = threading.Timer(0.02, pulse, [pins.pin(25)])
    thread.start()
    assert len(line.wait(5.0)) == 1
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
    edges = line.wait(0.0)
    assert edges[0].time_s == pytest.approx(time.monotonic(), abs=1.0)
    assert edges[1].time_s - edges[0].time_s == pytest.approx(0.004, abs=1e-6)
    line.close()


class PiGPIOFactory(MockFactory):
    """Stands for the factory whose ticks are microseconds in 32 bits."""


@pytest.mark.parametrize("first", [0, 100_000_000, 2**32 - 3000])
def test_a_pin_factory_without_monotonic_ticks_is_refused_by_name(
    first: int, pins: MockFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpiozero.Device, "pin_factory", PiGPIOFactory())
    line = GpiozeroReadyLine(25)
    for number in range(2):
        line._fell((first + number * 4000) % 2**32, 0)
    with pytest.raises(GpioUnavailable, match=r"PiGPIOFactory.*GPIOZERO_PIN_FACTORY"):
        line.wait(0.0)
    line.close()


def test_lgpio_is_given_a_folder_that_it_may_write_to(
    pins: MockFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LG_WD", raising=False)
    monkeypatch.chdir("/proc")
    GpiozeroReadyLine(25).close()
    folder = os.environ["LG_WD"]
    assert os.access(folder, os.W_OK)
    assert folder != os.getcwd()
    os.rmdir(folder)


def test_a_folder_for_lgpio_that_is_set_stays(
    pins: MockFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LG_WD", "/run/qrsd")
    GpiozeroReadyLine(25).close()
    assert os.environ["LG_WD"] == "/run/qrsd"


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
        self.fd, self._kernel = os.pipe()
        self.value = FakeGpiod.line.Value.ACTIVE

    def fall(self, time_ns: int, number: int) -> None:
        """Write what the kernel does, as linux/gpio.h has it: struct gpio_v2_line_event."""
        falling, line = 2, 25
        words = (falling, line, number + 100, number, *6 * [0])
        os.write(self._kernel, time_ns.to_bytes(8, sys.byteorder) + array("I", words).tobytes())

    def get_value(self, line: int) -> Enum:
        return self.value

    def release(self) -> None:
        os.close(self.fd)
        os.close(self._kernel)


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
    line = GpiodReadyLine("/dev/gpiochip0", 25)
    settings = gpiod.request["config"][25]
    assert settings.edge_detection is gpiod.line.Edge.FALLING
    assert settings.event_clock is gpiod.line.Clock.MONOTONIC
    assert settings.direction is gpiod.line.Direction.INPUT
    assert gpiod.request["event_buffer_size"] >= 256
    line.close()


def test_gpiod_gives_the_kernels_times_and_numbers_in_order(gpiod: FakeGpiod) -> None:
    line = GpiodReadyLine("/dev/gpiochip0", 25)
    for number in range(5):
        gpiod.given.fall(number * 4_000_000, number)
    assert line.wait(0.0) == [(number * 0.004, number) for number in range(5)]
    assert line.wait(0.0) == []
    line.close()


def test_gpiod_reads_the_level_and_releases_the_line(gpiod: FakeGpiod) -> None:
    line = GpiodReadyLine("/dev/gpiochip0", 25)
    assert not line.is_low()
    gpiod.given.value = gpiod.line.Value.INACTIVE
    assert line.is_low()
    line.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(gpiod.given.fd)


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
    assert exit_code(caught.value) == 77


def test_version_1_of_gpiod_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiod", ModuleType("gpiod"))
    with pytest.raises(PackageMissing, match="version 1"):
        GpiodReadyLine("/dev/gpiochip0", 25)


def test_gpiod_waits_as_long_as_it_is_told_and_no_longer_than_the_edge(gpiod: FakeGpiod) -> None:
    line = GpiodReadyLine("/dev/gpiochip0", 25)
    began_s = time.monotonic()
    assert line.wait(0.05) == []
    assert 0.05 <= time.monotonic() - began_s < 5.0
    gpiod.given.fall(4_000_000, 1)
    assert line.wait(60.0) == [(0.004, 1)]
    line.close()


def test_an_output_is_low_until_it_is_driven(pins: MockFactory) -> None:
    line = GpiozeroOutputLine("START", 22)
    assert pins.pin(22).state == 0
    line.set(True)
    assert pins.pin(22).state == 1
    line.set(False)
    assert pins.pin(22).state == 0
    line.close()
