"""Channels that say nothing are noticed within a tenth of a second."""

from __future__ import annotations

import pytest

from drivers.chip_setup import ChipOptions
from drivers.errors import ChannelFlat, ChannelSaturated, ChannelZero, Condition
from drivers.signal_monitor import SignalMonitor
from tests.drivers.test_chip_setup import setup


@pytest.mark.parametrize(
    ("code", "condition"),
    [
        (0x7FFFFF, ChannelSaturated),
        (-0x800000, ChannelSaturated),
        (1234, ChannelFlat),
        (0, ChannelZero),
    ],
)
def test_a_channel_that_stands_still_has_a_condition(code: int, condition: type[Condition]) -> None:
    monitor = SignalMonitor(setup(ChipOptions()))
    for number in range(25):
        assert monitor.conditions() == ()
        monitor.push((number, code))
    assert [type(found) for found in monitor.conditions()] == [condition]
    assert "Channel 2" in str(monitor.conditions()[0])


def test_a_channel_that_moves_again_is_well_again() -> None:
    monitor = SignalMonitor(setup(ChipOptions()))
    for number in range(30):
        monitor.push((number, 0x7FFFFF))
    monitor.push((30, 5))
    assert monitor.conditions() == ()
    assert monitor.saturated == 30


def test_a_channel_that_was_powered_down_may_be_zero() -> None:
    monitor = SignalMonitor(setup(ChipOptions(respiration=False)))
    for number in range(30):
        monitor.push((0, number))
    assert monitor.conditions() == ()
