"""The twelve registers of the ADS1292R: addresses, fields, and the bits that must not be touched.

    address          reset  bit 7 ... bit 0                                       (1, 0: must be)
    00  ID           73     REV7 REV6 REV5 1 0 0 REV1 REV0                        read only
    01  CONFIG1      02     SINGLE_SHOT 0 0 0 0 DR2 DR1 DR0
    02  CONFIG2      80     1 PDB_LOFF_COMP PDB_REFBUF VREF_4V CLK_EN 0 INT_TEST TEST_FREQ
    03  LOFF         10     COMP_TH2 COMP_TH1 COMP_TH0 1 ILEAD1 ILEAD0 0 FLEAD_OFF
    04  CH1SET       00     PD GAIN2 GAIN1 GAIN0 MUX3 MUX2 MUX1 MUX0
    05  CH2SET       00     as CH1SET
    06  RLD_SENS     00     CHOP1 CHOP0 PDB_RLD RLD_LOFF_SENS RLD2N RLD2P RLD1N RLD1P
    07  LOFF_SENS    00     0 0 FLIP2 FLIP1 LOFF2N LOFF2P LOFF1N LOFF1P
    08  LOFF_STAT    00     0 CLK_DIV 0 RLD_STAT IN2N IN2P IN1N IN1P              low five read only
    09  RESP1        00     DEMOD_EN MOD_EN PH3 PH2 PH1 PH0 1 RESP_CTRL
    0A  RESP2        02     CALIB_ON 0 0 0 0 RESP_FREQ RLDREF_INT 1
    0B  GPIO         0C     0 0 0 0 GPIOC2 GPIOC1 GPIOD2 GPIOD1

RESP1 and RESP2 wake up violating their own must-be-1 bits, so a driver always writes them.
Source: datasheet SBAS502, "Register Map".
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple


class Register(IntEnum):
    """A register's address."""

    ID = 0x00
    CONFIG1 = 0x01
    CONFIG2 = 0x02
    LOFF = 0x03
    CH1SET = 0x04
    CH2SET = 0x05
    RLD_SENS = 0x06
    LOFF_SENS = 0x07
    LOFF_STAT = 0x08
    RESP1 = 0x09
    RESP2 = 0x0A
    GPIO = 0x0B


REGISTER_COUNT: Final = len(Register)

#: What an ADS1292R holds after power-up or reset, by address.
RESET_VALUES: Final = (0x73, 0x02, 0x80, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x0C)

#: The family by its ID register.
PARTS: Final = {
    0x73: "ADS1292R",
    0x53: "ADS1292",
    0x52: "ADS1291",
    0x51: "ADS1192",
    0x50: "ADS1191",
}


class MustBe(NamedTuple):
    """Which bits of a register may be chosen, and which must be written as 1."""

    free: int
    ones: int


MUST_BE: Final = {
    Register.CONFIG1: MustBe(free=0x87, ones=0x00),
    Register.CONFIG2: MustBe(free=0x7B, ones=0x80),
    Register.LOFF: MustBe(free=0xED, ones=0x10),
    Register.CH1SET: MustBe(free=0xFF, ones=0x00),
    Register.CH2SET: MustBe(free=0xFF, ones=0x00),
    Register.RLD_SENS: MustBe(free=0xFF, ones=0x00),
    Register.LOFF_SENS: MustBe(free=0x3F, ones=0x00),
    Register.LOFF_STAT: MustBe(free=0x40, ones=0x00),
    Register.RESP1: MustBe(free=0xFD, ones=0x02),
    Register.RESP2: MustBe(free=0x86, ones=0x01),
    Register.GPIO: MustBe(free=0x0F, ones=0x00),
}

#: Bits that read back as they were written; the others follow the electrodes and the pins.
STABLE_BITS: Final = {
    **dict.fromkeys(Register, 0xFF),
    Register.LOFF_STAT: 0x40,
    Register.GPIO: 0x0C,
}

# CONFIG1
RATE_MASK: Final = 0x07
#: Samples per second -> DR2..DR0.
RATE_CODES: Final = {125: 0, 250: 1, 500: 2, 1000: 3, 2000: 4, 4000: 5, 8000: 6}
#: Seconds from START to the first DRDY, by samples per second (datasheet, "Settling Time").
SETTLING_S: Final = {
    125: 4100 / 128e3,
    250: 2052 / 128e3,
    500: 1028 / 128e3,
    1000: 516 / 128e3,
    2000: 260 / 128e3,
    4000: 132 / 128e3,
    8000: 68 / 128e3,
}

# CONFIG2
PDB_LOFF_COMP: Final = 0x40
PDB_REFBUF: Final = 0x20
VREF_4V: Final = 0x10
INT_TEST: Final = 0x02
TEST_FREQ: Final = 0x01
#: The two internal references in volts, without and with VREF_4V.
VREF_LOW_V: Final = 2.42
VREF_HIGH_V: Final = 4.033

# LOFF
FLEAD_OFF: Final = 0x01

# CH1SET, CH2SET
POWER_DOWN: Final = 0x80
GAIN_MASK: Final = 0x70
GAIN_SHIFT: Final = 4
#: Gain -> GAIN2..GAIN0; note that 6 is code 0.
GAIN_CODES: Final = {6: 0, 1: 1, 2: 2, 3: 3, 4: 4, 8: 5, 12: 6}


class Mux(IntEnum):
    """What a channel's amplifier can listen to besides the electrodes, which are 0."""

    SHORTED = 1
    SUPPLY = 3
    TEMPERATURE = 4
    TEST_SIGNAL = 5


# RLD_SENS
PDB_RLD: Final = 0x20

# RLD_SENS and LOFF_SENS: both inputs of a channel.
CHANNEL_INPUTS: Final = {1: 0x03, 2: 0x0C}

# RESP1
DEMOD_EN: Final = 0x80
MOD_EN: Final = 0x40
PHASE_SHIFT: Final = 2

# RESP2
RESP_FREQ: Final = 0x04
RLDREF_INT: Final = 0x02


def legal(register: Register, value: int) -> int:
    """Return ``value`` with the register's must-be bits put right."""
    must_be = MUST_BE[register]
    return value & must_be.free | must_be.ones


def gain_of(channel_setting: int) -> int:
    """Return the gain a CHnSET value selects; KeyError for the one illegal code."""
    return _GAINS[(channel_setting & GAIN_MASK) >> GAIN_SHIFT]


def rate_of(config1: int) -> int:
    """Return the samples per second a CONFIG1 value selects; KeyError for the one illegal code."""
    return _RATES_HZ[config1 & RATE_MASK]


def vref_of(config2: int) -> float:
    """Return the reference in volts that a CONFIG2 value selects."""
    return VREF_HIGH_V if config2 & VREF_4V else VREF_LOW_V


_GAINS: Final = {code: gain for gain, code in GAIN_CODES.items()}
_RATES_HZ: Final = {code: rate_hz for rate_hz, code in RATE_CODES.items()}
