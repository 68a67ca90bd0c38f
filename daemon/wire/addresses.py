"""Which addresses the service may listen on, and which of them need CURVE keys."""

from __future__ import annotations

import errno
import os
import re
import socket as unix
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from daemon.wire.errors import AddressRefused
from daemon.wire.keys import Right

IPC = "ipc://"
LOOPBACK_HOST = "127.0.0.1"
TCP = re.compile(r"tcp://\S+:(\d{1,5}|\*)")
LOOPBACK = re.compile(r"tcp://(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|localhost|\[::1\]):(\d{1,5}|\*)")
EVERY_HOST = re.compile(r"(?<=^tcp://)(\*|0\.0\.0\.0|\[::\])(?=:)")
HIGHEST_PORT = 65535
LONGEST_PATH = 107  # bytes of a Unix socket's


def needs_key(address: str, right: Right) -> bool:
    """Tell whether only clients with a key may come in there.

    A file is its owner's only. The loopback interface is every user's of this machine, who may
    listen; for commands that is too many.
    """
    if address.startswith(IPC):
        return False
    return right == "control" or not LOOPBACK.fullmatch(address)


def is_ipv6(address: str) -> bool:
    """Tell whether a socket needs ZMQ_IPV6 for this address."""
    return "[" in address


def way_in(addresses: Sequence[str]) -> tuple[str, bool]:
    """Return where programs of this machine connect to hear it, and whether they need a key there.

    Args:
        addresses: where the service publishes.
    """
    open_ones = [address for address in addresses if not needs_key(address, "listen")]
    address = (open_ones or addresses)[0]
    return EVERY_HOST.sub(LOOPBACK_HOST, address), not open_ones


def check_address(address: str, right: Right = "listen", *, keys: bool = False) -> None:
    """Let pass what cannot be reached from another machine, or by those only who have a key.

    Args:
        address: where to listen.
        right: what is to be had there.
        keys: whether the service has a key of its own, so that it can ask for others'.

    Raises:
        AddressRefused: it is neither.
    """
    port = address.rpartition(":")[2]
    if port.isdecimal() and int(port) > HIGHEST_PORT:
        raise AddressRefused(f"{address} is refused: ports go up to {HIGHEST_PORT}.")
    if address.startswith(f"{IPC}/"):  # an abstract socket, ipc://@NAME, is everybody's
        length = len(os.fsencode(address.removeprefix(IPC)))
        if length > LONGEST_PATH:
            raise AddressRefused(
                f"{address} is refused: the path of a socket has {LONGEST_PATH} bytes at most, "
                f"not {length}."
            )
        return
    if not TCP.fullmatch(address):
        raise AddressRefused(
            f"{address} is refused: only ipc:///PATH, tcp://127.0.0.1:PORT and, with keys, "
            "tcp://HOST:PORT can be listened on."
        )
    if needs_key(address, right) and not keys:
        raise AddressRefused(
            f"{address} is refused: others could come in, and the service has no key to ask for "
            "theirs. Make one (sudo qrsd keys new), or keep to ipc:///PATH and, for messages only, "
            "tcp://127.0.0.1:PORT, which other machines reach through an SSH tunnel."
        )


def somebody_has(path: Path) -> bool:
    """Tell whether somebody listens on a file, even if too busy to let one more in."""
    with unix.socket(unix.AF_UNIX) as probe:
        probe.setblocking(False)
        with suppress(OSError):  # the path is longer than that of any socket
            return probe.connect_ex(str(path)) in (0, errno.EAGAIN)
    return False
