"""What is asked of the chip, and what its registers make of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import registers as reg
from drivers.chip_setup import ChipOptions, ChipSetup, planned_registers, setup_from
from drivers.registers import Register


def setup(options: ChipOptions, **changes: int) -> ChipSetup:
    """Return the setup of a chip that took what was planned, but for some registers."""
    registers = list(reg.RESET_VALUES)
    for register, value in planned_registers(options, "ADS1292R").items():
        registers[register] = value
    for name, value in changes.items():
        registers[Register[name]] = value
    return setup_from(tuple(registers), options, simulated=False)


OPTIONS = st.builds(
    ChipOptions,
    ecg_channel=st.just(2),
    respiration=st.booleans(),
    gain=st.sampled_from([1, 2, 3, 4, 6, 8, 12]),
    respiration_gain=st.sampled_from([3, 4]),
    vref_v=st.sampled_from([2.42, 4.033]),
    rate_hz=st.sampled_from([125, 250, 500, 1000]),
    lead_off=st.booleans(),
)


@given(OPTIONS)
def test_what_is_written_comes_back_as_setup(options: ChipOptions) -> None:
    found = setup(options)
    assert found.rate_hz == options.rate_hz
    assert found.vref_v == options.vref_v
    assert found.gains[1] == options.gain
    assert found.respiration_channel == (1 if options.respiration else None)
    assert found.lead_off_known == options.lead_off


@given(OPTIONS)
def test_nothing_illegal_is_planned(options: ChipOptions) -> None:
    for register, value in planned_registers(options, "ADS1292R").items():
        assert reg.legal(register, value) == value


def test_the_reference_is_switched_on_first() -> None:
    assert next(iter(planned_registers(ChipOptions(), "ADS1292R"))) == Register.CONFIG2


def test_respiration_is_set_up_as_recommended() -> None:
    planned = planned_registers(ChipOptions(), "ADS1292R")
    assert planned[Register.RESP1] == 0xEA
    assert planned[Register.RESP2] == 0x03
    assert planned[Register.CH1SET] == 0x40


def test_the_part_without_respiration_gets_the_bit_it_wants() -> None:
    planned = planned_registers(ChipOptions(respiration=False), "ADS1292")
    assert planned[Register.RESP1] == 0x02
    assert planned[Register.RESP2] == 0x07


def test_an_unused_channel_is_powered_down_with_its_input_shorted() -> None:
    options = ChipOptions(respiration=False, ecg_channel=1)
    assert planned_registers(options, "ADS1292R")[Register.CH2SET] == 0x81


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gain": 5}, "gain: 5 is not one of 1, 2, 3, 4, 6, 8, 12"),
        ({"rate_hz": 300}, "rate_hz: 300 is not one of 125, 250, 500, 1000"),
        ({"vref_v": 3.3}, "vref_v: 3.3 is not one of 2.42, 4.033"),
        ({"respiration_gain": 6}, "respiration_gain: 6 is not one of 3, 4"),
        ({"ecg_channel": 3}, "ecg_channel: 3 is not one of 1, 2"),
        ({"read_mode": "poll"}, "read_mode: poll is not one of rdata, rdatac"),
        ({"ecg_channel": 1}, "ecg_channel: 1 cannot carry the ECG while respiration is on"),
    ],
)
def test_an_impossible_option_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        ChipOptions(**changes)


@pytest.mark.parametrize(
    "changes",
    [{"CONFIG2": 0xA0}, {"LOFF_SENS": 0x00}, {"LOFF_SENS": 0x04}, {"LOFF": 0x11}],
    ids=["comparators off", "inputs off", "one input off", "alternating current"],
)
def test_lead_off_is_unknown_unless_everything_for_it_is_on(changes: dict[str, int]) -> None:
    found = setup(ChipOptions(), **changes)
    assert not found.lead_off_known
    assert found.lead_off(0xCF8000) is None


@pytest.mark.parametrize(
    ("status", "off"), [(0xC00000, False), (0xC20000, True), (0xC40000, True), (0xC18000, False)]
)
def test_only_the_bits_of_the_ecg_electrodes_count_as_lead_off(status: int, off: bool) -> None:
    assert setup(ChipOptions()).lead_off(status) is off


def test_a_setup_can_be_written_as_json() -> None:
    found = json.loads(json.dumps(asdict(setup(ChipOptions()))))
    assert found["part"] == "ADS1292R"
    assert len(found["registers"]) == 12


@pytest.mark.parametrize("channel", [1, 2])
def test_electrodes_are_sensed_only_where_that_is_asked_for(channel: int) -> None:
    asked, not_asked = (
        planned_registers(
            ChipOptions(ecg_channel=channel, respiration=False, lead_off=lead_off), "ADS1292R"
        )
        for lead_off in (True, False)
    )
    assert asked[Register.LOFF_SENS] == {1: 0x03, 2: 0x0C}[channel]
    assert not_asked[Register.LOFF_SENS] == 0
    assert asked[Register.CONFIG2] ^ not_asked[Register.CONFIG2] == 0x40  # the comparators
    assert asked[Register.LOFF] == 0x10  # a direct current
