"""The one-byte commands of the ADS1292R (datasheet SBAS502, "SPI Command Definitions")."""

from __future__ import annotations

from enum import IntEnum


class Opcode(IntEnum):
    """What may be sent to the chip; RREG and WREG carry the first register's address."""

    WAKEUP = 0x02
    STANDBY = 0x04
    RESET = 0x06
    START = 0x08
    STOP = 0x0A
    RDATAC = 0x10
    SDATAC = 0x11
    RDATA = 0x12
    OFFSETCAL = 0x1A
    RREG = 0x20
    WREG = 0x40
