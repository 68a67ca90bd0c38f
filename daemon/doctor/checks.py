"""All checks, in their order, and those that ask only."""

from __future__ import annotations

from daemon.doctor import board, computer, signal, software

CHECKS = (
    software.settings,
    software.service,
    software.sockets,
    software.model,
    software.people,
    software.disk,
    software.room_for_recordings,
    computer.raspberry_pi,
    computer.spi_device,
    computer.gpio_chip,
    computer.permissions,
    computer.groups,
    computer.service_user,
    computer.spi_bus,
    computer.kernel_clock,
    computer.date,
    computer.scheduling,
    board.board,
    board.registers,
    board.self_test,
    signal.samples,
    signal.rate,
    signal.jitter,
    signal.losses,
    signal.channels,
    signal.electrodes,
    signal.mains,
)

#: Those that take no rights: they read what all may read, and listen to the service that runs.
ASKING = (
    software.settings,
    software.service,
    software.room_for_recordings,
    software.model,
    computer.kernel_clock,
    computer.date,
    computer.scheduling,
    board.registers,
    signal.samples,
    signal.rate,
    signal.losses,
    signal.channels,
    signal.electrodes,
    signal.mains,
)
