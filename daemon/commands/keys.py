"""``qrsd keys``: which clients are allowed to connect over the network."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from config.folders import another_is_the_systems, keys_folder
from config.secret_file import from_hex
from daemon.commands.fleet_keys import add_fleet_keys
from daemon.commands.parts import add_part, describe
from daemon.commands.web_keys import add_web_keys
from daemon.wire.keys import (
    CLIENT_COMMENT,
    SERVICE_COMMENT,
    Client,
    KeyPair,
    Right,
    allow,
    clients_path,
    read_clients,
    revoke,
    service_key_path,
)
from model.folder_owner import as_owner_of_folder

KEYS = """\
Without keys qrsd can be reached from its own machine only. To allow a laptop to connect:

  pi$      sudo qrsd keys new                    the service's own key, once; prints PI
  laptop$  qrsd keys new qrsd.key                a key of the laptop's; prints LAPTOP
  pi$      sudo qrsd keys allow laptop LAPTOP    to listen; with --control to command too

In /etc/qrsd/qrsd.yaml, then sudo systemctl restart qrsd:

  publish: {addresses: ["tcp://127.0.0.1:5292", "tcp://*:5293"]}
  control: {addresses: ["tcp://*:5294"]}

The unit's firewall drops packets of other machines until `sudo systemctl edit qrsd` says so:

  [Service]
  IPAddressAllow=192.168.1.0/24

From then on:

  laptop$  qrsd watch --address tcp://pi:5293 --key qrsd.key --service-key PI
  laptop$  qrsd people list --address tcp://pi:5294 --key qrsd.key --service-key PI
  pi$      sudo qrsd keys revoke laptop          a running service disconnects it within seconds

PI and LAPTOP are public keys, 64 digits that anybody may know. The secret keys stay in their
files. docs/keys.md has the rest."""


NOT_THE_SERVICES = (
    "note: this is a key of your own service; the installed one's: sudo qrsd keys new"
)


def add_keys(keys: argparse.ArgumentParser) -> None:
    """Add the commands that look after the keys."""
    describe(keys, KEYS)
    commands = keys.add_subparsers(metavar="COMMAND", required=True)

    new = add_part(commands, "new", "Make a key: the service's own, or a client's.")
    new.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="of a client's key (none: the service's)"
    )
    new.set_defaults(run=run_new)

    allowing = add_part(commands, "allow", "Allow a client to connect.")
    allowing.add_argument("name", metavar="NAME", help="what to call it here")
    allowing.add_argument("key", metavar="KEY", help="what qrsd keys new FILE printed there")
    allowing.add_argument(
        "--control", action="store_true", help="it may enrol, rename, forget and export people too"
    )
    allowing.set_defaults(run=run_allow)

    revoking = add_part(commands, "revoke", "No longer allow a client to connect.")
    revoking.add_argument("name", metavar="NAME")
    revoking.set_defaults(run=run_revoke)

    listing = add_part(commands, "list", "Print the service's public key and its clients.")
    listing.add_argument("--json", action="store_true", help="print one JSON object, for scripts")
    listing.set_defaults(run=run_list)

    add_web_keys(commands)
    add_fleet_keys(commands)


def run_new(args: argparse.Namespace) -> int:
    """Make a key pair and print its public key."""
    pair = KeyPair.new()
    path = args.file or service_key_path(keys_folder())
    pair.write(path, CLIENT_COMMENT if args.file else SERVICE_COMMENT)
    print(f"The secret key is in {path}, and this is the public one:", file=sys.stderr)
    print(pair.public.hex())
    if not args.file and another_is_the_systems():
        print(NOT_THE_SERVICES, file=sys.stderr)
    return 0


def run_allow(args: argparse.Namespace) -> int:
    """Put a client on the list, or change what it may do."""
    right: Right = "control" if args.control else "listen"
    with as_owner_of_folder(clients_path(keys_folder())):
        allow(keys_folder(), Client(args.name, right, from_hex(args.key, "KEY")))
    print(f"{args.name} may {'listen and control' if args.control else 'listen'}.")
    return 0


def run_revoke(args: argparse.Namespace) -> int:
    """Take a client off the list."""
    with as_owner_of_folder(clients_path(keys_folder())):
        revoke(keys_folder(), args.name)
    print(f"{args.name} may connect no more.")
    return 0


def run_list(args: argparse.Namespace) -> int:
    """Print the service's public key and the clients."""
    service = KeyPair.read(service_key_path(keys_folder())).public.hex()
    with as_owner_of_folder(clients_path(keys_folder())):
        clients = read_clients(keys_folder())
    if args.json:
        listed = [{"name": c.name, "right": c.right, "key": c.key.hex()} for c in clients]
        print(json.dumps({"service_key": service, "clients": listed}))
        return 0
    print(f"The service's key is {service}")
    if not clients:
        print("No client is allowed yet: qrsd keys allow NAME KEY")
        return 0
    width = max(len(client.name) for client in clients)
    for client in clients:
        print(f"{client.name:{width}}  {client.right:7}  {client.key.hex()}")
    return 0
