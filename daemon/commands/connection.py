"""Which service a command talks to: this machine's, or another's with a key."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from config.settings import ConnectOptions, load
from daemon.addresses import needs_key
from daemon.errors import KeyMissing
from daemon.folders import control_address
from daemon.keys import ClientKeys


@dataclass(frozen=True, slots=True)
class Connection:
    """Where to connect to, and with which keys.

    Attributes:
        address: of the socket.
        keys: None to come without.
        elsewhere: whether the user named the service, so that it is not this machine's.
    """

    address: str
    keys: ClientKeys | None
    elsewhere: bool


def add_connection(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which service to talk to."""
    group = parser.add_argument_group("a service on another machine (default: as in the settings)")
    group.add_argument("--address", metavar="ADDRESS", help="its socket, such as tcp://pi:5292")
    group.add_argument("--key", metavar="FILE", help="our key, made by qrsd keys new FILE")
    group.add_argument("--service-key", metavar="KEY", help="its key, as qrsd keys list says there")


def to_messages(args: argparse.Namespace) -> Connection:
    """Return how to reach the socket that publishes.

    Raises:
        SettingsError, KeysError: settings or keys cannot be used.
    """
    settings = load().settings
    addresses = settings.publish.addresses
    without_key = [address for address in addresses if not needs_key(address, "listen")]
    ours = (without_key or addresses)[0]
    return _connection(args, settings.connect, settings.connect.messages, ours)


def to_control(args: argparse.Namespace) -> Connection:
    """Return how to reach the socket that takes commands.

    Raises:
        SettingsError, KeysError: settings or keys cannot be used.
    """
    connect = load().settings.connect
    return _connection(args, connect, connect.control, control_address())


def _connection(
    args: argparse.Namespace, connect: ConnectOptions, set_up: str, ours: str
) -> Connection:
    there = args.address or set_up
    key, service_key = args.key or connect.key, args.service_key or connect.service_key
    if bool(key) != bool(service_key):
        raise KeyMissing(
            "A service is reached with our key and its key: give --key and --service-key, or set "
            "connect.key and connect.service_key."
        )
    keys = ClientKeys.read(Path(key), service_key) if key and there else None
    return Connection(there or ours, keys, bool(there))
