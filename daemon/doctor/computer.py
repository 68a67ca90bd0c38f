"""The computer that the chip is wired to: a Raspberry Pi, with SPI on, and ours to use."""

from __future__ import annotations

import ctypes
import errno
import re
import time
from datetime import UTC, datetime

from daemon.acquisition.realtime import PRIORITY
from daemon.doctor.software import settings
from daemon.doctor.visit import Machine, Visit
from daemon.doctor.walk import Finding, check, fine, note, wrong
from daemon.wire.messages import CLOCK_UNSET_BEFORE_S
from daemon.wire.status import Scheduling
from drivers.gpio_lines import not_permitted
from drivers.opcodes import Opcode
from drivers.raspberry import neighbours, open_error, spi_path
from drivers.registers import REGISTER_COUNT

GROUPS = ("spi", "gpio")
SERVICE_USER = "qrsd"
SERVICE_UNIT = "/etc/systemd/system/qrsd.service"
BOOT_CONFIGS = ("/boot/firmware/config.txt", "/boot/config.txt")
SPI_ON = re.compile(r"^\s*dtparam=([^#]*,)?spi(=on|=1)?\s*(,|#|$)", re.MULTILINE)
#: The dump of all registers: two bytes of command, then one each.
LONGEST_TRANSFER = len((Opcode.RREG, 0)) + REGISTER_COUNT
COARSEST_CLOCK_S = 1e-6
LONGEST_TIMEX = 256  # bytes; struct timex of linux/timex.h has 208
TIME_ERROR = 5  # the clock is not synchronised


@check("Raspberry Pi", settings, hardware=True)
def raspberry_pi(visit: Visit) -> Finding:
    """Is it one?"""
    model = visit.machine.read("/proc/device-tree/model")
    if model and "Raspberry Pi" in model:
        return fine(model)
    return note(
        f"This is {model or 'no board with a device tree'} and not a Raspberry Pi: pins and "
        "SPI may be called otherwise; without a board, qrsd doctor --simulated."
    )


@check("SPI device", settings, hardware=True)
def spi_device(visit: Visit) -> Finding:
    """Is /dev/spidev* there? If not, is SPI on?"""
    board, machine = visit.settings.board, visit.machine
    if machine.path(spi_path(board)).exists():
        return fine(f"{spi_path(board)} is there")
    missing = open_error(board, FileNotFoundError(errno.ENOENT, "missing"))
    return wrong(f"{missing} {_why_no_spi(machine, board.spi_bus)}")


def _why_no_spi(machine: Machine, bus: int) -> str:
    others = sorted(found.name for found in machine.path("/dev").glob("spidev*"))
    if others:
        return f"There is {', '.join(others)}."
    for path in BOOT_CONFIGS:
        config = machine.read(path)
        if config is None:
            continue
        if not SPI_ON.search(config):
            return f"{path} does not have dtparam=spi=on."
        if bus == 0:
            return f"{path} has dtparam=spi=on: restart, or look for another driver (dmesg)."
    return ""


@check("GPIO", settings, hardware=True)
def gpio_chip(visit: Visit) -> Finding:
    """Is there a GPIO chip for DRDY, START and PWDN/RESET?"""
    chips = sorted(path.name for path in visit.machine.path("/dev").glob("gpiochip*"))
    board = visit.settings.board
    if not chips:
        return wrong(
            "There is no /dev/gpiochip*: the kernel does not know the board's pins (dmesg)"
        )
    if board.drdy_backend == "gpiod" and board.gpio_chip.removeprefix("/dev/") not in chips:
        return wrong(
            f"There is no {board.gpio_chip}: set board.gpio_chip to one of {', '.join(chips)}."
        )
    return fine(", ".join(chips))


@check("permissions", settings, spi_device, gpio_chip, hardware=True)
def permissions(visit: Visit) -> Finding:
    """May this user open them?"""
    board, machine = visit.settings.board, visit.machine
    if not machine.may_use(machine.path(spi_path(board))):
        raise open_error(board, PermissionError(errno.EACCES, "not permitted"))
    if not machine.may_use(machine.path(board.gpio_chip)):
        raise not_permitted(board.gpio_chip)
    return fine(f"{machine.user.name} may use {spi_path(board)} and {board.gpio_chip}")


