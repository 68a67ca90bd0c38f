"""``qrsd enroll``: enrol the wearer of the electrodes, or the person of recordings."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from config.folders import gallery_path
from config.gallery_key import find_gallery_key
from config.settings import load
from daemon.commands.connection import add_connection, to_control
from daemon.commands.parts import (
    SECOND_SITTING,
    add_mains,
    add_model,
    confirmed,
    describe,
    enrolled_days,
    model_of,
    person_name,
)
from daemon.commands.records import Outcomes, add_reading
from daemon.offline.analysis import analyse
from daemon.offline.recognition import template_of
from daemon.wire.answers import PersonAnswer
from daemon.wire.client import Control
from daemon.wire.errors import CommandRefused
from model.enrolment import check_same_person
from model.errors import EnrolmentFailed
from model.gallery import Gallery
from model.names import check_name
from model.opening import open_network

LIVE_BEATS = 20
RECORD_BEATS = 10  # the least; a record's other beats count too
POLL_S = 0.25

ENROLL = """\
Sit still; it takes some twenty beats. Each further enrolment of the same name, such as one on
another day, adds to what is known of this person. Of recordings, each is an enrolment.

NAME may be -, which asks for it: command lines of sudo are logged, names in them too.

examples:
  qrsd enroll Ada
  qrsd enroll Ada --record ecg-id/Person_01/rec_1 ecg-id/Person_01/rec_2"""


def add_enroll(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``qrsd enroll``."""
    describe(parser, ENROLL)
    parser.add_argument("name", type=person_name, metavar="NAME", help="the person; - asks for it")
    parser.add_argument(
        "--beats",
        type=int,
        metavar="N",
        help=f"good beats to gather (default: {LIVE_BEATS}), or that a recording must have at "
        f"least (default: {RECORD_BEATS})",
    )
    add_connection(parser)
    parser.add_argument(
        "--consent", action="store_true", help="the person agrees: the time is kept; do not ask"
    )
    of_records = parser.add_argument_group("from recordings, without a running service")
    of_records.add_argument("--record", nargs="+", dest="records", metavar="RECORD")
    add_reading(of_records)
    add_mains(of_records)
    add_model(of_records)
    of_records.add_argument(
        "--gallery", type=Path, metavar="PATH", help="file to enrol in (default: the service's)"
    )
    parser.set_defaults(run=run, jobs=None, refuse=parser.error)


def run(args: argparse.Namespace) -> int:
    """Enrol somebody from the running service, or from recordings."""
    _check_place(args)
    if not _agreed(args):
        print(f"{args.name} was not enrolled.", file=sys.stderr)
        return 1
    if args.records:
        return enrol_from_records(args)
    beats = LIVE_BEATS if args.beats is None else args.beats
    service = to_control(args)
    with Control(service.address, keys=service.keys) as control:
        enrol_live(control, args.name, beats, time.sleep, consent=args.consent)
        with suppress(CommandRefused):  # of an older service
            _advise(args.name, control.request("people")["people"])
            if control.request("describe").get("source") == "simulated":
                print("note: on the simulated chip, in a gallery of its own", file=sys.stderr)
    return 0


def _check_place(args: argparse.Namespace) -> None:
    """Refuse options that would be passed over, and enrol somebody where nobody asked for it."""
    if args.records and (args.address or args.key or args.service_key):
        args.refuse("--record enrols on this machine: leave --address and the keys out")
    if not args.records and (args.gallery or args.model):
        args.refuse("--gallery and --model are for --record; the service has its own")


def _agreed(args: argparse.Namespace) -> bool:
    """Ask for the person's consent where there is a terminal, and note it in ``args``."""
    if args.consent:
        return True
    if not sys.stdin.isatty():
        print("note: no consent is recorded; --consent says that there is one", file=sys.stderr)
        return True
    args.consent = confirmed(
        f"Does {args.name} agree that a template of their heartbeat is kept here, until forgotten?"
    )
    return bool(args.consent)


def enrol_live(
    control: Control,
    person: str,
    beats: int,
    wait: Callable[[float], object],
    *,
    consent: bool = False,
) -> None:
    """Have the running service enrol whoever wears the electrodes, and show how far it is."""
    agreed = {"consent": True} if consent else {}
    answer = control.request("enroll", person=person, beats=beats, **agreed)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    try:
        with Progress(*columns, TextColumn("beats"), console=Console(stderr=True)) as progress:
            bar = progress.add_task(f"Enrolling {escape(person)}", total=beats)
            while answer["state"] == "gathering" and answer["person"] == person:
                wait(POLL_S)
                answer = control.request("enrolment")
                progress.update(bar, completed=answer.get("beats", 0))
    except KeyboardInterrupt:
        with suppress(CommandRefused):  # it has just ended
            control.request("cancel")
        raise
    if answer.get("person") != person:  # nobody's, or somebody else's who came after
        raise EnrolmentFailed(f"{person!r} was not enrolled: cancelled, or the service restarted")
    if answer["state"] != "done":
        raise EnrolmentFailed(answer["error"])
    print(f"{person} is enrolled.")


def enrol_from_records(args: argparse.Namespace) -> int:
    """Enrol the person of recordings: from each of them or, if one does not serve, from none."""
    settings = load().settings
    network = open_network(model_of(args, settings))
    outcomes = Outcomes(args, analyse)
    minimum = RECORD_BEATS if args.beats is None else args.beats
    name = check_name(args.name)
    now_utc, liveness = datetime.now(UTC).isoformat(timespec="seconds"), settings.liveness
    templates = [
        template_of(analysis, name, network, minimum, liveness=liveness, created_utc=now_utc)
        for analysis in outcomes
    ]
    if outcomes.exit_code:
        return outcomes.exit_code
    consent_utc = now_utc if args.consent else None
    with Gallery(args.gallery or gallery_path(), key=find_gallery_key()) as gallery:
        known = [
            template
            for person in gallery.people()
            for template in person.templates
            if template.model_sha256 == network.passport.sha256
        ]
        for template in templates:
            check_same_person(template, known, network.passport)
        gallery.enrol(*map(gallery.turned, templates), consent_utc=consent_utc)
        enrolled = [asdict(PersonAnswer.of(person)) for person in gallery.people()]
    counts = " and ".join(str(template.beats) for template in templates)
    print(f"{args.name} is enrolled, by {counts} beats.")
    _advise(args.name, enrolled)
    return 0


def _advise(name: str, people: list[dict[str, Any]]) -> None:
    """Ask for a second sitting if there was none on another day."""
    if any(person["name"] == name and len(enrolled_days(person)) < 2 for person in people):
        print(SECOND_SITTING, file=sys.stderr)
