"""``qrsd fleet``: this device as one of a site."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

from config.folders import fleet_folder
from config.settings import load
from daemon.commands.bridge import until_ended
from daemon.commands.connection import add_connection, to_messages
from daemon.commands.fleet_options import fleet_options
from daemon.commands.fleet_people import add_people
from daemon.commands.parts import add_part, describe
from daemon.commands.service import start_logging
from daemon.wire.messages import KINDS

if TYPE_CHECKING:
    from daemon.fleet.app import Work

FLEET = """\
Devices of a site know the people who were enrolled at any of them, and each decides by itself. The
site's server, nats-server, and the device's keys stand under fleet in /etc/qrsd/qrsd.yaml. See
docs/fleet.md.

examples:
  sudo systemctl enable --now qrsd-fleet
  sudo qrsd fleet people
  sudo qrsd fleet forget Ada
  sudo qrsd fleet shut-out door-3          (on the machine of the server)"""

RUN = """\
Share people with the site until Ctrl-C or systemctl stop.

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
    add_people(parts)


def run_fleet(args: argparse.Namespace) -> int:
    """Work for the site until Ctrl-C or systemctl stop."""
    service = to_messages(args)
    settings = load().settings
    options = fleet_options(settings.fleet, "qrsd fleet run")
    start_logging(settings)
    from daemon.fleet.app import work_for_site
    from daemon.fleet.local_people import LocalPeople
    from daemon.fleet.people import SharedPeople

    people = SharedPeople(options.read_site_key(), fleet_folder(), LocalPeople())
    works: list[Work] = [people.run]
    topics = tuple(KINDS)
    asyncio.run(until_ended(service, topics, people.put, lambda: work_for_site(options, works)))
    return 0
