"""The example for a Pi's first boot, by cloud-init in a booted system: ``make test-deb``.

The system at ``QRSD_BASE`` is no Raspberry Pi OS: cloud-init reads the same file, but from its own
folder, and the package is for this machine's processor.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systemd.machine import CannotBoot, Machine, booted, package_for, wait_until

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]
USER_DATA = ROOT / "systemd" / "user-data"
SEED = "/var/lib/cloud/seed/nocloud"
FIRST_BOOT_S = 400.0


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine whose boot partition has the package and the example, and which boots first."""
    base = Path(os.environ.get("QRSD_BASE", "/"))
    if not (base / "usr/bin/cloud-init").exists() or (made := package_for(base)) is None:
        pytest.skip("needs a package and a system with cloud-init: make test-deb")
    ours = subprocess.check_output(["dpkg", "--print-architecture"], text=True).strip()
    user_data = USER_DATA.read_text().replace("_arm64.deb", f"_{ours}.deb")
    put = (
        f"mkdir -p /boot/firmware {SEED} && touch {SEED}/meta-data"
        f" && printf %s {shlex.quote(user_data)} >{SEED}/user-data"
        f" && cp /usr/local/src/qrsd/build/{made.name} /boot/firmware/"
    )
    try:
        with booted(tmp_path_factory.mktemp("first-boot"), base, put) as machine:
            wait_until(lambda: finished(machine), FIRST_BOOT_S)
            yield machine
    except CannotBoot as error:
        pytest.skip(str(error))


#: Prints the fingerprint of the certificate that the page shows.
FINGERPRINT = """\
import hashlib, ssl
shown = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", 5280)))
print(hashlib.sha256(shown).hexdigest().upper())
"""


def finished(machine: Machine) -> bool:
    return machine.run("test", "-e", "/var/lib/cloud/instance/boot-finished").returncode == 0


def test_no_command_of_it_failed(machine: Machine) -> None:
    assert "scripts-user" not in machine.run("cloud-init", "status", "--long").stdout


def test_the_service_runs_on_a_simulated_chip_from_then_on(machine: Machine) -> None:
    with machine.subscriber() as subscriber:
        status = subscriber.hear(lambda item: item.get("topic") == "status", patience_s=60)

    assert status["source"] == "simulated"
    for unit in ("qrsd", "qrsd-web"):
        assert machine.said("systemctl", "is-enabled", unit) == "enabled"
        assert machine.said("systemctl", "is-active", unit) == "active"


def test_the_page_is_open_by_tls_and_its_values_with_the_token_only(machine: Machine) -> None:
    page = "https://127.0.0.1:5280"
    asked = (
        "curl",
        "--silent",
        "--insecure",
        "--output",
        "/dev/null",
        "--write-out",
        "%{http_code}",
    )
    said = machine.said("cat", "/root/qrsd-page.txt")
    token = next(word for word in said.split() if word.startswith("qrsd-web-"))

    wait_until(lambda: machine.run(*asked, f"{page}/").stdout == "200", 60.0)

    assert machine.said(*asked, f"{page}/api/v1/status") == "401"
    bearer = ("--header", f"Authorization: Bearer {token}")
    assert machine.said(*asked, *bearer, f"{page}/api/v1/status") == "200"
    served = machine.said("/opt/qrsd/bin/python", "-c", FINGERPRINT)
    assert served in said.replace(":", "")
    assert machine.said("stat", "--format=%a", "/root/qrsd-page.txt") == "600"