@check("groups", settings, hardware=True)
def groups(visit: Visit) -> Finding:
    """Is this user in the groups that own the buses, and does this session know it?"""
    user, members = visit.machine.user, _members(visit.machine)
    absent = [name for name in GROUPS if name not in members]
    outside = [name for name in GROUPS if name in members and user.name not in members[name][1]]
    asleep = [name for name in GROUPS if name in members and members[name][0] not in user.groups]
    if absent:
        return wrong(
            f"There is no group {' and no group '.join(absent)}: sudo make install makes them, and "
            "the udev rules that give them the buses."
        )
    if user.number == 0:
        return fine("root needs none; the service runs as another user, see the next line")
    if outside and asleep:
        return wrong(
            f"{user.name} is not in {' and '.join(outside)}: sudo usermod -aG spi,gpio {user.name}"
        )
    if asleep:
        return wrong(
            f"{user.name} is in {', '.join(asleep)}, since this session began: log in again"
        )
    return fine(f"{user.name} is in {' and '.join(GROUPS)}")


@check("service's user", settings, hardware=True)
def service_user(visit: Visit) -> Finding:
    """Is the user whom the service runs as in these groups?"""
    members = _members(visit.machine)
    users = visit.machine.read("/etc/passwd") or ""
    outside = [name for name in GROUPS if SERVICE_USER not in members.get(name, (0, ()))[1]]
    if not re.search(f"^{SERVICE_USER}:", users, re.MULTILINE):
        return note("the service is not installed; sudo make install does it")
    if outside:
        return wrong(
            f"{SERVICE_USER} is not in {' and '.join(outside)}: sudo usermod -aG spi,gpio "
            f"{SERVICE_USER} && sudo systemctl restart qrsd"
        )
    return fine(f"{SERVICE_USER} is in {' and '.join(GROUPS)}")


def _members(machine: Machine) -> dict[str, tuple[int, tuple[str, ...]]]:
    """Return number and members of each group, as /etc/group has them."""
    lines = (line.split(":") for line in (machine.read("/etc/group") or "").splitlines())
    return {
        fields[0]: (int(fields[2]), tuple(fields[3].split(","))) for fields in lines if fields[3:]
    }


@check("SPI bus", settings, spi_device, hardware=True)
def spi_bus(visit: Visit) -> Finding:
    """Are transfers long and fast enough, and is the chip alone?"""
    board, machine = visit.settings.board, visit.machine
    longest = int(machine.read("/sys/module/spidev/parameters/bufsiz") or LONGEST_TRANSFER)
    others = neighbours(board.spi_bus, board.spi_device, machine.path("/sys/bus/spi/devices"))
    fastest_hz = _fastest_hz(machine, f"spi{board.spi_bus}.{board.spi_device}")
    if longest < LONGEST_TRANSFER:
        return wrong(
            f"spidev.bufsiz is {longest}, and the longest transfer has {LONGEST_TRANSFER} bytes: "
            "take spidev.bufsiz from /boot/firmware/cmdline.txt"
        )
    if fastest_hz is not None and fastest_hz < board.spi_hz:
        return wrong(
            f"The bus allows {fastest_hz} Hz and board.spi_hz is {board.spi_hz}: lower it, or "
            "raise spi-max-frequency in the device tree."
        )
    if others:
        return note(
            f"{', '.join(others)} on the same bus: traffic there clears DRDY, and loses samples"
        )
    return fine(f"the chip is alone on it, at {board.spi_hz} Hz; {longest} bytes a transfer")


def _fastest_hz(machine: Machine, device: str) -> int | None:
    """Return the device tree's limit, a big-endian number; None if it has none."""
    path = machine.path(f"/sys/bus/spi/devices/{device}/of_node/spi-max-frequency")
    return int.from_bytes(path.read_bytes()) if path.is_file() else None


