"""CURVE keys: the service's own key pair, and the list of clients that are allowed to connect.

    keys/service.key    the service's secret key (mode 0600)
    keys/clients        an allowed client a line: NAME RIGHT KEY; RIGHT is listen or control

Keys are ZeroMQ's CURVE keys, written as 64 hexadecimal digits. A client has a key file like the
service's, and knows the service's public key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self, TypeAlias

import zmq
from zmq.utils import z85

from config.errors import KeyMissing, KeyNotPrivate, KeysError
from config.secret_file import from_hex, locked, read_secret, write_private, write_secret
from model.regular_file import open_regular

Right: TypeAlias = Literal["listen", "control"]

RIGHTS: tuple[Right, ...] = ("listen", "control")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
LONGEST_LIST_BYTES = 1 << 20  # some 7000 clients
NO_KEYS = "the service has no keys yet: qrsd keys new"

SERVICE_COMMENT = "qrsd's own key; whoever has this file can pass for the service. Public half:"
CLIENT_COMMENT = "A client's key for qrsd; whoever has this file can pass for it. Public half:"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A CURVE key pair; each half has 32 bytes."""

    public: bytes
    secret: bytes = field(repr=False)

    @classmethod
    def new(cls) -> Self:
        """Make a random one."""
        public, secret = zmq.curve_keypair()
        return cls(z85.decode(public), z85.decode(secret))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a key file, or raise a ``KeysError``; the public key follows from the secret one."""
        secret = read_secret(path)
        return cls(z85.decode(zmq.curve_public(z85.encode(secret))), secret)

    def write(self, path: Path, comment: str) -> None:
        """Write a new key file, or raise ``KeyNotWritten``."""
        write_secret(path, self.secret, f"{comment} {self.public.hex()}")


@dataclass(frozen=True, slots=True)
class ClientKeys:
    """What a client needs to connect to a service over the network."""

    own: KeyPair
    service: bytes  # its public key

    @classmethod
    def read(cls, path: Path, service: str) -> Self:
        """Read the client's key file, or raise a ``KeysError``; ``service`` is in hexadecimal."""
        return cls(KeyPair.read(path), from_hex(service, "the service's key"))


@dataclass(frozen=True, slots=True)
class Client:
    """A client that is allowed to connect."""

    name: str
    right: Right  # ``listen`` for messages only, ``control`` for commands too
    key: bytes  # its public key

    def may(self, right: str) -> bool:
        """Tell whether it has a right; ``control`` includes ``listen``."""
        return right in (self.right, "listen")


def service_key_path(keys: Path) -> Path:
    """Return the file of the service's key."""
    return keys / "service.key"


def clients_path(keys: Path) -> Path:
    """Return the file of the list of clients."""
    return keys / "clients"


def read_clients(keys: Path) -> tuple[Client, ...]:
    """Return the clients that are allowed; none if there is no list.

    Raises:
        KeysError: the list is malformed, or this user may not read it.
    """
    path = clients_path(keys)
    try:
        with open_regular(path) as file:
            content = file.read(LONGEST_LIST_BYTES + 1)
        if len(content) > LONGEST_LIST_BYTES:
            raise KeysError(f"{path}: longer than any list of clients is")
        lines = content.decode("ascii").splitlines()
    except FileNotFoundError:
        return ()
    except UnicodeDecodeError as error:
        raise KeysError(f"{path}: not a list of clients") from error
    except OSError as error:
        raise KeyNotPrivate(f"{path}: this user may not read it: {error.strerror}") from error
    numbered = enumerate(lines, start=1)
    return tuple(_client(line, f"{path}:{number}") for number, line in numbered)


def allow(keys: Path, client: Client) -> None:
    """Add a client to the list, or change the right of the one with that name and key.

    Raises:
        KeysError: the service has no key yet, the name is not valid, name or key is another
            client's, or the list cannot be read or written.
    """
    if not service_key_path(keys).exists():
        raise KeyMissing(f"{service_key_path(keys)}: the service has no key yet: qrsd keys new")
    if not NAME.fullmatch(client.name):
        raise KeysError(
            f"{client.name!r:.70} is not a client's name: letters, digits, '.', '_' and '-'"
        )
    with locked(keys, NO_KEYS):
        others = [each for each in read_clients(keys) if each != client]
        for each in others:
            if (each.name == client.name) != (each.key == client.key):
                raise KeysError(f"{each.name} has that name or that key: qrsd keys revoke it first")
        _write(keys, [each for each in others if each.name != client.name] + [client])


def revoke(keys: Path, name: str) -> None:
    """Remove a client from the list.

    Raises:
        KeysError: it has no client of that name, or it cannot be read or written.
    """
    with locked(keys, NO_KEYS):
        clients = read_clients(keys)
        kept = [client for client in clients if client.name != name]
        if len(kept) == len(clients):
            raise KeyMissing(f"no client is called {name!r}; see: qrsd keys list")
        _write(keys, kept)


def _write(keys: Path, clients: Iterable[Client]) -> None:
    lines = (f"{client.name} {client.right} {client.key.hex()}\n" for client in clients)
    write_private(clients_path(keys), "".join(lines))


def _client(line: str, where: str) -> Client:
    words = line.split()
    if len(words) != 3 or not NAME.fullmatch(words[0]) or words[1] not in RIGHTS:
        raise KeysError(f"{where}: not NAME RIGHT KEY, with listen or control for RIGHT")
    return Client(
        words[0], "control" if words[1] == "control" else "listen", from_hex(words[2], where)
    )
