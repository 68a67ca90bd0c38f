"""The unit: systemd accepts it, and it leaves an intruder little to do."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "systemd"
SERVICE, RECORDER = UNITS / "qrsd.service", UNITS / "qrsd-record.service"
NOTIFIER, WEB = UNITS / "qrsd-notify.service", UNITS / "qrsd-web.service"
MQTT, FLEET = UNITS / "qrsd-mqtt.service", UNITS / "qrsd-fleet.service"
APPS = (RECORDER, NOTIFIER, WEB, MQTT, FLEET, UNITS / "qrsd-lsl.service")
#: What starts the service with another model.
SWITCH = (UNITS / "qrsd-fleet-model.path", UNITS / "qrsd-fleet-model.service")
#: Out of 10; a unit without any hardening has 9.6.
HIGHEST_EXPOSURE = 2.0

pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="needs systemd-analyze: apt install systemd"
)


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", "--no-pager", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kept", [SERVICE, *APPS, *SWITCH], ids=lambda unit: unit.name)
def test_systemd_accepts_every_line(tmp_path: Path, kept: Path) -> None:
    unit = tmp_path / kept.name
    # verify wants the program to be there, which it is only once qrsd is installed.
    unit.write_text(kept.read_text().replace("/opt/qrsd/bin/qrsd", "/bin/true"))
    if kept.suffix == ".path":  # which is nothing without its service
        unit.with_suffix(".service").write_text(kept.with_suffix(".service").read_text())

    verified = analyze("verify", "--man=no", unit)

    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


def test_a_misspelt_line_would_be_found(tmp_path: Path) -> None:
    unit = tmp_path / SERVICE.name
    unit.write_text("[Service]\nExecStart=/bin/true\nNoNewPrivilege=yes\n")

    assert "NoNewPrivilege" in analyze("verify", "--man=no", unit).stderr


def test_the_exposure_is_low_with_spi_and_gpio_kept() -> None:
    allowed = f"--threshold={round(10 * HIGHEST_EXPOSURE)}"

    analysed = analyze("security", "--offline=true", allowed, SERVICE)

    assert analysed.returncode == 0, analysed.stdout
    assert "char-gpiochip:rw char-spi:rw" in analysed.stdout


@pytest.mark.parametrize("app", APPS, ids=lambda unit: unit.stem)
def test_an_app_is_exposed_no_more_and_sees_no_device_and_no_gallery(app: Path) -> None:
    allowed = f"--threshold={round(10 * HIGHEST_EXPOSURE)}"

    analysed = analyze("security", "--offline=true", allowed, app)

    assert analysed.returncode == 0, analysed.stdout
    assert "char-spi" not in analysed.stdout
    assert "char-gpiochip" not in analysed.stdout
    assert "InaccessiblePaths=-/var/lib/qrsd " in app.read_text()


def test_only_what_has_a_server_elsewhere_reaches_the_network() -> None:
    reaching = {
        unit for unit in UNITS.glob("*.service") if "\nIPAddressDeny=any" not in unit.read_text()
    }
    assert reaching == {NOTIFIER, MQTT, FLEET}


@pytest.mark.parametrize("app", APPS, ids=lambda unit: unit.stem)
def test_zeromq_may_set_the_scheduling_of_its_threads_without_which_it_aborts(app: Path) -> None:
    refused = re.findall(r"^SystemCallFilter=~(.*)", app.read_text(), re.MULTILINE)
    assert refused == ["@privileged"]


def test_an_unhardened_unit_would_be_over_the_limit(tmp_path: Path) -> None:
    unit = tmp_path / "naked.service"
    unit.write_text("[Service]\nExecStart=/bin/true\n")

    analysed = analyze("security", "--offline=true", "--threshold=90", unit)

    assert analysed.returncode != 0
