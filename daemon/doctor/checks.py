"""All checks, in their order."""

from __future__ import annotations

from daemon.doctor.board import board, registers, self_test
from daemon.doctor.computer import (
    gpio_chip,
    groups,
    kernel_clock,
    permissions,
    raspberry_pi,
    scheduling,
    service_user,
    spi_bus,
    spi_device,
)
from daemon.doctor.signal import channels, electrodes, jitter, losses, mains, rate, samples
from daemon.doctor.software import disk, model, people, service, settings, sockets

CHECKS = (
    settings,
    service,
    sockets,
    model,
    people,
    disk,
    raspberry_pi,
    spi_device,
    gpio_chip,
    permissions,
    groups,
    service_user,
    spi_bus,
    kernel_clock,
    scheduling,
    board,
    registers,
    self_test,
    samples,
    rate,
    jitter,
    losses,
    channels,
    electrodes,
    mains,
)
