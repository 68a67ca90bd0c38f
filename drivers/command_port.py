"""Opcodes and registers over SPI, for a chip that is not streaming.

    RREG   001r rrrr  000n nnnn  then n + 1 bytes come        one chip-select frame each,
    WREG   010r rrrr  000n nnnn  and n + 1 bytes go           since CS high drops half a command

Source: datasheet SBAS502, "SPI Command Definitions".
"""

from __future__ import annotations

from drivers import registers as reg
from drivers.bus import Clock, SpiBus
from drivers.errors import ReadBackMismatch
from drivers.opcodes import Opcode
from drivers.registers import Register

#: 4 tCLK are 7.8 us; the chip takes no command before.
DECODE_S = 20e-6


class CommandPort:
    """Speaks to the chip one command at a time."""

    def __init__(self, spi: SpiBus, clock: Clock) -> None:
        self._spi = spi
        self._clock = clock

    def send(self, opcode: Opcode) -> None:
        """Send a command of one byte and wait until it has been decoded."""
        self._spi.transfer(bytes([opcode]))
        self._clock.sleep(DECODE_S)

    def dump(self) -> bytes:
        """Return the answer to reading all twelve registers, the two bytes before them included."""
        return self._spi.transfer(bytes([Opcode.RREG, reg.REGISTER_COUNT - 1, *_ZEROS]))

    def read_all(self) -> tuple[int, ...]:
        """Return all twelve registers by address."""
        return tuple(self.dump()[2:])

    def write(self, register: Register, value: int) -> None:
        """Write a register and read it back.

        Raises:
            ReadBackMismatch: it does not hold what was written.
        """
        self._spi.transfer(bytes([Opcode.WREG | register, 0, value]))
        self._clock.sleep(DECODE_S)
        found = self._spi.transfer(bytes([Opcode.RREG | register, 0, 0]))[2]
        if (found ^ value) & reg.STABLE_BITS[register]:
            raise mismatch(register, value, found)


def mismatch(register: Register, written: int, found: int) -> ReadBackMismatch:
    """Return the error for a register that does not hold what was written to it."""
    return ReadBackMismatch(
        f"Register {register.name} holds {found:02X} where {written:02X} was written: check the "
        "wiring of DIN, shorten the wires, lower board.spi_hz, and check the supply for dips."
    )


_ZEROS = bytes(reg.REGISTER_COUNT)
