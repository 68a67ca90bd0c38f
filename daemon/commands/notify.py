"""``qrsd notify``: alarms to a webhook, by e-mail or as apprise can."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from threading import Event

from config.settings import Settings, load
from daemon.apps.http_post import NotSent
from daemon.apps.notify import Notification, Notifier
from daemon.apps.outbox import Attempts, Outbox, Way
from daemon.apps.ways import ways_of
from daemon.commands.connection import Connection, add_connection, to_messages
from daemon.commands.exit_codes import UNAVAILABLE
from daemon.commands.parts import describe
from daemon.commands.service import start_logging
from daemon.journal import event
from daemon.wire.client import Subscriber
from daemon.wire.messages import AlarmMessage, IdentityMessage, StatusMessage

LISTEN_S = 1.0  # how often it is looked at the time while the service is silent

NOTIFY = """\
Tells of alarms (rhythm.alarms), of electrodes that are off, of a chip in trouble, of a service that
is silent and, where it is asked for, of who comes, by the ways and rules under notify in
/etc/qrsd/qrsd.yaml; nothing is sent anywhere unless a way is set. Ctrl-C ends it. See
docs/notifications.md.

Not a medical device, not for diagnosis: it may miss, and it may alarm falsely. A message may be
late, or never arrive. Nobody's life may hang on it.

examples:
  qrsd notify --test                          (one message by each way)
  qrsd notify --dry-run                       (print what would be sent, and send nothing)
  sudo systemctl enable --now qrsd-notify"""

_LOG = logging.getLogger(__name__)


def add_notify(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd notify``."""
    describe(parser, NOTIFY)
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--dry-run", action="store_true", help="print instead of sending")
    instead.add_argument(
        "--test", action="store_true", help="send one message by each way, and say how it went"
    )
    add_connection(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Listen, and tell, until Ctrl-C or systemctl stop."""
    service = to_messages(args)
    settings = load().settings
    device = service.address if service.elsewhere else settings.device or socket.gethostname()
    notifier = Notifier(settings.notify, device)
    ways = [] if args.dry_run else ways_of(settings.notify)
    if args.test:
        return 0 if _test(ways, notifier.test()) else UNAVAILABLE
    start_logging(settings)
    if not (service.elsewhere or (settings.rhythm.enabled and settings.rhythm.alarms)):
        _LOG.warning(
            "the settings rhythm.enabled and rhythm.alarms are not both true, so the service "
            "tells of no alarms",
            extra=event("alarms_off"),
        )
    ended = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with ExitStack() as stack:
        outboxes = [stack.enter_context(Outbox(way)) for way in ways]
        _listen(service, settings, notifier, [each.put for each in outboxes] or [_show], ended)
    return 0


def _listen(
    service: Connection,
    settings: Settings,
    notifier: Notifier,
    takers: Sequence[Callable[[Notification], None]],
    ended: Event,
) -> None:
    topics = [AlarmMessage.TOPIC, StatusMessage.TOPIC]
    topics += [IdentityMessage.TOPIC] if settings.notify.asks_who else []
    with Subscriber(service.address, topics, LISTEN_S, service.keys) as subscriber:
        for item in subscriber:
            for notification in notifier.take(item):
                for take in takers:
                    take(notification)
            if ended.is_set():
                return


def _show(notification: Notification) -> None:
    print(json.dumps(notification.as_json(), indent=1), flush=True)


def _test(ways: Sequence[Way], notification: Notification) -> bool:
    """Send a notification once by each way, say how it went, and return whether all is well."""
    went_well = True
    for way in ways:
        try:
            Attempts(way).send(notification)
        except NotSent as error:
            went_well = False
            print(f"{way.name} {error}", flush=True)
        else:
            print(f"{way.name}: sent", flush=True)
    return went_well
