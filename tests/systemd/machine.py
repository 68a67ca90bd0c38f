"""A machine with a systemd of its own and qrsd installed, to be broken: see ``boot.sh``."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from daemon.acquisition.realtime import PRIORITY

BOOT = Path(__file__).with_name("boot.sh")
#: Packages that bring the programs of ``boot.sh``, by one program of each.
PACKAGES = {
    "systemd-analyze": "systemd",
    "systemd-nspawn": "systemd-container",
    "nsenter": "util-linux",
    "make": "make",
}
MAKE_INSTALL = "make -C /usr/local/src/qrsd install PYTHON=/usr/bin/python3"
BOOTED = ("running", "degraded")
INSTALL_S = 420.0  # over the network, when nothing is cached
BOOT_S = 60.0
NOBODY = 65534
SETTINGS = "/etc/qrsd/qrsd.yaml"
DROP_IN = "/etc/systemd/system/qrsd.service.d/test.conf"
HEALTHY = """\
source: simulated
simulated:
  play: [{heart: 13, seconds: 3600}]
"""
#: PID 1 of a container may not raise LimitRTPRIO, but it may give what the service would ask for.
#: Without, samples are lost by the hundred wherever others are busy.
FIFO = ("CPUSchedulingPolicy=fifo", f"CPUSchedulingPriority={PRIORITY}")
NAMESPACES = ("--mount", "--propagation=private", "--pid", "--fork", "--mount-proc")
CANNOT = 69


class CannotBoot(Exception):
    """This machine cannot boot another inside itself."""


def require() -> None:
    """Check what can be checked beforehand.

    Raises:
        CannotBoot: not root, a program is missing, or root may not do what root does.
    """
    if os.geteuid() != 0:
        raise CannotBoot("booting a systemd needs root: sudo make test-system")
    missing = [package for program, package in PACKAGES.items() if not shutil.which(program)]
    if missing:
        raise CannotBoot(f"booting a systemd needs: apt install {' '.join(missing)}")
    probe = subprocess.run(
        ["unshare", *NAMESPACES, "true"], capture_output=True, text=True, check=False
    )
    if probe.returncode != 0:
        raise CannotBoot(f"this machine cannot boot another: {probe.stderr.strip()}")


def wait_until(condition: Callable[[], bool], patience_s: float) -> float:
    """Return after how many seconds a condition held."""
    start_s = time.monotonic()
    while not condition():
        assert time.monotonic() - start_s < patience_s, f"not within {patience_s} s"
        time.sleep(0.1)
    return time.monotonic() - start_s


class Machine:
    """A machine that runs.

    Args:
        process: runs ``boot.sh``.
        log: what it prints, and the console of the machine.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log
        self._wait_for_boot(INSTALL_S + BOOT_S)

    def run(self, *command: str, patience_s: float = 30.0) -> subprocess.CompletedProcess[str]:
        """Run a command as root to its end, whatever that is."""
        return subprocess.run(
            self._entering(*command),
            capture_output=True,
            text=True,
            timeout=patience_s,
            check=False,
        )

    def said(self, *command: str, patience_s: float = 30.0) -> str:
        """Return what a command prints that must not fail."""
        done = self.run(*command, patience_s=patience_s)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout.strip()

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        script = 'mkdir -p "${1%/*}" && printf %s "$2" > "$1"'
        self.said("sh", "-c", script, "sh", path, text)

    def shown(self, name: str) -> str:
        """Return a property of the service."""
        return self.said("systemctl", "show", "qrsd", "--value", f"--property={name}")

    def state(self) -> str:
        """Return whether the service is active, activating, failed ..."""
        return self.shown("ActiveState")

    def processes(self) -> tuple[int, int]:
        """Return the numbers of the service's process and of its acquisition process."""
        main = int(self.shown("MainPID"))
        children = self.said("cat", f"/proc/{main}/task/{main}/children").split()
        [acquisition] = map(int, children)
        return main, acquisition

    def kill(self, signal: str, process: int) -> None:
        """Send a signal."""
        self.said("kill", f"-{signal}", str(process))

    def cursor(self) -> str:
        """Return the place in the journal where it ends now."""
        return self.said("journalctl", "--lines=0", "--show-cursor").rpartition("cursor: ")[2]

    def journal(self, since: str) -> str:
        """Return what the service, and systemd of it, have logged since."""
        options = ("--unit=qrsd", "--output=cat", f"--after-cursor={since}")
        return self.said("journalctl", *options)

    def reboot(self) -> None:
        """Shut down, start, and wait until everything that starts by itself is started."""
        before = self._init()
        self.said("systemctl", "reboot")
        wait_until(lambda: self._init() not in (None, before), BOOT_S)
        self._wait_for_boot(BOOT_S)

    @contextmanager
    def subscriber(self) -> Iterator[Subscriber]:
        """Listen, as a user of the machine without any rights."""
        user = (f"--setuid={NOBODY}", f"--setgid={NOBODY}")
        command = self._entering("qrsd", "watch", "--json", options=user)
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as process:
            subscriber = Subscriber(process)
            try:
                yield subscriber
            finally:
                os.killpg(process.pid, signal.SIGKILL)  # nsenter, and what it has started
                subscriber.join()

    def left_behind(self) -> str:
        """Name what there is of qrsd that was not there before its installation."""
        # dpkg takes an empty /opt with it where no other package has it.
        folders = ("/etc", "/home", "/opt", "/root", "/run", "/usr", "/var")
        places = [folder for folder in folders if self.run("test", "-d", folder).returncode == 0]
        new = ("-name", "*qrsd*", "-cnewer", "/before-install", "!", "-path", "/usr/local/src/*")
        return self.said("find", *places, "-maxdepth", "4", *new)

    def power_off(self) -> None:
        """Shut down, or pull the plug."""
        self.run("systemctl", "poweroff")
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(BOOT_S)

    def _entering(self, *command: str, options: tuple[str, ...] = ()) -> list[str]:
        init = self._init()
        assert init is not None, self._log.read_text()
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        environment = ("env", "-i", path, "LC_ALL=C.UTF-8")
        return ["nsenter", f"--target={init}", "--all", "--wd", *options, *environment, *command]

    def _init(self) -> int | None:
        """Return the number, out here, of the machine's first process: unshare, sh, nspawn, it."""
        process = self._process.pid
        for name in ("sh", "systemd-nspawn", "systemd"):
            try:
                children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
                [process] = map(int, children)
                found = Path(f"/proc/{process}/comm").read_text().strip()
            except (OSError, ValueError):
                return None
            if found != name[:15]:
                return None
        return process

    def _wait_for_boot(self, patience_s: float) -> None:
        """Wait for everything that starts by itself.

        Raises:
            CannotBoot: this machine cannot have another.
        """

        def booted() -> bool:
            if self._process.poll() == CANNOT:
                *_, why = self._log.read_text().splitlines()
                raise CannotBoot(f"this machine cannot boot another: {why}")
            assert self._process.poll() is None, self._log.read_text()
            if self._init() is None:
                return False
            return self.run("systemctl", "is-system-running").stdout.strip() in BOOTED

        wait_until(booted, patience_s)


