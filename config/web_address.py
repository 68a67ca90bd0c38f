"""Addresses of servers to which something of a heart is sent: encrypted, or on this machine."""

from __future__ import annotations

import re
import ssl
from ipaddress import ip_address
from pathlib import Path

from config.errors import SettingInvalid

#: Without user names, questions and escapes, which programs read in different ways.
URL = re.compile(r"(https?)://(([a-z\d.-]+|\[[\da-f:.]+\])(:\d{1,5})?)(/[\w.~/-]*)?", re.A | re.I)
HOST = re.compile(r"[a-z\d.-]+|[\da-f:.]+", re.A | re.I)  # a name or an IP address
HIGHEST_PORT = 65535


def check_url(url: str, such_as: str) -> None:
    """Refuse what is no plain address, and http to another machine.

    Raises:
        ValueError: the address of the setting ``url`` may not be taken.
    """
    found = URL.fullmatch(url)
    if not found or int((found[4] or ":0")[1:]) > HIGHEST_PORT:
        raise ValueError(f"url: {url!r:.80} is not such as {such_as}")
    if found[1].lower() == "http" and not is_loopback(found[3]):
        raise ValueError(
            f"url: {url}: http sends figures and key unencrypted, so it is for this machine alone "
            "(127.0.0.1, [::1], localhost); take https, or a tunnel such as ssh -L"
        )


def host_of(url: str) -> str:
    """Return host and port, without what only programs need; empty of what is no address."""
    found = URL.fullmatch(url)
    return found[2].lower() if found else ""


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine by its very name."""
    try:
        return host.lower() == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def trusting(setting: str, authority: str) -> ssl.SSLContext:
    """Return how a server has to prove who it is.

    Args:
        setting: that names the file, for errors.
        authority: file with the certificate that vouches for the server; empty for the system's.

    Raises:
        SettingInvalid: no certificate can be read from the file.
    """
    file = str(Path(authority).expanduser()) if authority else None
    try:
        return ssl.create_default_context(cafile=file)
    except OSError as error:
        raise SettingInvalid(
            f"{setting}: {authority}: no certificate can be read from it ({error.strerror}); "
            "expected a PEM file"
        ) from error
