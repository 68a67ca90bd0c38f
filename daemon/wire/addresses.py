"""Which addresses the service may listen on, and which of them need CURVE keys."""

from __future__ import annotations

import errno
import os
import re
import socket as unix
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from config.web_address import HIGHEST_PORT, is_loopback
from daemon.wire.errors import AddressRefused
from daemon.wire.keys import Right

IPC = "ipc://"
LOOPBACK_HOST = "127.0.0.1"
TCP = re.compile(r"tcp://\S+:(\d{1,5}|\*)")
EVERY_HOST = re.compile(r"(?<=^tcp://)(\*|0\.0\.0\.0|\[::\])(?=:)")
LONGEST_PATH = 107  # bytes of a Unix socket's


def needs_key(address: str, right: Right) -> bool:
    """Tell whether clients need a key to connect to this address.

    An ipc socket can be opened by its owner only. The loopback interface is open to every user of
    this machine: they may listen, but not command.
    """
    return not address.startswith(IPC) and (right == "control" or not _is_loopback(address))


def is_ipv6(address: str) -> bool:
    """Tell whether a socket needs ZMQ_IPV6 for this address."""
    return "[" in address


def local_address(addresses: Sequence[str]) -> tuple[str, bool]:
    """Return where programs of this machine connect for messages, and whether they need a key.

    Args:
        addresses: where the service publishes.
    """
    without_key = [address for address in addresses if not needs_key(address, "listen")]
    address = (without_key or addresses)[0]
    return EVERY_HOST.sub(LOOPBACK_HOST, address), not without_key


def check_address(address: str, right: Right = "listen", *, keys: bool = False) -> None:
    """Refuse an address that others could connect to without a key, or that is none.

    Args:
        address: where to listen.
        right: what clients get there.
        keys: whether the service has a key of its own, and so can ask for others'.

    Raises:
        AddressRefused: the message says why.
    """
    check_path(address)
    if address.startswith(f"{IPC}/"):  # an abstract socket, ipc://@NAME, is everybody's
        return
    if not TCP.fullmatch(address):
        raise AddressRefused(
            f"{address} is refused: only ipc:///PATH, tcp://127.0.0.1:PORT and, with keys, "
            "tcp://HOST:PORT can be listened on."
        )
    port = address.rpartition(":")[2]
    if port.isdecimal() and int(port) > HIGHEST_PORT:
        raise AddressRefused(f"{address} is refused: ports go up to {HIGHEST_PORT}.")
    if needs_key(address, right) and not keys:
        who = "every user of this machine" if _is_loopback(address) else "other machines"
        what = "send commands" if right == "control" else "listen"
        raise AddressRefused(
            f"{address} is refused: {who} could {what}, and the service has no key to ask for "
            "theirs. Make one (sudo qrsd keys new), or keep to ipc:///PATH and, for messages only, "
            "tcp://127.0.0.1:PORT, which other machines reach through an SSH tunnel."
        )


def check_path(address: str) -> None:
    """Refuse an ipc address whose path is longer than that of any socket.

    Raises:
        AddressRefused: it is.
    """
    length = len(os.fsencode(address.removeprefix(IPC)))
    if address.startswith(IPC) and length > LONGEST_PATH:
        raise AddressRefused(
            f"{address} is refused: the path of a socket has {LONGEST_PATH} bytes at most, "
            f"not {length}."
        )


def _is_loopback(address: str) -> bool:
    return is_loopback(address.removeprefix("tcp://").rpartition(":")[0])


def somebody_has(path: Path) -> bool:
    """Tell whether a program listens on a file, even if it is too busy to accept another client."""
    with unix.socket(unix.AF_UNIX) as probe:
        probe.setblocking(False)
        with suppress(OSError):  # the path is longer than that of any socket
            return probe.connect_ex(str(path)) in (0, errno.EAGAIN)
    return False
