"""Binds the service's sockets: an address to one service only, and open ones with CURVE only."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import zmq

from daemon.errors import DaemonError
from daemon.wire.addresses import IPC, check_address, is_ipv6, needs_key, somebody_has
from daemon.wire.curve_gate import CurveGate
from daemon.wire.errors import AddressInUse, AddressRefused, AddressUnusable
from daemon.wire.keepalive import keep_alive
from daemon.wire.keys import Right


def bind(
    socket: zmq.Socket[bytes], address: str, right: Right = "listen", gate: CurveGate | None = None
) -> str:
    """Listen on an address and return it, with the port chosen for a ``*``.

    The file of an ipc address is for this user only (mode 0600), as is its folder if it is new.

    Args:
        socket: what listens.
        address: where.
        right: what a client needs if the address is open to others.
        gate: authenticates clients there; None if the service has no keys.

    Raises:
        AddressRefused, AddressInUse, AddressUnusable: it cannot listen there.
    """
    check_address(address, right, keys=gate is not None)
    socket.ipv6 = is_ipv6(address)
    keep_alive(socket)
    with explained(address):
        if address.startswith(IPC):
            _prepare(Path(address.removeprefix(IPC)))
        if gate is not None and needs_key(address, right):
            gate.listen(socket, address, right)
        else:
            _bind_for_this_user(socket, address)
    return socket.getsockopt_string(zmq.LAST_ENDPOINT)


@contextmanager
def explained(address: str) -> Iterator[None]:
    """Turn the system's errors of listening on an address into AddressInUse or AddressUnusable."""
    try:
        yield
    except (zmq.ZMQError, OSError) as error:
        if isinstance(error, DaemonError):
            raise
        if error.errno == errno.EADDRINUSE:
            raise _in_use(address) from error
        raise AddressUnusable(f"Cannot listen on {address}: {error}.") from error


def _bind_for_this_user(socket: zmq.Socket[bytes], address: str) -> None:
    mask = os.umask(0o177)
    try:
        socket.bind(address)
    finally:
        os.umask(mask)


def _prepare(path: Path) -> None:
    """Make the socket's folder, and check that it is ours and that nobody listens on the file."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = path.parent.stat().st_uid
    if os.geteuid() not in (0, owner):
        raise AddressRefused(f"{path.parent} belongs to another user: choose a folder of your own.")
    if somebody_has(path):  # ZeroMQ would take the file from a running service
        raise _in_use(f"{IPC}{path}")


def _in_use(address: str) -> AddressInUse:
    return AddressInUse(f"{address} is in use: is another qrsd running? systemctl status 'qrsd*'")
