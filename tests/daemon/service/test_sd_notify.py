"""systemd is told over its datagram socket, by path or in the abstract namespace."""

from __future__ import annotations

import socket
from pathlib import Path
from uuid import uuid4

import pytest

from daemon.service.sd_notify import Notifier


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told_each_thing_in_a_datagram_of_its_own(
    abstract: bool, tmp_path: Path
) -> None:
    address = f"@qrsd-test-{uuid4()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0" + address[1:] if abstract else address)
        systemd.settimeout(1.0)
        notifier = Notifier(address)
        notifier.ready()
        notifier.alive()
        notifier.status("500 samples, 0 lost")
        notifier.stopping()
        notifier.close()
        heard = [systemd.recv(100) for _ in range(4)]
    assert heard == [b"READY=1", b"WATCHDOG=1", b"STATUS=500 samples, 0 lost", b"STOPPING=1"]


def test_without_systemd_nobody_is_told() -> None:
    notifier = Notifier(None)
    notifier.ready()
    notifier.close()


def test_the_socket_of_the_environment_is_not_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(1.0)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notifier = Notifier.of_this_process()
        notifier.alive()
        assert systemd.recv(100) == b"WATCHDOG=1"
        notifier.close()
    Notifier.of_this_process().alive()  # a child of the service is not systemd's concern


def test_a_systemd_that_does_not_listen_is_not_waited_for(tmp_path: Path) -> None:
    notifier = Notifier(str(tmp_path / "gone"))
    notifier.ready()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / "gone"))
        for _ in range(5000):  # far more than its queue holds
            notifier.alive()
        assert deaf.recv(100) == b"WATCHDOG=1"
    notifier.close()
