"""``qrsd fleet status`` and ``update-model``: the devices of a site, and which model they run."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from config.settings import load
from daemon.commands.fleet_options import ask_site, fleet_options
from daemon.commands.parts import Subparsers, add_part
from daemon.fleet.errors import DeviceUnreachable
from daemon.tables import counted, filled
from daemon.terminal import plain
from model.passport import Passport

if TYPE_CHECKING:
    from daemon.fleet.link import Link
    from daemon.fleet.site import Seen

STATUS = """\
Show every device of the site: what it measures, and whether it is well.

Nobody's name is told. A device tells each ten seconds; one that has not for half a minute is away.

examples:
  qrsd fleet status
  qrsd fleet status --json | jq -r '.devices[] | select(.is_here | not) | .device'"""

UPDATE_MODEL = """\
Put a model with its passport on the devices of the site: on one first, then on the others.

Each device tests it before it switches, and watches its service after. Where one does not take it,
it goes back to the model of before by itself, and all that had taken it are told to go back too.
People have to be enrolled anew with another model: see docs/fleet.md.

examples:
  qrsd fleet update-model heart.tflite
  qrsd fleet update-model heart.tflite --first door-3
  qrsd fleet update-model heart.tflite --devices door-3 door-4"""

HEADINGS = ("device", "service", "wearer", "rhythm", "/min", "signal", "lost", "age")


def add_status(parts: Subparsers) -> None:
    """Add ``qrsd fleet status``."""
    status = add_part(parts, "status", STATUS)
    status.add_argument("--json", action="store_true", help="print JSON")
    status.set_defaults(run=run_status)


def add_update_model(parts: Subparsers) -> None:
    """Add ``qrsd fleet update-model``."""
    update = add_part(parts, "update-model", UPDATE_MODEL)
    update.add_argument("model", type=Path, help="the .tflite, its passport beside it")
    update.add_argument("--first", metavar="DEVICE", help="to be first (default: by name)")
    update.add_argument(
        "--devices", nargs="+", metavar="DEVICE", help="only these (default: all that are here)"
    )
    update.set_defaults(run=run_update_model)


def run_status(args: argparse.Namespace) -> int:
    """Print the devices of the site."""
    options = fleet_options(load().settings.fleet, "qrsd fleet status")
    from daemon.fleet.site import devices_of

    devices = ask_site(options, devices_of)
    if args.json:
        told = [{**asdict(seen), "is_here": seen.is_here} for seen in devices]
        print(json.dumps({"site": options.site, "devices": told}))
    else:
        title = f"{options.site}: {counted(len(devices), 'device')}"
        Console().print(filled(title, HEADINGS, map(_row, devices), _notes(devices), words=4))
    return 0


def _row(seen: Seen) -> list[str | Text]:
    age = Text(f"{seen.age_s:.0f} s", "" if seen.is_here else "bold red")
    digest = seen.digest
    if digest is None:
        return [seen.device, Text("another qrsd", "yellow"), *("",) * 5, age]
    service = Text(digest.state)
    if digest.source == "simulated":
        service.append(", simulated", "yellow")
    return [
        seen.device,
        service,
        _shown(digest.identity),
        _shown(digest.rhythm),
        "—" if digest.heart_rate_bpm is None else f"{digest.heart_rate_bpm:.0f}",
        "—" if digest.quality is None else f"{100 * digest.quality:.0f} %",
        str(digest.lost),
        age,
    ]


def _notes(devices: Sequence[Seen]) -> str:
    """Say what is wrong where, and which models are in use by which devices."""
    digests = {seen.device: seen.digest for seen in devices if seen.digest}
    notes = [f"{device}: {each.problem}" for device, each in digests.items() if each.problem]
    users: dict[str, list[str]] = {}
    for device, digest in digests.items():
        if digest.model_sha256:
            users.setdefault(digest.model_sha256[:12], []).append(device)
    for model, of in users.items():
        notes.append(f"model {model}: {'all' if len(users) == 1 else ', '.join(of)}")
    return "; ".join(notes)


def _shown(value: str | None) -> str:
    return "—" if value is None else value.replace("_", " ")


def run_update_model(args: argparse.Namespace) -> int:
    """Roll a model out."""
    options = fleet_options(load().settings.fleet, "qrsd fleet update-model")
    from daemon.fleet.roll_out import roll_out
    from daemon.fleet.site import devices_of

    Passport.load(args.model)  # refused before anybody is asked

    async def roll(link: Link) -> None:
        here = [seen.device for seen in await devices_of(link) if seen.is_here]
        devices = _in_order(link.site, here, args.devices or here, args.first)
        await roll_out(link, args.model, devices, lambda line: print(plain(line), flush=True))

    ask_site(options, roll)
    return 0


def _in_order(
    site: str, here: Sequence[str], wanted: Sequence[str], first: str | None
) -> list[str]:
    if not wanted:
        raise DeviceUnreachable(f"no device of {site} is here: qrsd fleet status")
    if away := sorted(set(wanted) - set(here)):
        raise DeviceUnreachable(f"{', '.join(away)}: not here now; see qrsd fleet status")
    if first is not None and first not in wanted:
        raise DeviceUnreachable(f"{first} is not one of {', '.join(wanted)}")
    return sorted(set(wanted), key=lambda device: (device != first, device))