class Subscriber:
    """What ``qrsd watch --json`` hears, from its start on."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.heard: list[dict[str, Any]] = []
        self._process = process
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def hear(
        self, until: Callable[[dict[str, Any]], bool], after: int = 0, patience_s: float = 30.0
    ) -> dict[str, Any]:
        """Return the first item that will do, of those after the first so many."""
        give_up_s = time.monotonic() + patience_s
        while time.monotonic() < give_up_s:
            for item in self.heard[after:]:
                if until(item):
                    return item
            time.sleep(0.1)
        raise AssertionError(f"not heard within {patience_s} s; last: {self.heard[-3:]}")

    def join(self) -> None:
        """Wait for the end of what is heard."""
        self._thread.join()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith("\n"):  # the last may be cut
                self.heard.append(json.loads(line))


def package_for(base: Path) -> Path | None:
    """Return the Debian package that was made last for a system; None if there is none."""
    ask = '. "$1/etc/os-release" && echo "~$ID${VERSION_ID}_$(dpkg --print-architecture)"'
    suffix = subprocess.check_output(["sh", "-c", ask, "sh", base], text=True).strip()
    made = (BOOT.parents[2] / "build").glob(f"qrsd_*{suffix}.deb")
    return max(made, key=lambda path: path.stat().st_mtime, default=None)


def configure(machine: Machine, settings: str = HEALTHY, unit: tuple[str, ...] = ()) -> None:
    """Stop the service and write its settings, and what its unit has besides."""
    allowed = machine.run("chrt", "--fifo", str(PRIORITY), "true").returncode == 0
    machine.said("systemctl", "stop", "qrsd")
    machine.write(SETTINGS, settings)
    machine.write(DROP_IN, "\n".join(["[Service]", *(FIFO if allowed else ()), *unit, ""]))
    machine.said("systemctl", "daemon-reload")
    machine.run("systemctl", "reset-failed", "qrsd")  # says no where nothing has failed


def accepted(item: dict[str, Any]) -> bool:
    """Tell whether a message says that somebody is who they are enrolled as."""
    return item.get("topic") == "identity" and item["state"] == "accepted"


@contextmanager
def booted(
    folder: Path, base: Path = Path("/"), before_boot: str = MAKE_INSTALL
) -> Iterator[Machine]:
    """Boot a copy of a system, by default with qrsd installed, and throw it away afterwards.

    Args:
        folder: for what the copy writes, and its log.
        base: the root of what is copied, by default this machine.
        before_boot: a shell command to run in the copy, which then has a network.

    Raises:
        CannotBoot: this machine cannot do that.
    """
    require()
    log = folder / "console.log"
    stage = folder / f"machine-{os.getpid()}"
    stage.mkdir()
    command = ["unshare", *NAMESPACES, "--kill-child", "sh", str(BOOT)]
    command += [str(stage), str(base), before_boot]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            machine = Machine(process, log)
            yield machine
            machine.power_off()
        finally:
            process.kill()
