"""The installed service under a real systemd, with its lock-down, on a simulated chip.

As root on a machine that may be used for it, after ``make install``: ``pytest -m system``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

RUNNING_SYSTEMD = Path("/run/systemd/system")
DROP_IN = RUNNING_SYSTEMD / "qrsd.service.d" / "test.conf"

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(
        not RUNNING_SYSTEMD.is_dir() or os.geteuid() != 0 or not Path("/opt/qrsd").is_dir(),
        reason="needs root, systemd as PID 1, and make install",
    ),
]


def systemctl(*arguments: str) -> str:
    return subprocess.run(
        ["systemctl", *arguments], capture_output=True, text=True, check=True
    ).stdout


def shown(name: str) -> str:
    return systemctl("show", "qrsd", "--value", "--property", name).strip()


def wait_until(condition: Callable[[], bool], patience_s: float) -> None:
    give_up_s = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < give_up_s, f"not within {patience_s} s"
        time.sleep(0.2)


def configure(**settings: str) -> None:
    lines = [f'Environment="QRSD_{name}={value}"' for name, value in settings.items()]
    DROP_IN.parent.mkdir(exist_ok=True)
    DROP_IN.write_text("\n".join(["[Service]", *lines]) + "\n")
    systemctl("daemon-reload")


@pytest.fixture(autouse=True)
def a_stopped_service() -> Iterator[None]:
    systemctl("stop", "qrsd")
    systemctl("reset-failed", "qrsd*")  # a pattern may match nothing
    yield
    systemctl("stop", "qrsd")
    DROP_IN.unlink(missing_ok=True)
    systemctl("daemon-reload")


def acquisition_process() -> int:
    group = Path("/sys/fs/cgroup") / shown("ControlGroup").lstrip("/") / "cgroup.procs"
    main = int(shown("MainPID"))
    (child,) = (
        pid
        for pid in map(int, group.read_text().split())
        if pid != main and b"daemon.acquisition" in Path(f"/proc/{pid}/cmdline").read_bytes()
    )
    return child


def test_it_says_ready_once_samples_flow_and_stops_cleanly() -> None:
    configure(SOURCE="simulated")

    systemctl("start", "qrsd")
    assert shown("ActiveState") == "active"
    wait_until(lambda: "samples" in shown("StatusText"), patience_s=5)

    systemctl("stop", "qrsd")
    assert (shown("Result"), shown("ExecMainStatus")) == ("success", "0")


def test_a_wrong_setting_is_not_tried_again() -> None:
    configure(SOURCE="simulated", CHIP_GAIN="5")

    with pytest.raises(subprocess.CalledProcessError):
        systemctl("start", "qrsd")

    assert (shown("ActiveState"), shown("ExecMainStatus")) == ("failed", "78")


def test_the_watchdog_starts_it_again_when_no_samples_come() -> None:
    configure(SOURCE="simulated")
    systemctl("start", "qrsd")
    first = shown("MainPID")

    os.kill(acquisition_process(), signal.SIGSTOP)

    wait_until(lambda: shown("Result") == "watchdog", patience_s=30)
    wait_until(lambda: shown("ActiveState") == "active", patience_s=30)
    assert shown("MainPID") != first


def test_another_user_cannot_reach_the_control_socket_or_the_gallery() -> None:
    configure(SOURCE="simulated")
    systemctl("start", "qrsd")

    for folder in ("/run/qrsd", "/var/lib/qrsd"):
        assert Path(folder).stat().st_mode & 0o077 == 0
