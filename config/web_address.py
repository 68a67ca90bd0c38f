"""Addresses of servers to which something of a heart is sent: encrypted, or on this machine."""

from __future__ import annotations

import re
from ipaddress import ip_address

#: Without user names, questions and escapes, which programs read in different ways.
URL = re.compile(r"(https?)://(([a-z\d.-]+|\[[\da-f:.]+\])(:\d{1,5})?)(/[\w.~/-]*)?", re.A | re.I)
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
