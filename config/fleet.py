"""The fleet: the NATS servers of a site, and where this device's keys are, which name it.

as a service          $CREDENTIALS_DIRECTORY/qrsd.fleet and qrsd.site-key, which systemd fills from
                      /etc/credstore or, encrypted, from /etc/credstore.encrypted
otherwise             the files that ``fleet.credentials`` and ``fleet.site_key`` name
as root               /etc/credstore/qrsd.fleet and qrsd.site-key, where nothing is set
"""

from __future__ import annotations

import os
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from config.credential import check_place
from config.errors import KeyMissing
from config.gallery_key import CREDSTORE
from config.mqtt import LEVEL
from config.secret_file import read_private, read_secret
from config.web_address import HIGHEST_PORT, is_loopback, trusting

CREDENTIALS, SITE_KEY = "qrsd.fleet", "qrsd.site-key"  # names of systemd's credentials
SERVER = re.compile(r"(nats|tls)://(\[[\da-f:.]+\]|[a-z\d.-]+):\d{1,5}", re.A | re.I)
REPLICAS = (1, 3, 5)


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """The fleet that this device is of."""

    #: such as tls://hub.example.org:4222; nats://, which is not encrypted, to this machine only;
    #: empty: it is of none
    servers: tuple[str, ...] = ()
    site: str = ""  # whose people it shares
    credentials: str = ""  # file that qrsd keys fleet-device made; empty for systemd's credential
    site_key: str = ""  # file that qrsd keys fleet-site made; empty for systemd's credential
    ca: str = ""  # file with the certificate that vouches for the servers; empty: the system's
    replicas: int = 1  # servers of a cluster that hold everything; others than 1 need a cluster

    def __post_init__(self) -> None:
        for server in self.servers:
            _check_server(server)
        if len({urlsplit(server).scheme for server in self.servers}) > 1:
            raise ValueError("servers: nats:// and tls:// are mixed; take tls:// for all")
        if self.servers and not self.site:
            raise ValueError("site: servers are set, and it has to be said which site this is")
        if self.site and not LEVEL.fullmatch(self.site):
            raise ValueError(f"site: {self.site!r:.80} has more than letters, digits, _ and -")
        check_place("credentials", self.credentials, "/etc/qrsd/fleet.credentials")
        check_place("site_key", self.site_key, "/etc/qrsd/site.key")
        if self.replicas not in REPLICAS:
            raise ValueError(f"replicas: {self.replicas} is not one of 1, 3, 5")

    def read_credentials(self) -> str:
        """Return the text of the credentials' file, or raise a ``KeysError``."""
        return read_private(*_place(self.credentials, CREDENTIALS, "fleet.credentials"))

    def read_site_key(self) -> bytes:
        """Return the site's key, 32 bytes, or raise a ``KeysError``."""
        return read_secret(*_place(self.site_key, SITE_KEY, "fleet.site_key"))

    @property
    def tls(self) -> ssl.SSLContext | None:
        """Return how servers have to prove who they are; None on this machine.

        Raises:
            SettingInvalid: the file of ``ca`` cannot be read.
        """
        if not self.servers[0].lower().startswith("tls:"):
            return None
        return trusting("fleet.ca", self.ca)


def _check_server(server: str) -> None:
    if not SERVER.fullmatch(server) or int(server.rpartition(":")[2]) > HIGHEST_PORT:
        raise ValueError(f"servers: {server!r:.80} is not such as tls://hub.example.org:4222")
    address = urlsplit(server)
    if address.scheme == "nats" and not is_loopback(address.hostname or ""):
        raise ValueError(
            f"servers: {server}: nats:// is not encrypted, so it is for this machine alone "
            "(127.0.0.1, [::1], localhost); take tls://"
        )


def _place(file: str, credential: str, setting: str) -> tuple[Path, bool]:
    """Return where a secret is, and whether the file itself has to be private."""
    if file:
        return Path(file).expanduser(), True
    if folder := os.environ.get("CREDENTIALS_DIRECTORY"):
        return Path(folder) / credential, False
    if os.geteuid() == 0:
        return CREDSTORE / credential, True
    raise KeyMissing(f"{setting}: no file is set, and this user has none of systemd's credentials")
