"""Where the service listens: on this machine, beyond it behind keys, each place by one service."""

from __future__ import annotations

import errno
import os
import re
import socket as unix
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import zmq

from daemon.errors import DaemonError
from daemon.wire.curve_gate import CurveGate
from daemon.wire.errors import AddressInUse, AddressRefused, AddressUnusable
from daemon.wire.keys import Right

IPC = "ipc://"
LOOPBACK_HOST = "127.0.0.1"
TCP = re.compile(r"tcp://\S+:(\d{1,5}|\*)")
LOOPBACK = re.compile(r"tcp://127\.\d{1,3}\.\d{1,3}\.\d{1,3}:(\d{1,5}|\*)")
EVERY_HOST = re.compile(r"(?<=^tcp://)(\*|0\.0\.0\.0|\[::\])(?=:)")
HIGHEST_PORT = 65535


def needs_key(address: str, right: Right) -> bool:
    """Tell whether only clients with a key may come in there.

    A file is its owner's only. The loopback interface is every user's of this machine, who may
    listen; for commands that is too many.
    """
    if address.startswith(IPC):
        return False
    return right == "control" or not LOOPBACK.fullmatch(address)


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
    if not needs_key(address, right):
        return
    if not TCP.fullmatch(address):
        raise AddressRefused(
            f"{address} is refused: only ipc:///PATH, tcp://127.0.0.1:PORT and, with keys, "
            "tcp://HOST:PORT can be listened on."
        )
    if not keys:
        raise AddressRefused(
            f"{address} is refused: others could come in, and the service has no key to ask for "
            "theirs. Make one (sudo qrsd keys new), or keep to ipc:///PATH and, for messages only, "
            "tcp://127.0.0.1:PORT, which other machines reach through an SSH tunnel."
        )


def bind(
    socket: zmq.Socket[bytes], address: str, right: Right = "listen", gate: CurveGate | None = None
) -> str:
    """Listen on an address and return it, with the port that a ``*`` became.

    The file of an ipc address is for this user only (mode 0600), as is its folder if it is new.

    Args:
        socket: what listens.
        address: where.
        right: what clients who come through the gate need.
        gate: what they have to come through if the address is open to others.

    Raises:
        AddressRefused: the address is open to other machines or users, and there is no gate.
        AddressInUse: somebody listens there already.
        AddressUnusable: the system does not allow it.
    """
    check_address(address, right, keys=gate is not None)
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
    """Turn what the system says against listening there into what it means.

    Raises:
        AddressInUse, AddressUnusable: it says something.
    """
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
    """Make sure that the socket's folder is ours, and that the file is not alive."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = path.parent.stat().st_uid
    if os.geteuid() not in (0, owner):
        raise AddressRefused(f"{path.parent} belongs to another user: choose a folder of your own.")
    if somebody_has(path):  # ZeroMQ would take the file from a running service
        raise _in_use(f"{IPC}{path}")


def somebody_has(path: Path) -> bool:
    """Tell whether somebody listens on a file, even if too busy to let one more in."""
    with unix.socket(unix.AF_UNIX) as probe:
        probe.setblocking(False)
        with suppress(OSError):  # the path is longer than that of any socket
            return probe.connect_ex(str(path)) in (0, errno.EAGAIN)
    return False


def _in_use(address: str) -> AddressInUse:
    return AddressInUse(f"{address} is in use: is another qrsd running? systemctl status qrsd")
