"""The twelve registers of the simulated chip, which keeps its own must-be bits.

A write of a must-be bit is reported and the bit stays as the datasheet has it; a write of a
read-only bit is ignored. RESP1 and RESP2 nevertheless wake up violating their must-be-one bits.
Source: ADS1292R datasheet SBAS502, "Register Maps".
"""

from __future__ import annotations

from collections.abc import Callable

from drivers.registers import REGISTER_COUNT, RESET_VALUES, Register

#: Bits that must be written as one, and bits that must be written as zero.
MUST_BE_ONE = bytes.fromhex("00 00 80 10 00 00 00 00 00 02 01 00")
MUST_BE_ZERO = bytes.fromhex("00 78 04 02 00 00 00 C0 A0 00 78 F0")
#: Bits that a write does not change.
READ_ONLY = bytes.fromhex("FF 00 00 00 00 00 00 00 1F 00 00 00")

RATES_HZ = (125, 250, 500, 1000, 2000, 4000, 8000)
GAINS = (6, 1, 2, 3, 4, 8, 12)


class RegisterFile:
    """Twelve bytes under the rules of the register map.

    Args:
        report: called with one sentence for each write that the datasheet forbids.
    """

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._values = bytearray(RESET_VALUES)
        self.id = RESET_VALUES[Register.ID]

    def reset(self) -> None:
        """Return to the reset values."""
        self._values[:] = RESET_VALUES
        self._values[Register.ID] = self.id

    def __getitem__(self, address: int) -> int:
        return self._values[address] if address < REGISTER_COUNT else 0

    def flip(self, address: int, bits: int) -> None:
        """Invert bits as a cosmic ray would, past every rule."""
        self._values[address] ^= bits

    def set_electrodes_off(self, bits: int) -> None:
        """Show the comparators' outputs IN2N, IN2P, IN1N, IN1P in LOFF_STAT."""
        self._values[Register.LOFF_STAT] = self._values[Register.LOFF_STAT] & 0xF0 | bits

    def write(self, address: int, value: int) -> None:
        """Write a register as the chip would."""
        if not 0 < address < REGISTER_COUNT:
            self._report(f"WREG to address {address:02X}")
            return
        name = Register(address).name
        if value & MUST_BE_ONE[address] != MUST_BE_ONE[address]:
            self._report(f"{name}={value:02X}: bits {MUST_BE_ONE[address]:02X} must be one")
        if value & MUST_BE_ZERO[address]:
            self._report(f"{name}={value:02X}: bits {MUST_BE_ZERO[address]:02X} must be zero")
        self._report_reserved_codes(address, value)
        fixed = READ_ONLY[address]
        value = (value | MUST_BE_ONE[address]) & ~MUST_BE_ZERO[address]
        self._values[address] = value & ~fixed | self._values[address] & fixed

    def _report_reserved_codes(self, address: int, value: int) -> None:
        name = Register(address).name
        if address == Register.CONFIG1 and value & 0x07 == 7:
            self._report(f"{name}={value:02X}: data rate 7 is reserved")
        if address == Register.RLD_SENS and value >> 6 == 1:
            self._report(f"{name}={value:02X}: chop frequency 01 is reserved")
        if address in (Register.CH1SET, Register.CH2SET):
            if value >> 4 & 0x07 == 7:
                self._report(f"{name}={value:02X}: gain 7 is reserved")
            if value & 0x0F >= 10:
                self._report(f"{name}={value:02X}: input {value & 0x0F} is reserved")
            if value & 0x80 and value & 0x0F != 1:
                self._report(f"{name}={value:02X}: powered down without shorted input")

    @property
    def rate_hz(self) -> int:
        """Conversions per second; the reserved code converts at the default rate."""
        code = self._values[Register.CONFIG1] & 0x07
        return RATES_HZ[code] if code < len(RATES_HZ) else 500

    def gain(self, channel: int) -> int:
        """Return the gain of channel 0 or 1; the reserved code amplifies by 6."""
        code = self._values[Register.CH1SET + channel] >> 4 & 0x07
        return GAINS[code] if code < len(GAINS) else 6
