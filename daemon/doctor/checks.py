"""All checks, in their order."""

from __future__ import annotations

from daemon.doctor import board, computer, signal, software

CHECKS = (
    software.settings,
    software.service,
    software.sockets,
    software.model,
    software.people,
    software.disk,
    computer.raspberry_pi,
    computer.spi_device,
    computer.gpio_chip,
    computer.permissions,
    computer.groups,
    computer.service_user,
    computer.spi_bus,
    computer.kernel_clock,
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
