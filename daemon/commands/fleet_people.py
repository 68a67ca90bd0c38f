"""``qrsd fleet people``, ``forget`` and ``shut-out``: who is of a site, people and devices."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from config.errors import KeyMissing
from config.settings import load
from daemon.commands.fleet_keys import add_folder, add_site, chosen_site
from daemon.commands.fleet_options import ask_site, fleet_options
from daemon.commands.parts import Subparsers, add_part, confirmed, person_name
from daemon.errors import import_extra
from daemon.terminal import plain

if TYPE_CHECKING:
    from daemon.fleet.listing import SitePerson

PEOPLE = """\
Show the people of the site, and which device has not yet done what the others did about them.

A conflict is somebody else of the same name who was enrolled at that device: rename one of them.
With the device's credentials, or the operator's; see docs/fleet.md.

examples:
  sudo qrsd fleet people
  sudo qrsd fleet people --json"""

FORGET = """\
Have all devices of the site erase everything that is held on somebody.

The site keeps a mark until each of them has, which is listed by qrsd fleet people. It is the same
as qrsd people forget at one of the devices while qrsd-fleet runs there.

examples:
  sudo qrsd fleet forget Ada"""

SHUT_OUT = """\
Take a device's rights away, on the machine of the server, and have the server hang up on it.

The device keeps the people that it knew, and who has it can read them, unless its gallery is sealed
(qrsd people seal) by a key that is not on it. Where the site's key was on it, make another site and
move the other devices there.

examples:
  sudo qrsd fleet shut-out door-3"""


def add_people(parts: Subparsers) -> None:
    """Add the commands on people and devices of a site."""
    people = add_part(parts, "people", PEOPLE)
    people.add_argument("--json", action="store_true", help="print one JSON object, for scripts")
    people.set_defaults(run=run_people)
    forget = add_part(parts, "forget", FORGET)
    forget.add_argument("name", type=person_name, metavar="NAME", help="- asks for it")
    forget.add_argument("--yes", action="store_true", help="do not ask")
    forget.set_defaults(run=run_forget)
    shutting = add_part(parts, "shut-out", SHUT_OUT)
    shutting.add_argument("device", metavar="DEVICE")
    add_site(shutting)
    add_folder(shutting)
    shutting.set_defaults(run=run_shut_out)


def run_people(args: argparse.Namespace) -> int:
    """Print the people of the site."""
    settings = load().settings
    options = fleet_options(settings.fleet, "qrsd fleet people")
    from daemon.fleet.listing import MOST_LISTED, people_of

    key, simulated = options.read_site_key(), settings.source == "simulated"
    found = ask_site(options, lambda link: people_of(link, key, simulated=simulated))
    if args.json:
        print(json.dumps({"site": options.site, **asdict(found)}))
        return 0
    if found.left_out:
        print(
            f"{found.left_out} records of {options.site} are left out: more than {MOST_LISTED} "
            "are not listed",
            file=sys.stderr,
        )
    if not found.people:
        print(f"Nobody is enrolled at {options.site} yet.")
        return 0
    table = Table("name", "state", "sittings", "by", "devices", box=None, pad_edge=False)
    for person in found.people:
        cells = (person.name or "?", person.state, str(person.sittings), person.by or "?")
        table.add_row(*map(plain, cells), plain(_devices(person)))
    Console(highlight=False, markup=False).print(table)
    return 0


def _devices(person: SitePerson) -> str:
    """Say how many devices have done it, and which have not."""
    count = Counter(person.outcomes.values())[person.state]
    others = [f"{name}: {done}" for name, done in person.outcomes.items() if done != person.state]
    return "; ".join([f"{count} of {len(person.outcomes)}", *others])


def run_forget(args: argparse.Namespace) -> int:
    """Have somebody forgotten at all devices; 1 if the user thinks better of it."""
    settings = load().settings
    options = fleet_options(settings.fleet, "qrsd fleet forget")
    if not args.yes and not confirmed(f"Erase all that any device holds on {args.name}?"):
        print(f"{args.name} is still enrolled.", file=sys.stderr)
        return 1
    from daemon.fleet.listing import forget

    key, simulated = options.read_site_key(), settings.source == "simulated"
    ask_site(options, lambda link: forget(link, key, args.name, simulated=simulated))
    print(f"{args.name} is forgotten by each device as soon as it is there: qrsd fleet people")
    return 0


def run_shut_out(args: argparse.Namespace) -> int:
    """Shut a device out."""
    import_extra("nkeys", "fleet", "qrsd fleet shut-out")
    from daemon.fleet.site_folder import shut_out

    folder, site = chosen_site(args)
    try:
        shut_out(folder, site, args.device)
    except KeyMissing:
        if not _strike_off(site, args.device):  # which may have failed the first time
            raise
        print(f"{args.device} was shut out of {site} before.")
        return 0
    servers = list(_servers(folder / "nats-server.conf"))
    for process in servers:
        os.kill(process, signal.SIGHUP)
    print(f"{args.device} is shut out of {site}.")
    if not servers:
        print(
            f"No nats-server runs here with {folder / 'nats-server.conf'}: the device is shut out "
            "once accounts.conf is where the server is, and it is reloaded",
            file=sys.stderr,
        )
    _strike_off(site, args.device)
    return 0


def _strike_off(site: str, device: str) -> bool:
    """Have no device wait for the one that is shut out, if the settings say where the site is.

    Returns:
        Whether it did that, and any would have waited.
    """
    options = load().settings.fleet
    if not options.servers or options.site != site:
        print(
            f"The fleet's settings here are not of {site}, so its devices go on waiting for "
            f"{device} to forget people: docs/fleet.md, A device is stolen",
            file=sys.stderr,
        )
        return False
    from daemon.fleet.listing import strike_off

    return ask_site(options, lambda link: strike_off(link, device))


def _servers(config: Path) -> Iterator[int]:
    """Find the servers that run with a configuration."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:  # it has just ended, or is not ours to look at
            continue
        if arguments[0].endswith("nats-server") and str(config) in arguments:
            yield int(process.name)
