"""The Debian package from install to purge in a booted system: ``make test-system``, ``test-deb``.

One machine is booted for all the tests, which follow one another as in a life of it. It is a copy
of this one, or of the system at ``QRSD_BASE``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systemd.machine import (
    HEALTHY,
    SETTINGS,
    CannotBoot,
    Machine,
    accepted,
    booted,
    configure,
    package_for,
    wait_until,
)

pytestmark = pytest.mark.system

BASE = Path(os.environ.get("QRSD_BASE", "/"))
ROOT = Path(__file__).parents[2]
THERE = Path("/usr/local/src/qrsd")  # the checkout, as the machine sees it
BACK_S = 60.0  # on a busy machine


@pytest.fixture(scope="module")
def package() -> Path:
    """The package that ``make deb`` has made last for the system."""
    if os.geteuid() != 0:
        pytest.skip("installing packages needs root: sudo make test-system")
    if (made := package_for(BASE)) is None:
        pytest.skip("there is no package: make deb")
    return made


@pytest.fixture(scope="module")
def previous(package: Path) -> Iterator[Path]:
    """The package to upgrade from: ``QRSD_PREVIOUS``, or else the same with a lower version."""
    folder = ROOT / "build" / "previous"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    if given := os.environ.get("QRSD_PREVIOUS"):
        yield Path(shutil.copy(given, folder))
    else:
        tree, lower = folder / "tree", folder / "qrsd.deb"
        subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
        control = tree / "DEBIAN" / "control"
        control.write_text(control.read_text().replace("Version: ", "Version: 0~"))
        build = ("dpkg-deb", "--root-owner-group", "-Zzstd", "-z1", "-b", tree, lower)
        subprocess.run(build, capture_output=True, check=True)
        yield lower
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, package: Path) -> Iterator[Machine]:
    try:
        with booted(tmp_path_factory.mktemp("deb"), BASE, before_boot="") as machine:
            yield machine
    except CannotBoot as error:
        pytest.skip(str(error))


def dpkg(machine: Machine, *arguments: str | Path) -> str:
    """Have dpkg do something that must not fail."""
    return machine.said("dpkg", *map(str, arguments), patience_s=180)


def there(path: Path) -> Path:
    """Return where a file of the checkout is in the machine."""
    return THERE / path.relative_to(ROOT)


def version(machine: Machine) -> str:
    return machine.said("dpkg-query", "--show", "--showformat=${Version}", "qrsd")


def test_installed_it_is_there_and_starts_nothing(machine: Machine, previous: Path) -> None:
    dpkg(machine, "--install", there(previous))

    assert machine.said("qrsd", "--version").startswith("qrsd ")
    assert machine.said("systemd-analyze", "verify", "--man=no", "qrsd.service") == ""
    assert machine.state() == "inactive"
    assert machine.run("systemctl", "is-enabled", "qrsd").stdout.strip() == "disabled"
    assert machine.said("id", "--name", "--groups", "qrsd").split() == ["qrsd", "spi", "gpio"]


def test_its_documents_name_everything_that_is_in_it(machine: Machine) -> None:
    ask = (
        "from importlib.metadata import distributions;"
        "[print(found.name, found.version) for found in distributions()]"
    )
    installed = machine.said("/opt/qrsd/bin/python", "-c", ask).splitlines()

    listed = json.loads(machine.said("cat", "/usr/share/doc/qrsd/sbom.cdx.json"))["components"]
    licences = machine.said("cat", "/usr/share/doc/qrsd/licences.txt")

    assert sorted(f"{part['name']} {part['version']}" for part in listed) == sorted(installed)
    for package in installed:
        assert package.replace(" ", "\n") in licences


def test_its_service_enrols_somebody(machine: Machine) -> None:
    configure(machine)
    machine.said("systemctl", "enable", "--now", "qrsd", patience_s=BACK_S)

    machine.said("qrsd", "enroll", "Ada", "--beats", "10", patience_s=300)

    assert "Ada" in machine.said("qrsd", "people", "list", "--json")


def test_an_upgrade_keeps_people_and_settings_and_restarts_what_ran(
    machine: Machine, package: Path
) -> None:
    before, people = version(machine), machine.said("qrsd", "people", "export")
    process = machine.shown("MainPID")

    dpkg(machine, "--install", there(package))

    assert machine.run("dpkg", "--compare-versions", before, "lt", version(machine)).returncode == 0
    assert machine.said("cat", SETTINGS) == HEALTHY.strip()
    assert version(machine).startswith(machine.said("qrsd", "--version").split()[1] + "-")
    wait_until(lambda: machine.state() == "active", BACK_S)
    assert machine.shown("MainPID") != process
    assert machine.said("qrsd", "people", "export") == people
    with machine.subscriber() as subscriber:
        assert subscriber.hear(accepted, patience_s=60)["person"] == "Ada"
    assert machine.run("systemctl", "is-active", "qrsd-web").stdout.strip() == "inactive"


def test_its_pages_lead_to_one_another(machine: Machine) -> None:
    ask = (
        "cd /usr/share/doc/qrsd && grep --recursive --only-matching ']([^)#:]*[)#]' README.md docs"
    )
    links = [line.rstrip(")#").split(":](") for line in machine.said("sh", "-c", ask).splitlines()]
    targets = {f"/usr/share/doc/qrsd/{Path(page).parent}/{link}" for page, link in links if link}
    assert len(targets) > 30
    missing = {each for each in targets if machine.run("test", "-e", each).returncode != 0}
    # Debian has the one as changelog.gz; the other is for who has a checkout.
    assert {Path(each).name for each in missing} == {"CHANGELOG.md", "CONTRIBUTING.md"}


def test_make_install_does_not_put_a_second_one_over_it(machine: Machine) -> None:
    refused = machine.run("sh", str(THERE / "systemd" / "install.sh"))

    assert refused.returncode == 78
    assert "sudo apt remove qrsd" in refused.stderr


def test_removed_it_keeps_people_and_settings_only(machine: Machine) -> None:
    machine.write("/opt/qrsd/added-by-pip", "")
    processes = machine.processes()

    dpkg(machine, "--remove", "qrsd")

    for process in processes:
        assert machine.run("test", "-e", f"/proc/{process}").returncode == 1
    for gone in ("/opt/qrsd", "/usr/bin/qrsd", "/usr/lib/systemd/system/qrsd.service"):
        assert machine.run("test", "-e", gone).returncode == 1
    assert machine.said("cat", SETTINGS) == HEALTHY.strip()
    machine.said("test", "-e", "/var/lib/qrsd/simulated.sqlite")


def test_over_an_installation_by_make_it_refuses(machine: Machine, package: Path) -> None:
    machine.write("/etc/systemd/system/qrsd.service", "")

    refused = machine.run("dpkg", "--install", str(there(package)))

    assert refused.returncode != 0
    assert "sudo make uninstall" in refused.stderr
    machine.said("rm", "/etc/systemd/system/qrsd.service")


def test_purged_it_leaves_nothing(machine: Machine) -> None:
    dpkg(machine, "--purge", "qrsd")

    assert machine.left_behind() == ""
    assert machine.run("id", "qrsd").returncode != 0
    assert machine.said("systemctl", "list-units", "--all", "--quiet", "qrsd*") == ""