@check("kernel's clock")
def kernel_clock(visit: Visit) -> Finding:
    """Is the clock that stamps DRDY fine enough?"""
    folder = "/sys/devices/system/clocksource/clocksource0"
    name = visit.machine.read(f"{folder}/current_clocksource") or "an unnamed source"
    step_s = time.clock_getres(time.CLOCK_MONOTONIC)
    if name == "jiffies" or step_s > COARSEST_CLOCK_S:
        return wrong(
            f"The monotonic clock runs on {name}, in steps of {step_s:g} s: choose another of "
            f"{folder}/available_clocksource."
        )
    return fine(f"{name}, in steps of {step_s * 1e9:.0f} ns", step_s=step_s)


@check("date")
def date(visit: Visit) -> Finding:
    """Is the date right that messages and enrolments carry?"""
    now_s = time.time()
    if now_s < CLOCK_UNSET_BEFORE_S:
        return wrong(
            "The clock was never set since the machine booted, and enrolments are dated 1970 until "
            "it is: connect it to a network, or give it a clock with a battery (dtoverlay=i2c-rtc)."
        )
    if visit.running is not None and visit.running.clock == "stepped":
        return note(
            "the clock was set while somebody was measured: messages keep the time from before "
            "until the electrodes come off"
        )
    says = f"{datetime.fromtimestamp(now_s, UTC):%Y-%m-%d %H:%M} UTC"
    if not is_synchronised():
        return note(
            f"{says}, by a clock that no time server keeps: if that is wrong, connect the machine "
            "to a network; without a battery the clock begins where it last ended"
        )
    return fine(says)


def is_synchronised() -> bool:
    """Return whether a time server keeps the clock, by the kernel's word (adjtimex(2))."""
    nothing_to_change = ctypes.create_string_buffer(LONGEST_TIMEX)
    return int(ctypes.CDLL(None).adjtimex(nothing_to_change)) != TIME_ERROR


@check("scheduling")
def scheduling(visit: Visit) -> Finding:
    """May the acquisition process go before all others, and stay in memory?"""
    if visit.running is not None:
        return _granted(visit.running.scheduling)
    machine = visit.machine
    unit = machine.read(SERVICE_UNIT) or ""
    limits = machine.read("/proc/self/limits") or ""
    priority = re.search(r"Max realtime priority +(\w+)", limits)
    memory = re.search(r"Max locked memory +(\w+)", limits)
    root = machine.user.number == 0
    if machine.read("/proc/sys/kernel/sched_rt_runtime_us") == "0":
        return note("the kernel lets nobody use SCHED_FIFO (kernel.sched_rt_runtime_us is 0)")
    if "LimitRTPRIO=" in unit and "LimitMEMLOCK=" in unit:
        return fine("the service may use SCHED_FIFO and lock its memory, by its unit")
    if root or (_reaches(priority, PRIORITY) and memory and memory[1] == "unlimited"):
        return fine(f"{machine.user.name} may use SCHED_FIFO and lock memory")
    return note(
        f"{machine.user.name} may not use SCHED_FIFO or lock memory, so a busy machine loses "
        "samples: run qrsd as the service, whose unit allows it (sudo make install)"
    )


def _reaches(limit: re.Match[str] | None, least: int) -> bool:
    return limit is not None and (limit[1] == "unlimited" or int(limit[1]) >= least)


def _granted(scheduling: Scheduling | None) -> Finding:
    """Judge what the acquisition process of the running service got."""
    if scheduling is None:
        return note("the running service has not told yet what it got")
    refused = [] if scheduling.policy == "SCHED_FIFO" else ["LimitRTPRIO=50"]
    refused += [] if scheduling.memory_locked else ["LimitMEMLOCK=infinity"]
    if not refused:
        return fine("the running service got SCHED_FIFO and locked memory")
    return note(
        f"the running service got {scheduling.policy}, memory "
        f"{'' if scheduling.memory_locked else 'not '}locked: allow it {' and '.join(refused)} "
        "(systemctl edit qrsd), or a busy machine loses samples"
    )
