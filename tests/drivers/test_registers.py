"""The register table, held to figures of the datasheet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import registers as reg
from drivers.registers import Register

WRITABLE = st.sampled_from([register for register in Register if register != Register.ID])
BYTE = st.integers(0, 255)

#: The register map of the datasheet, bit 7 first: fixed bits as 0 or 1, free ones as a dash.
DATASHEET = {
    Register.CONFIG1: "-0000---",
    Register.CONFIG2: "1----0--",
    Register.LOFF: "---1--0-",
    Register.CH1SET: "--------",
    Register.CH2SET: "--------",
    Register.RLD_SENS: "--------",
    Register.LOFF_SENS: "00------",
    Register.LOFF_STAT: "0-000000",  # the low five are read only
    Register.RESP1: "------1-",
    Register.RESP2: "-0000--1",
    Register.GPIO: "0000----",
}


def test_the_chip_wakes_up_as_the_datasheet_says() -> None:
    assert bytes(reg.RESET_VALUES).hex(" ") == "73 02 80 10 00 00 00 00 00 00 02 0c"


@given(WRITABLE, BYTE)
def test_a_legal_value_has_every_fixed_bit_right_and_every_free_bit_kept(
    register: Register, value: int
) -> None:
    written = f"{reg.legal(register, value):08b}"
    wanted = f"{value:08b}"
    for is_bit, bit, should in zip(written, wanted, DATASHEET[register], strict=True):
        assert is_bit == (bit if should == "-" else should)


@given(WRITABLE, BYTE)
def test_making_a_value_legal_twice_changes_nothing(register: Register, value: int) -> None:
    once = reg.legal(register, value)
    assert reg.legal(register, once) == once


def test_resp1_and_resp2_wake_up_breaking_their_own_rules() -> None:
    for register in (Register.RESP1, Register.RESP2):
        assert reg.legal(register, reg.RESET_VALUES[register]) != reg.RESET_VALUES[register]


@pytest.mark.parametrize(
    ("setting", "gain"),
    [(0x00, 6), (0x10, 1), (0x20, 2), (0x30, 3), (0x40, 4), (0x50, 8), (0x60, 12), (0x05, 6)],
)
def test_gain_6_is_code_0(setting: int, gain: int) -> None:
    assert reg.gain_of(setting) == gain


@pytest.mark.parametrize(("config1", "rate_hz"), [(0x00, 125), (0x01, 250), (0x02, 500)])
def test_the_rate_is_in_the_low_bits_of_config1(config1: int, rate_hz: int) -> None:
    assert reg.rate_of(config1) == rate_hz


@pytest.mark.parametrize(
    ("rate_hz", "milliseconds"),
    [(125, 32.03), (250, 16.03), (500, 8.03), (1000, 4.03), (2000, 2.03), (8000, 0.53)],
)
def test_settling_takes_as_long_as_the_datasheet_says(rate_hz: int, milliseconds: float) -> None:
    assert reg.SETTLING_S[rate_hz] * 1000 == pytest.approx(milliseconds, abs=0.005)


def test_the_reference_follows_its_bit() -> None:
    assert reg.vref_of(0xA0) == 2.42
    assert reg.vref_of(0xB0) == 4.033
