"""A real nats-server with the configuration that qrsd makes, over TLS on this machine."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.fleet import FleetOptions
from daemon.fleet.link import OLDEST_SERVER
from daemon.fleet.site_folder import add_device, credentials_path, make_site, site_key_path
from tests.daemon.background import wait_for
from tests.daemon.certificates import certificate

SITE = "house"
UNPACKED = Path(__file__).parents[3] / "build/nats/usr/sbin"  # by tests/packages.sh


def program() -> str:
    """Return a nats-server that is new enough, or skip the test."""
    for path in (None, "/usr/sbin", str(UNPACKED)):
        if found := shutil.which("nats-server", path=path):
            said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True)
            numbers = re.findall(r"\d+", said.stdout)[:3]
            if tuple(map(int, numbers)) >= OLDEST_SERVER:
                return found
    pytest.skip("needs nats-server 2.10.20 or newer: sudo make test-servers")


class NatsServer:
    """A server of the site ``house``, with an operator and devices.

    Args:
        folder: for its configuration and keys.
        devices: their names.
        store: folder of what it keeps; None for one in its folder.
        within: a command that runs another elsewhere, as in a network namespace.
        host: where it listens.
    """

    def __init__(
        self,
        folder: Path,
        devices: Sequence[str],
        store: Path | None = None,
        within: Sequence[str] = (),
        host: str = "127.0.0.1",
    ) -> None:
        self._program = program()
        self.folder = folder
        self.store = store or folder / "store"
        self._within = within
        self.host = host
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        make_site(folder, SITE)
        for device in devices:
            add_device(folder, SITE, device)
        self.certificate, _ = certificate(folder, host)
        for name in ("server.pem", "server.key"):
            shutil.copy(self.certificate, folder / name)
        self._config = folder / "nats-server.conf"
        text = self._config.read_text().replace("/var/lib/nats", str(self.store))
        self._config.write_text(text.replace("0.0.0.0:4222", f"{host}:{self.port}"))
        if store is not None:  # a small one
            accounts = folder / "accounts.conf"
            accounts.write_text(accounts.read_text().replace("max_file: 512M", "max_file: 2M"))
        self.start()

    def start(self) -> None:
        command = [*self._within, self._program, "-c", str(self._config)]
        with (self.folder / "said").open("a") as said:
            self.process = subprocess.Popen(command, stderr=said)
        wait_for(self._answers)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.said
        return "Server is ready" in self.said.rpartition("Starting nats-server")[2]

    @property
    def said(self) -> str:
        return (self.folder / "said").read_text()

    def reload(self) -> None:
        """Have it read its configuration again."""
        self.process.send_signal(signal.SIGHUP)

    def stop(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.process.wait(20)

    def options(self, device: str, site: str = SITE) -> FleetOptions:
        """Return the settings of a device, whose files lie where they were made."""
        return FleetOptions(
            servers=(f"tls://{self.host}:{self.port}",),
            site=site,
            credentials=str(credentials_path(self.folder, site, device)),
            site_key=str(site_key_path(self.folder, site)),
            ca=str(self.certificate),
        )


@contextmanager
def serving(folder: Path, *devices: str, store: Path | None = None) -> Iterator[NatsServer]:
    """Run a server."""
    folder.mkdir()
    server = NatsServer(folder, devices, store)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            os.kill(server.process.pid, signal.SIGCONT)
            server.stop(signal.SIGKILL)
