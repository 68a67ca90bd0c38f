"""Whom the server can be reached by, and what it calls itself: loopback alone, or TLS."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from config.errors import KeyMissing
from config.web import WebOptions
from config.web_address import is_loopback
from daemon.web.tokens import read_tokens, tokens_path

if TYPE_CHECKING:
    from daemon.web.certificate import Certificate

Kind: TypeAlias = Literal["loopback", "tls"]

HOST = re.compile(r"([a-z\d._-]+|\[[\da-f:.]+\])(?::(\d{1,5}))?", re.A | re.I)
LOOPBACK = ("localhost", "127.0.0.1", "::1")
EVERYWHERE = ("0.0.0.0", "::")
#: Of the scheme in an origin, the port that is left out.
DEFAULT_PORTS = {"loopback": 80, "tls": 443}


@dataclass(frozen=True, slots=True)
class Exposure:
    """Where the server listens, and what a request may call it."""

    kind: Kind
    address: str  # IP address that it listens on
    port: int
    names: tuple[str, ...]  # host names, ``*.`` for all of a level below one, and addresses
    certificate: Certificate | None = None  # of kind tls

    @property
    def scheme(self) -> str:
        """Return the scheme of its addresses."""
        return "http" if self.kind == "loopback" else "https"

    def is_ours(self, host: str) -> bool:
        """Tell whether a request's Host is this server, so that no other site's name leads here."""
        found = HOST.fullmatch(host)
        if not found or int(found[2] or DEFAULT_PORTS[self.kind]) != self.port:
            return False
        return _fits(_canonical(found[1]), self.names)

    def is_our_origin(self, origin: str, host: str) -> bool:
        """Tell whether a page that was loaded from this ``host`` is where a request comes from."""
        scheme, _, there = origin.partition("://")
        return scheme == self.scheme and self._place(there) == self._place(host) is not None

    def _place(self, host: str) -> tuple[str, int] | None:
        found = HOST.fullmatch(host)
        return (_canonical(found[1]), int(found[2] or DEFAULT_PORTS[self.kind])) if found else None

    @property
    def url(self) -> str:
        """Return an address of it for the browser."""
        host = self.address
        if host in EVERYWHERE:
            usable = (name for name in self.names if not (name[0] == "*" or is_loopback(name)))
            host = next(usable, LOOPBACK[0])
        return f"{self.scheme}://{f'[{host}]' if ':' in host else host}:{self.port}/"

    def told(self) -> str:
        """Return where it can be reached and by whom, for the start."""
        if self.certificate is None:
            return f"{self.url} (no password: who uses this machine may do everything)"
        return f"{self.url} (by token only; certificate's SHA-256 {self.certificate.fingerprint})"


def exposure_of(options: WebOptions, folder: Path) -> Exposure:
    """Return what the settings say, or refuse to be open to others without TLS and a token.

    Args:
        options: of the settings.
        folder: of tokens and own certificate.

    Raises:
        KeysError: there is no token, or the certificate cannot be had.
    """
    if options.is_loopback:
        names = dict.fromkeys((*LOOPBACK, options.address))
        return Exposure("loopback", options.address, options.port, tuple(names))
    if not read_tokens(folder):
        raise KeyMissing(
            f"{tokens_path(folder)}: no token yet, and without one nobody may come from another "
            "machine: qrsd keys web-token add NAME --scope live"
        )
    from daemon.web.certificate import own_certificate, read_certificate  # nine MiB more

    if options.certificate:
        files = (Path(options.certificate).expanduser(), Path(options.key).expanduser())
        certificate = read_certificate(*files)
    else:
        here = [] if options.address in EVERYWHERE else [options.address]
        certificate = own_certificate(folder, here)
    certificate.context()  # whether they fit together
    return Exposure("tls", options.address, options.port, certificate.names, certificate)


def _canonical(host: str) -> str:
    """Return a host in small letters, an address as it is usually written."""
    try:
        return str(ip_address(host.strip("[]")))
    except ValueError:
        return host.lower()


def _fits(host: str, names: Iterable[str]) -> bool:
    return any(
        host == name
        or (name.startswith("*.") and host.partition(".")[2] == name[2:] and host[0] != ".")
        for name in names
    )
