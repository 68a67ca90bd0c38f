"""The chip on its board: whether it answers, holds what is written to it, and measures itself."""

from __future__ import annotations

from collections.abc import Iterator

from daemon.acquisition.sources import open_source
from daemon.doctor.computer import permissions, spi_bus
from daemon.doctor.software import service, settings
from daemon.doctor.visit import Visit
from daemon.doctor.walk import Finding, check, fine, skipped
from daemon.wire.status import ChipStatus
from drivers.ads1292r import Ads1292r
from drivers.selftest import SelfTestLine

HAS_THE_CHIP = (
    "the running service has the chip: sudo systemctl stop qrsd, and again, to have this looked at"
)


@check("board", settings, service, permissions, spi_bus)
def board(visit: Visit) -> Finding:
    """Can SPI and the pins be opened as the settings say?"""
    if visit.running is not None:
        return skipped(HAS_THE_CHIP)
    visit.board = open_source(visit.settings, paced=False).board
    visit.resources.callback(visit.board.close)
    wiring = visit.settings.board
    if visit.board.simulated:
        return fine("simulated")
    pins = f"DRDY {wiring.drdy_pin}, START {wiring.start_pin}, PWDN/RESET {wiring.reset_pin}"
    return fine(f"SPI and the pins are open: {pins}")


@check("registers", service, board)
def registers(visit: Visit) -> Finding:
    """Does an ADS1292R answer, with its reset values, and does it keep what is written to it?"""
    if visit.running is not None:
        chip = visit.running.chip or ChipStatus()
        gains = list(chip.gains or ())
        return fine(f"{chip.part}, gains {gains}, as the running service reads it back")
    visit.chip = Ads1292r(visit.board, visit.settings.chip)
    setup = visit.chip.power_up()
    return fine(
        f"{setup.part} (ID {setup.registers[0]:02X}), reset values as in the datasheet, "
        f"{len(setup.registers) - 1} registers written and read back"
    )


@check("self test", registers)
def self_test(visit: Visit) -> Iterator[Finding]:
    """Does it measure its supplies, its temperature, nothing, and its own test signal right?"""
    if visit.running is not None:
        yield skipped(HAS_THE_CHIP)
        return
    for line in visit.chip.self_test():
        yield _finding(line)


def _finding(line: SelfTestLine) -> Finding:
    measured = f"{line.measured:.6g} {line.unit}, expected {line.expected}"
    return Finding(
        verdict="fine" if line.passed else "wrong",
        says=measured if line.passed else f"{measured}: {line.advice}",
        figures={"measured": line.measured},
        about=line.name,
    )
