"""Visits to machines that are folders, and to simulated chips."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from config.settings import load
from daemon.doctor.visit import Machine, User, Visit
from daemon.doctor.walk import Check, Finding, walk

ADA = User("ada", 1000, frozenset({1000, 995, 997}))
GROUPS = "root:x:0:\nspi:x:995:ada,qrsd\ngpio:x:997:ada,qrsd\n"


def raspberry_pi(root: Path) -> None:
    """Make the files of a Raspberry Pi on which all is well."""
    files = {
        "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.5\0",
        "proc/self/limits": LIMITS.format(priority=50, memory="unlimited"),
        "proc/sys/kernel/sched_rt_runtime_us": "950000\n",
        "dev/spidev0.0": "",
        "dev/gpiochip0": "",
        "boot/firmware/config.txt": "dtparam=audio=on\ndtparam=i2c_arm=on,spi=on\n",
        "sys/module/spidev/parameters/bufsiz": "4096\n",
        "sys/devices/system/clocksource/clocksource0/current_clocksource": "arch_sys_counter\n",
        "etc/group": GROUPS,
        "etc/passwd": "ada:x:1000:1000::/home/ada:/bin/sh\nqrsd:x:996:996::/:/sbin/nologin\n",
    }
    for path, text in files.items():
        write(root, path, text)
    limit = root / "sys/bus/spi/devices/spi0.0/of_node/spi-max-frequency"
    limit.parent.mkdir(parents=True)
    limit.write_bytes((125_000_000).to_bytes(4))


LIMITS = """\
Limit                     Soft Limit           Hard Limit           Units
Max locked memory         {memory}             {memory}             bytes
Max realtime priority     {priority}           {priority}
"""


def write(root: Path, path: str, text: str) -> None:
    """Write one file of a machine."""
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def visit_to(
    root: Path,
    *assignments: str,
    user: User = ADA,
    may_use: Callable[[Path], bool] = lambda _: True,
) -> Visit:
    """Return a visit to the machine in a folder, with settings from nowhere else."""
    nowhere = Path("/dev/null")
    return Visit(
        lambda: load(nowhere, environment={}, assignments=assignments),
        Machine(root, user, may_use),
    )


def found(visit: Visit, checks: Iterable[Check]) -> dict[str, Finding]:
    """Return the findings of some checks, by what they are about; the last of each."""
    with visit.resources:
        return {finding.about: finding for finding in walk(checks, visit)}
