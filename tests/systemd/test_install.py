"""Installing and uninstalling, staged into a folder with a Python that only pretends."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETTINGS = "etc/qrsd/qrsd.yaml"
#: Writes down how it was called. Its environment holds itself and a ``qrsd`` that names it.
PRETENDED_PYTHON = """\
#!/bin/sh
echo "$*" >> "$CALLS"
if [ "$1" = -m ] && [ "$2" = venv ]; then
    for last in "$@"; do :; done
    mkdir -p "$last/bin"
    cp "$0" "$last/bin/python"
    echo "#!$last/bin/python" > "$last/bin/qrsd"
fi
"""


class Stage:
    """A folder to install into, and what was asked of Python meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self._calls = folder / "calls"
        self._python = folder / "python3"
        self._python.write_text(PRETENDED_PYTHON)
        self._python.chmod(0o755)

    def make(self, target: str, *variables: str) -> str:
        environment = {**os.environ, "CALLS": str(self._calls)}
        staged = (f"DESTDIR={self.root}", f"PYTHON={self._python}")
        command = ["make", "--silent", "-C", str(ROOT), target, *staged, *variables]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        ).stdout

    def files(self) -> set[str]:
        # The target of a staged link is where it will be, not where it is.
        found = (path for path in self.root.rglob("*") if path.is_symlink() or path.is_file())
        return {str(path.relative_to(self.root)) for path in found}

    def calls(self) -> list[str]:
        return self._calls.read_text().splitlines()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    if shutil.which("make") is None:
        pytest.skip("needs make: apt install make")
    return Stage(tmp_path)


INSTALLED = {
    "opt/qrsd/bin/python",
    "opt/qrsd/bin/qrsd",
    "usr/local/bin/qrsd",
    "etc/systemd/system/qrsd.service",
    *(
        f"etc/systemd/system/qrsd-{app}.service"
        for app in ("record", "notify", "web", "fleet", "fleet-model", "mqtt", "lsl")
    ),
    "etc/systemd/system/qrsd-fleet-model.path",
    "etc/udev/rules.d/60-qrsd.rules",
    SETTINGS,
}


def test_install_puts_everything_in_place(stage: Stage) -> None:
    stage.make("install")

    assert stage.files() == INSTALLED
    assert os.readlink(stage.root / "usr/local/bin/qrsd") == "/opt/qrsd/bin/qrsd"
    default = (ROOT / "config" / "default.yaml").read_text()
    assert (stage.root / SETTINGS).read_text() == default


def test_what_is_staged_runs_where_it_will_be(stage: Stage) -> None:
    stage.make("install")
    assert (stage.root / "opt/qrsd/bin/qrsd").read_text() == "#!/opt/qrsd/bin/python\n"


def test_the_package_is_installed_from_a_copy_and_not_editable(stage: Stage) -> None:
    stage.make("install")

    assert stage.calls()[-1].startswith("-m pip")
    assert "install ." in stage.calls()[-1]
    assert "-e" not in stage.calls()[-1].split()


def test_the_settings_outlive_an_upgrade(stage: Stage) -> None:
    stage.make("install")
    (stage.root / SETTINGS).write_text("board: {drdy_pin: 17}\n")

    said = stage.make("install")

    assert (stage.root / SETTINGS).read_text() == "board: {drdy_pin: 17}\n"
    assert "Kept the settings" in said
    assert stage.files() == INSTALLED


def test_what_is_left_to_do_is_what_the_readme_says() -> None:
    script = (ROOT / "systemd" / "install.sh").read_text()
    hints = re.findall(r'^say "  ((?:sudo )?\S.*?)  +', script, re.MULTILINE)
    assert "sudo -u qrsd qrsd doctor" in hints
    readme = (ROOT / "README.md").read_text()
    for hint in hints:
        # The README names what runs beside the service below the command that starts it.
        short = hint.replace("sudo systemctl enable --now qrsd-", "qrsd-").replace("NAME", "Ada")
        assert f"    {short} " in readme


def test_uninstall_keeps_settings_and_people_and_says_so(stage: Stage) -> None:
    stage.make("install")
    gallery = stage.root / "var/lib/qrsd/gallery.sqlite"
    gallery.parent.mkdir(parents=True)
    gallery.touch()

    said = stage.make("uninstall")

    assert stage.files() == {SETTINGS, "var/lib/qrsd/gallery.sqlite"}
    assert "Kept" in said
    assert "PURGE=1" in said


def test_uninstall_can_take_settings_and_people_too(stage: Stage) -> None:
    stage.make("install")

    stage.make("uninstall", "PURGE=1")

    assert stage.files() == set()


def test_uninstalling_twice_is_no_error(stage: Stage) -> None:
    stage.make("install")

    stage.make("uninstall")
    stage.make("uninstall")


def test_a_python_that_is_too_old_is_refused_with_a_way_out(stage: Stage, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)

    refused = subprocess.run(
        ["sh", ROOT / "systemd" / "install.sh"],
        env={**os.environ, "DESTDIR": str(stage.root), "PYTHON": str(old)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert refused.returncode == 69
    assert "apt install python3 python3-venv" in refused.stderr


def test_the_service_has_a_user_of_its_own_in_the_groups_of_the_buses(tmp_path: Path) -> None:
    if shutil.which("systemd-sysusers") is None:
        pytest.skip("needs systemd-sysusers: apt install systemd")
    rules = tmp_path / "etc" / "sysusers.d" / "qrsd.conf"
    rules.parent.mkdir(parents=True)
    shutil.copy(ROOT / "systemd" / "qrsd.sysusers", rules)

    subprocess.run(["systemd-sysusers", f"--root={tmp_path}"], capture_output=True, check=True)

    groups = (line.split(":") for line in (tmp_path / "etc" / "group").read_text().splitlines())
    members = {name: people for name, _, _, people in groups}
    assert members == {"spi": "qrsd", "gpio": "qrsd", "qrsd": ""}
