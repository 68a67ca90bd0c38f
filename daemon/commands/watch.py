"""``qrsd watch``: see what the service says."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from rich.console import Console

from config.settings import load
from daemon.apps.watch import show_json, show_lines, show_live
from daemon.commands.connection import add_connection, to_messages
from daemon.commands.parts import describe
from daemon.wire.client import Subscriber
from daemon.wire.messages import (
    KINDS,
    AlarmMessage,
    EcgMessage,
    HrvMessage,
    IdentityMessage,
    RhythmMessage,
    StatusMessage,
    WaveMessage,
)

if TYPE_CHECKING:
    from daemon.fleet.live import LiveSubscriber

LINES = (StatusMessage.TOPIC, IdentityMessage.TOPIC, RhythmMessage.TOPIC, AlarmMessage.TOPIC)
WAVEFORMS = (WaveMessage.TOPIC, EcgMessage.TOPIC)

WATCH = """\
Where the output is not a terminal it prints a line for each change instead. Ctrl-C ends it.

examples:
  qrsd watch
  qrsd watch --json | jq 'select(.topic == "identity") | .person'
  qrsd watch --address tcp://pi:5293 --key qrsd.key --service-key KEY   (see qrsd keys --help)
  qrsd watch --device door-3                  (of a fleet, without names: docs/fleet.md)"""


def add_watch(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd watch``."""
    describe(parser, WATCH)
    parser.add_argument("--json", action="store_true", help="print one JSON object per message")
    parser.add_argument("--waves", action="store_true", help="with --json: the waveforms too")
    add_connection(parser)
    parser.add_argument("--device", metavar="NAME", help="of the fleet that is set, instead")
    parser.set_defaults(run=run, refuse=parser.error)


def run(args: argparse.Namespace) -> int:
    """Show what the service says until Ctrl-C."""
    if args.waves and not args.json:
        args.refuse("--waves goes with --json")
    if args.device and (args.address or args.key or args.service_key):
        args.refuse("--device is of the fleet, --address of a service: choose one")
    with suppress(KeyboardInterrupt):
        _watch(args)
    return 0


def _watch(args: argparse.Namespace) -> None:
    console = Console()
    topics: list[str] = [*LINES]
    if args.json:
        topics = [topic for topic in KINDS if args.waves or topic not in WAVEFORMS]
    elif console.is_terminal:
        topics += [EcgMessage.TOPIC, HrvMessage.TOPIC]
    with _subscriber(args, topics) as subscriber:
        if args.json:
            show_json(subscriber, sys.stdout)
        elif console.is_terminal:
            show_live(subscriber, console)
        else:
            show_lines(subscriber, sys.stdout)


def _subscriber(args: argparse.Namespace, topics: Sequence[str]) -> Subscriber | LiveSubscriber:
    if not args.device:
        service = to_messages(args)
        return Subscriber(service.address, topics, keys=service.keys)
    from daemon.commands.fleet_options import fleet_options

    options = fleet_options(load().settings.fleet, "qrsd watch --device")
    from daemon.fleet.live import LiveSubscriber

    return LiveSubscriber(options, args.device, topics)
