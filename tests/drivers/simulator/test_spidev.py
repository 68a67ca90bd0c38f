"""The SpiDev surface, as py-spidev 3.8 behaves."""

from __future__ import annotations

import errno

import pytest

from drivers.simulator.options import SimulatorOptions
from drivers.simulator.spidev import SimulatedSpiDev
from drivers.simulator.world import SteppedWorld
from tests.drivers.simulator.bench import Ramp

READ_ID = (0x20, 0x00, 0x00)


def opened(*faults: str) -> SimulatedSpiDev:
    """Return a device whose chip can be asked for its registers."""
    world = SteppedWorld(Ramp(), SimulatorOptions(faults=faults))
    world.sleep(1.0)
    device = SimulatedSpiDev(world)
    device.open(0, 0)
    device.mode = 1
    if not faults:
        device.xfer2(b"\x11", 0, 10)
    return device


def test_a_list_is_overwritten_and_returned() -> None:
    values = list(READ_ID)
    assert opened().xfer2(values, 0, 10) is values
    assert values == [0, 0, 0x73]


def test_bytes_give_a_fresh_list_and_a_tuple_gives_a_tuple() -> None:
    device, data = opened(), bytes(READ_ID)
    assert device.xfer2(data, 0, 10) == [0, 0, 0x73]
    assert data == bytes(READ_ID)
    assert device.xfer2(READ_ID, 0, 10) == (0, 0, 0x73)


def test_the_speed_of_a_transfer_may_differ_from_the_devices() -> None:
    device = opened()
    device.max_speed_hz = 4_000_000
    assert device.xfer2(READ_ID, 0, 10) == (0, 0, 0)
    assert device.xfer2(READ_ID, 1_000_000, 10) == (0, 0, 0x73)


def test_without_a_delay_chip_select_rises_too_early() -> None:
    world = SteppedWorld(Ramp(), SimulatorOptions())
    world.sleep(1.0)
    device = SimulatedSpiDev(world)
    device.open(0, 0)
    device.mode = 1
    device.xfer2(b"\x11")
    assert device.xfer2(READ_ID, 0, 10) == (0xC0, 0, 0)


def test_the_wrong_mode_reads_nothing() -> None:
    device = opened()
    device.mode = 0
    assert device.xfer2(READ_ID, 0, 10) == (0, 0, 0)


def test_a_closed_device_fails_like_a_closed_file() -> None:
    device = opened()
    device.close()
    with pytest.raises(OSError, match="Bad file") as caught:
        device.xfer2(READ_ID)
    assert caught.value.errno == errno.EBADF


def test_a_failing_bus_raises_and_an_absent_chip_reads_a_constant() -> None:
    with pytest.raises(OSError, match="timed out"):
        opened("spi-error").xfer2(READ_ID)
    assert opened("no-chip-00").xfer2(READ_ID) == (0, 0, 0)
    assert opened("no-chip-ff").xfer2(READ_ID) == (255, 255, 255)
