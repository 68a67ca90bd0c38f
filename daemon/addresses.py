"""Where the service listens: on this machine only, each file and port by one service only."""

from __future__ import annotations

import errno
import os
import re
import socket as unix
from pathlib import Path

import zmq

from daemon.errors import AddressInUse, AddressRefused, AddressUnusable, DaemonError

IPC = "ipc://"
LOOPBACK_HOST = "127.0.0.1"
LOOPBACK = re.compile(r"tcp://127\.\d{1,3}\.\d{1,3}\.\d{1,3}:(\d{1,5}|\*)")


def check_address(address: str) -> None:
    """Let pass only what cannot be reached from another machine.

    Raises:
        AddressRefused: the address is neither a file nor on the loopback interface.
    """
    if not (address.startswith(IPC) or LOOPBACK.fullmatch(address)):
        raise AddressRefused(
            f"{address} is refused: messages tell who is there and are not encrypted, so only"
            " tcp://127.0.0.1:PORT and ipc:///PATH are allowed; another machine reaches them"
            " through an SSH tunnel."
        )


def bind(socket: zmq.Socket[bytes], address: str) -> str:
    """Listen on an address and return it, with the port that a ``*`` became.

    The file of an ipc address is for this user only (mode 0600), as is its folder if it is new.

    Raises:
        AddressRefused: the address is open to other machines or users.
        AddressInUse: somebody listens there already.
        AddressUnusable: the system does not allow it.
    """
    check_address(address)
    try:
        if address.startswith(IPC):
            _prepare(Path(address.removeprefix(IPC)))
        _bind_for_this_user(socket, address)
    except (zmq.ZMQError, OSError) as error:
        if isinstance(error, DaemonError):
            raise
        if error.errno == errno.EADDRINUSE:
            raise _in_use(address) from error
        raise AddressUnusable(f"Cannot listen on {address}: {error}.") from error
    return socket.getsockopt_string(zmq.LAST_ENDPOINT)


def _bind_for_this_user(socket: zmq.Socket[bytes], address: str) -> None:
    mask = os.umask(0o177)
    try:
        socket.bind(address)
    finally:
        os.umask(mask)


def _prepare(path: Path) -> None:
    """Make sure that the socket's folder is ours, and that the file is not alive."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = path.parent.stat().st_uid
    if os.geteuid() not in (0, owner):
        raise AddressRefused(f"{path.parent} belongs to another user: choose a folder of your own.")
    with unix.socket(unix.AF_UNIX) as probe:  # ZeroMQ would take the file from a running service
        if path.exists() and probe.connect_ex(str(path)) == 0:
            raise _in_use(f"{IPC}{path}")


def _in_use(address: str) -> AddressInUse:
    return AddressInUse(f"{address} is in use: is another qrsd running? systemctl status qrsd")
