"""Which service a command talks to: this machine's, or another's with a key."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from config.errors import KeyMissing
from config.folders import control_address, gallery_path
from config.settings import ConnectOptions, load
from daemon.wire.addresses import local_address
from daemon.wire.client import Control
from daemon.wire.errors import CommandRefused, ServiceUnavailable
from daemon.wire.keys import ClientKeys


@dataclass(frozen=True, slots=True)
class Connection:
    """Where to connect to, and with which keys."""

    address: str  # of the socket
    keys: ClientKeys | None  # None to connect without
    elsewhere: bool  # whether the user named the service, so that it is not this machine's


def add_connection(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which service to talk to."""
    group = parser.add_argument_group("a service on another machine (default: as in the settings)")
    group.add_argument("--address", metavar="ADDRESS", help="its socket, such as tcp://pi:5292")
    add_keys(group)


def add_keys(parser: argparse._ActionsContainer) -> None:
    """Add the options that :func:`read_keys` reads."""
    parser.add_argument("--key", metavar="FILE", help="our key, made by qrsd keys new FILE")
    parser.add_argument(
        "--service-key", metavar="KEY", help="its key, as qrsd keys list says there"
    )


def read_keys(args: argparse.Namespace, connect: ConnectOptions) -> ClientKeys | None:
    """Return the keys by the options or else the settings; None if no key is given."""
    key, service_key = args.key or connect.key, args.service_key or connect.service_key
    if bool(key) != bool(service_key):
        raise KeyMissing(
            "A service is reached with our key and its key: give --key and --service-key, or set "
            "connect.key and connect.service_key."
        )
    return ClientKeys.read(Path(key), service_key) if key else None


def to_messages(args: argparse.Namespace) -> Connection:
    """Return how to reach the socket that publishes."""
    settings = load().settings
    ours, keyed = local_address(settings.publish.addresses)
    return _connection(args, settings.connect, settings.connect.messages, ours, keyed)


def to_control(args: argparse.Namespace) -> Connection:
    """Return how to reach the socket that takes commands."""
    connect = load().settings.connect
    return _connection(args, connect, connect.control, control_address(), keyed=False)


def gallery_in_use() -> Path:
    """Return the gallery of the service that runs on this machine, or would by the settings."""
    try:
        with Control(control_address()) as control:
            source = str(control.request("describe")["source"])
    except (CommandRefused, KeyError, ServiceUnavailable):  # an older one cannot tell
        source = load().settings.source
    return gallery_path(simulated=source == "simulated")


def _connection(
    args: argparse.Namespace, connect: ConnectOptions, set_up: str, ours: str, keyed: bool
) -> Connection:
    """Choose address and keys; keys that are not needed are sent too, and the service says so."""
    there = args.address or set_up
    asked_for = there or keyed or args.key or args.service_key
    keys = read_keys(args, connect) if asked_for else None
    return Connection(there or ours, keys, bool(there))
