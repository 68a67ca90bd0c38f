"""What is said of a Raspberry Pi that is not set up right: each time the one thing to do."""

from __future__ import annotations

import re
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from shutil import which

import pytest

from daemon.doctor import computer
from daemon.doctor.software import settings
from daemon.doctor.walk import Check
from tests.daemon.doctor.visits import ADA, GROUPS, LIMITS, found, raspberry_pi, visit_to, write

CHECKS = (
    settings,
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
)
CLOCK = "sys/devices/system/clocksource/clocksource0/current_clocksource"
LIMIT = "sys/bus/spi/devices/spi0.0/of_node/spi-max-frequency"
UNIT = Path(__file__).parents[3] / "systemd" / "qrsd.service"
NO_PRIORITY = LIMITS.format(priority=0, memory=8388608)


@pytest.fixture
def pi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    raspberry_pi(tmp_path)
    monkeypatch.setattr(computer, "is_synchronised", lambda: True)
    return tmp_path


def test_all_is_well_on_a_pi_that_is_set_up(pi: Path) -> None:
    said = found(visit_to(pi), CHECKS)
    assert {name: finding.verdict for name, finding in said.items()} == dict.fromkeys(
        (step.name for step in CHECKS), "fine"
    )
    assert said["Raspberry Pi"].says == "Raspberry Pi 4 Model B Rev 1.5"
    assert "1000000 Hz; 4096 bytes" in said["SPI bus"].says


@pytest.mark.parametrize(
    ("files", "step", "verdict", "words"),
    [
        ({"proc/device-tree/model": None}, computer.raspberry_pi, "note", "--simulated"),
        (
            {"dev/spidev0.0": None, "boot/firmware/config.txt": "#dtparam=spi=on\n"},
            computer.spi_device,
            "wrong",
            "no /dev/spidev0.0: enable SPI with raspi-config .* does not have dtparam=spi=on",
        ),
        ({"dev/spidev0.0": None}, computer.spi_device, "wrong", "has dtparam=spi=on: restart"),
        (
            {"dev/spidev0.0": None, "dev/spidev0.1": ""},
            computer.spi_device,
            "wrong",
            r"check board.spi_bus and board.spi_device. There is spidev0.1\.",
        ),
        ({"dev/gpiochip0": None}, computer.gpio_chip, "wrong", "no /dev/gpiochip"),
        ({"etc/group": "root:x:0:\n"}, computer.groups, "wrong", "no group spi and no group gpio"),
        ({"etc/passwd": "ada:x:1:1::/:\n"}, computer.service_user, "note", "not installed"),
        (
            {"etc/group": GROUPS.replace(",qrsd", "")},
            computer.service_user,
            "wrong",
            "usermod -aG spi,gpio qrsd",
        ),
        (
            {"sys/module/spidev/parameters/bufsiz": "8\n"},
            computer.spi_bus,
            "wrong",
            "spidev.bufsiz is 8, and the longest transfer has 14 bytes",
        ),
        ({LIMIT: "\0\x07\0\0"}, computer.spi_bus, "wrong", "458752 Hz .* board.spi_hz is 1000000"),
        ({CLOCK: "jiffies\n"}, computer.kernel_clock, "wrong", "runs on jiffies"),
        ({"proc/self/limits": NO_PRIORITY}, computer.scheduling, "note", "ada may not use"),
        (
            {"proc/self/limits": NO_PRIORITY, computer.SERVICE_UNIT: UNIT.read_text()},
            computer.scheduling,
            "fine",
            "by its unit",
        ),
        (
            {"proc/sys/kernel/sched_rt_runtime_us": "0\n"},
            computer.scheduling,
            "note",
            "lets nobody use SCHED_FIFO",
        ),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(
    pi: Path, files: dict[str, str | None], step: Check, verdict: str, words: str
) -> None:
    for path, text in files.items():
        if text is None:
            (pi / path).unlink()
        else:
            write(pi, path.lstrip("/"), text)
    finding = found(visit_to(pi), CHECKS)[step.name]
    assert finding.verdict == verdict
    assert re.search(words, finding.says)


def test_another_device_on_the_bus_is_named(pi: Path) -> None:
    (pi / "sys/bus/spi/drivers/ads7846").mkdir(parents=True)
    (pi / "sys/bus/spi/devices/spi0.1").mkdir()
    (pi / "sys/bus/spi/devices/spi0.1/driver").symlink_to(pi / "sys/bus/spi/drivers/ads7846")
    said = found(visit_to(pi), CHECKS)["SPI bus"]
    assert (said.verdict, said.says.split(":")[0]) == (
        "note",
        "spi0.1 (ads7846) on the same bus",
    )


def test_a_device_that_is_not_ours_is_told_in_the_drivers_words(pi: Path) -> None:
    visit = visit_to(pi, may_use=lambda path: "spidev" not in path.name)
    said = found(visit, CHECKS)["permissions"]
    assert (said.verdict, "sudo usermod -aG spi,gpio USER" in said.says) == ("wrong", True)
    visit = visit_to(pi, may_use=lambda path: "gpiochip" not in path.name)
    assert "/dev/gpiochip0 may not be opened" in found(visit, CHECKS)["permissions"].says


def test_a_session_from_before_the_group_is_told_to_log_in_again(pi: Path) -> None:
    before = replace(ADA, groups=frozenset({1000}))
    assert "log in again" in found(visit_to(pi, user=before), CHECKS)["groups"].says
    stranger = replace(before, name="bob")
    assert (
        "sudo usermod -aG spi,gpio bob" in found(visit_to(pi, user=stranger), CHECKS)["groups"].says
    )


def test_a_gpio_chip_that_is_not_there_is_named_with_those_that_are(pi: Path) -> None:
    visit = visit_to(pi, "board.drdy_backend=gpiod", "board.gpio_chip=/dev/gpiochip4")
    assert "set board.gpio_chip to one of gpiochip0" in found(visit, CHECKS)["GPIO"].says


def test_the_simulated_chip_needs_no_hardware(tmp_path: Path) -> None:
    said = found(visit_to(tmp_path, "source=simulated"), CHECKS)
    hardware = [step.name for step in CHECKS[1:8]]
    assert {said[name].verdict for name in hardware} == {"skipped"}


def test_a_clock_that_was_never_set_is_wrong(pi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 100.0)  # 1970, as a Pi without a network
    said = found(visit_to(pi), CHECKS)["date"]
    assert (said.verdict, "dated 1970" in said.says) == ("wrong", True)
    monkeypatch.setattr(time, "time", lambda: 1.8e9)
    assert found(visit_to(pi), CHECKS)["date"].says == "2027-01-15 08:00 UTC"


def test_a_clock_that_no_time_server_keeps_is_to_be_looked_at(
    pi: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(computer, "is_synchronised", lambda: False)
    said = found(visit_to(pi), CHECKS)["date"]
    assert (said.verdict, "no time server" in said.says) == ("note", True)


@pytest.mark.skipif(not which("timedatectl"), reason="needs systemd")
def test_the_kernel_says_what_systemd_says_of_the_clock() -> None:
    asked = ["timedatectl", "show", "--property", "NTPSynchronized", "--value"]
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    if said not in ("yes", "no"):
        pytest.skip("systemd does not run here")
    assert computer.is_synchronised() == (said == "yes")
