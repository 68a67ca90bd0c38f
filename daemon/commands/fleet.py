"""``qrsd fleet``: this device as one of a site."""

from __future__ import annotations

import argparse
import asyncio
from importlib.metadata import version
from typing import TYPE_CHECKING

from config.folders import fleet_folder
from config.settings import load
from daemon.commands.bridge import until_ended
from daemon.commands.connection import add_connection, to_messages
from daemon.commands.fleet_devices import add_status, add_update_model
from daemon.commands.fleet_options import fleet_options
from daemon.commands.fleet_people import add_people
from daemon.commands.parts import add_part, describe
from daemon.commands.service import start_logging
from daemon.wire.client import Item
from daemon.wire.messages import KINDS
from model.opening import DEFAULT_MODEL

if TYPE_CHECKING:
    from daemon.fleet.app import Work

FLEET = """\
Devices of a site know the people who were enrolled at any of them, and each decides by itself. The
site's server, nats-server, and the device's keys stand under fleet in /etc/qrsd/qrsd.yaml. See
docs/fleet.md.

examples:
  sudo systemctl enable --now qrsd-fleet
  sudo qrsd fleet status
  sudo qrsd fleet people
  sudo qrsd fleet forget Ada
  sudo qrsd fleet shut-out door-3          (on the machine of the server)"""

RUN = """\
Share people with the site, and tell it how this device is, until Ctrl-C or systemctl stop.

The service waits for none of it. Without the network each device goes on alone, with the people
that it knows.

examples:
  qrsd fleet run
  sudo systemctl enable --now qrsd-fleet"""


def add_fleet(parser: argparse.ArgumentParser) -> None:
    """Add the commands on a fleet."""
    describe(parser, FLEET)
    parts = parser.add_subparsers(required=True, metavar="COMMAND")
    running = add_part(parts, "run", RUN)
    add_connection(running)
    running.set_defaults(run=run_fleet)
    add_status(parts)
    add_people(parts)
    add_update_model(parts)


def run_fleet(args: argparse.Namespace) -> int:
    """Work for the site until Ctrl-C or systemctl stop."""
    service = to_messages(args)
    settings = load().settings
    options = fleet_options(settings.fleet, "qrsd fleet run")
    start_logging(settings)
    from daemon.fleet.app import work_for_site
    from daemon.fleet.local_people import LocalPeople
    from daemon.fleet.model_files import ModelFiles
    from daemon.fleet.model_switch import ModelSwitch
    from daemon.fleet.people import SharedPeople
    from daemon.fleet.telling import Telling

    files = ModelFiles(fleet_folder() / "models")
    files.begin(DEFAULT_MODEL)
    telling = Telling(version("qrsd"))
    people = SharedPeople(options.read_site_key(), fleet_folder(), LocalPeople(), telling)
    switch = ModelSwitch(files, settings.model, telling)
    works: list[Work] = [people.run, telling.run, switch.run]

    def put(item: Item) -> None:
        people.put(item)
        telling.put(item)

    topics = tuple(KINDS)  # whoever watches live may ask for any
    asyncio.run(until_ended(service, topics, put, lambda: work_for_site(options, works)))
    return 0
