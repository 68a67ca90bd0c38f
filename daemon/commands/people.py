"""``qrsd people``: who is enrolled, and what becomes of them."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from rich.table import Table

from config.folders import (
    another_is_the_systems,
    control_address,
    gallery_path,
    pseudonym_key_path,
)
from config.gallery_key import COMMENT, CREDENTIAL, CREDSTORE, find_gallery_key, gallery_key_path
from config.pseudonyms import pseudonym, pseudonym_key
from config.secret_file import SECRET_BYTES, write_secret
from config.settings import load
from daemon.commands.connection import Connection, add_connection, gallery_in_use, to_control
from daemon.commands.parts import (
    SECOND_SITTING,
    add_part,
    confirmed,
    describe,
    enrolled_days,
    person_name,
)
from daemon.offline.results import page_console, writing
from daemon.terminal import plain
from daemon.wire.answers import PersonAnswer
from daemon.wire.client import Control
from daemon.wire.errors import ServiceNotPermitted, ServiceUnavailable
from model.errors import ExportInvalid, GalleryMissing, PersonUnknown
from model.folder_owner import as_owner_of_folder
from model.gallery import Gallery
from model.opening import DEFAULT_MODEL
from model.passport import Passport
from model.people_file import from_json, to_json
from model.template import Person

LONGEST_EXPORT = 1 << 27  # characters; 10,000 people have a tenth of it
ANSWER_S = 10.0  # a slow card may take seconds to erase

PEOPLE = """\
Each NAME may be -, which asks for it: command lines of sudo are logged, names in them too.

examples:
  qrsd people list
  qrsd people rename Ada "Ada Lovelace"
  qrsd people export Ada > ada.json      (everything that is held on her)
  qrsd people import ada.json
  qrsd people forget Ada
  sudo qrsd people seal                  (encrypt it all: qrsd people seal --help)"""

SEAL = f"""\
Encrypt the names and templates of enrolled people (AES-256-GCM), from now on.

The key is made if there is none: {CREDSTORE / CREDENTIAL} for root, whence systemd hands it
to the service, else ~/.config/qrsd/gallery.key. It belongs in no backup that has the gallery too.
Without it nobody can read the gallery any more, and everybody has to be enrolled again.

A sealed gallery's templates are also turned by a secret, so that they fit no other gallery. With
--anew they are turned otherwise: copies that somebody took before fit this one no more either,
and nobody needs to be enrolled again. With --new-key the key is another one too, as it should be
where somebody may have seen the old one. Until it takes the old one's place it lies beside it, with
.new behind its name: should that be interrupted and the key not fit any more, put it there.

examples:
  sudo qrsd people seal && sudo systemctl restart qrsd
  sudo qrsd people seal --anew && sudo systemctl restart qrsd
  sudo qrsd people seal --new-key && sudo systemctl restart qrsd"""

NOT_THE_SERVICES = "note: these are your own; the installed service's are: sudo qrsd people list"
NOT_SEALED = "Not sealed: whoever has the file can read it. See qrsd people seal --help"


def add_people(people: argparse.ArgumentParser) -> None:
    """Add the commands that look after the gallery."""
    describe(people, PEOPLE)
    commands = people.add_subparsers(metavar="COMMAND", required=True)

    listing = add_part(commands, "list", "Show who is enrolled.")
    listing.add_argument("--json", action="store_true", help="print one JSON object, for scripts")
    listing.set_defaults(run=run_list)

    rename = add_part(commands, "rename", "Rename somebody.")
    rename.add_argument("name", type=person_name, metavar="NAME")
    rename.add_argument("new_name", type=person_name, metavar="NEW_NAME")
    rename.set_defaults(run=run_rename)

    forget = add_part(commands, "forget", "Erase everything that is held on somebody.")
    forget.add_argument("name", type=person_name, metavar="NAME")
    forget.add_argument("--yes", action="store_true", help="do not ask")
    forget.set_defaults(run=run_forget)

    export = add_part(commands, "export", "Print what is held on people, as JSON.")
    export.add_argument(
        "names", nargs="*", type=person_name, metavar="NAME", help="whom (default: everybody)"
    )
    export.set_defaults(run=run_export)

    importing = add_part(commands, "import", "Enrol the people of an export.")
    importing.add_argument("file", metavar="FILE", help="what export printed; - for standard input")
    importing.set_defaults(run=run_import)

    seal = add_part(commands, "seal", SEAL)
    seal.add_argument("--anew", action="store_true", help="though it is sealed: renew templates")
    seal.add_argument("--new-key", action="store_true", help="the same, with another key")
    seal.set_defaults(run=run_seal)

    for command in (listing, rename, forget):
        add_connection(command)
    for command in (listing, rename, forget, export, importing, seal):
        command.add_argument(
            "--gallery",
            type=Path,
            metavar="PATH",
            help="file of enrolled people (default: the running service's)",
        )


def run_list(args: argparse.Namespace) -> int:
    """Print who is enrolled, with how many templates and beats."""
    service = to_control(args)
    if service.elsewhere and args.gallery is None:
        answer = _ask(service, "people")
        people, sealed = answer["people"], answer["sealed"]
    else:
        listed, sealed = _gallery_people(args)
        people = [_summary(person) for person in listed]
        if args.gallery is None and another_is_the_systems():
            print(NOT_THE_SERVICES, file=sys.stderr)
    if (key_path := pseudonym_key_path()).exists():  # there are recordings, of this machine
        key = pseudonym_key(key_path)
        people = [person | {"pseudonym": pseudonym(person["name"], key)} for person in people]
    if args.json:
        print(json.dumps({"people": people, "sealed": sealed}))
        return 0
    if not people:
        print("Nobody is enrolled yet: qrsd enroll NAME")
        return 0
    recorded = ["pseudonym"] if "pseudonym" in people[0] else []
    columns = ("name", "sittings", "days ago", "drift", "consent", "templates", "grown", "beats")
    table = Table(box=None, pad_edge=False)
    for column in (*columns, *recorded):
        table.add_column(column, overflow="fold")  # half a name or pseudonym finds nobody
    for person in people:
        days, age, drift = _fittings(person)
        counts = (str(person[count]) for count in ("templates", "grown", "beats"))
        consent_day = (person["consent_utc"] or "not recorded").split("T")[0]
        pseudonyms = (person[each] for each in recorded)
        cells = map(plain, (age, drift, consent_day, *counts, *pseudonyms))
        table.add_row(plain(person["name"]), "\n".join(map(plain, days)), *cells)
    page_console(highlight=False, markup=False).print(table)
    once = [person["name"] for person in people if len(enrolled_days(person)) < 2]
    if once:
        print(
            f"enrolled on one day only: {plain(', '.join(once))}. {SECOND_SITTING}", file=sys.stderr
        )
    if not sealed:
        print(NOT_SEALED, file=sys.stderr)
    return 0


def _fittings(person: dict[str, Any]) -> tuple[list[str], str, str]:
    """Say when somebody was enrolled, how long ago that was last, and how far templates drifted."""
    days = enrolled_days(person)
    age = "-"
    with suppress(ValueError, IndexError):  # a day that is none, or no enrolment by anybody
        ago = (datetime.now(UTC).date() - date.fromisoformat(days[-1])).days
        age = str(ago) if ago >= 0 else "in future"
    drift = person.get("drift")
    return days, age, "-" if drift is None else f"{drift:.2f}"


def run_rename(args: argparse.Namespace) -> int:
    """Rename somebody, in the running service if there is one."""
    if not _asked_service(args, "rename", person=args.name, new_name=args.new_name):
        with _gallery(args) as gallery:
            gallery.rename(args.name, args.new_name)
    print(f"{args.name} is called {args.new_name} now.")
    return 0


def run_forget(args: argparse.Namespace) -> int:
    """Erase somebody, in the running service if there is one; 1 if the user thinks better of it."""
    if not args.yes and not confirmed(f"Erase everything that is held on {args.name}?"):
        print(f"{args.name} is still enrolled.", file=sys.stderr)
        return 1
    if not _asked_service(args, "forget", person=args.name):
        with _gallery(args) as gallery:
            gallery.forget(args.name)
    print(f"{args.name} is forgotten.")
    return 0


def run_export(args: argparse.Namespace) -> int:
    """Print everything that is held on the people named, or on everybody."""
    people, _ = _gallery_people(args)
    known = {person.name for person in people}
    for name in args.names:
        if name not in known:
            raise PersonUnknown(f"nobody called {name!r} is enrolled; see: qrsd people list")
    wanted = set(args.names) or known
    exported = to_json(person for person in people if person.name in wanted)
    utf8 = (sys.stdout.encoding or "utf-8").lower() == "utf-8"
    print(json.dumps(exported, indent=2, ensure_ascii=not utf8))
    return 0


def run_seal(args: argparse.Namespace) -> int:
    """Seal the gallery, with a key that is made if there is none."""
    key = find_gallery_key()
    with _gallery(args, make=True) as gallery:  # first: no key may be made in a lost one's place
        if gallery.sealed and not (args.anew or args.new_key):
            print("The gallery is sealed.")
            return 0
        if key is None or args.new_key:
            _seal_by_new_key(gallery, gallery_key_path())
        else:
            gallery.seal(key)
    print("The gallery is sealed.")
    if args.gallery is None and _service_runs():
        print(
            "The running service still goes by what it knew before, and enrols nobody, until it is "
            "restarted: sudo systemctl restart qrsd"
        )
    return 0


def _seal_by_new_key(gallery: Gallery, path: Path) -> None:
    """Seal with a new key, which is written beside an old one first and replaces it afterwards."""
    key = secrets.token_bytes(SECRET_BYTES)
    draft, before = path.with_name(f"{path.name}.new"), gallery.rotation_seed
    write_secret(draft, key, COMMENT)
    try:
        gallery.seal(key)
    finally:
        if gallery.rotation_seed != before:  # it is done, be it that traces are left
            with writing(path), as_owner_of_folder(path):
                draft.replace(path)
        else:
            draft.unlink()
    print(f"The key is in {path}. Keep a copy where no copy of the gallery is.")


def run_import(args: argparse.Namespace) -> int:
    """Enrol the people of an export: all of them or, if one is refused, none."""
    where = "standard input" if args.file == "-" else args.file
    passport = Passport.load(load().settings.model_path or DEFAULT_MODEL)
    numbers_of = {passport.sha256: passport.tensors.outputs}
    people = from_json(_read(args.file, where), where, numbers_of)
    with _gallery(args, make=True) as gallery:
        gallery.add(people)
    print(f"Imported {', '.join(person.name for person in people) or 'nobody'}.")
    return 0


def _gallery(args: argparse.Namespace, *, make: bool = False) -> Gallery:
    path = args.gallery or gallery_in_use()
    if path == gallery_path(simulated=True):
        print(f"note: those who were enrolled on the simulated chip: {path}", file=sys.stderr)
    return Gallery(path, make, find_gallery_key())


def _gallery_people(args: argparse.Namespace) -> tuple[list[Person], bool]:
    """Return everybody, and whether the gallery is sealed; the service may run meanwhile."""
    try:
        with _gallery(args) as gallery:
            people = gallery.people()
            for record in gallery.set_aside:
                print(f"note: damaged, and set aside: {record}", file=sys.stderr)
            return people, gallery.sealed
    except GalleryMissing:
        if args.gallery is not None:
            raise
        return [], False


def _summary(person: Person) -> dict[str, Any]:
    models = dict(Counter(template.model_sha256 for template in person.templates))
    return asdict(PersonAnswer.of(person)) | {"models": models}


def _service_runs() -> bool:
    try:
        with Control(control_address(), ANSWER_S) as control:
            control.request("enrolment")
    except ServiceUnavailable:
        return False
    return True


def _asked_service(args: argparse.Namespace, command: str, **fields: object) -> bool:
    """Have the running service do it; return False if none runs on this machine."""
    if args.gallery is not None:
        return False
    service = to_control(args)
    try:
        _ask(service, command, **fields)
    except ServiceNotPermitted:
        raise
    except ServiceUnavailable:
        if service.elsewhere:
            raise
        return False
    return True


def _ask(service: Connection, command: str, **fields: object) -> dict[str, Any]:
    with Control(service.address, ANSWER_S, service.keys) as control:
        return control.request(command, **fields)


def _read(file: str, where: str) -> str:
    try:
        if file == "-":
            read = sys.stdin.read(LONGEST_EXPORT + 1)
        else:
            with open(file, encoding="utf-8") as source:
                read = source.read(LONGEST_EXPORT + 1)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise ExportInvalid(f"{where}: cannot be read: {reason}") from error
    if len(read) > LONGEST_EXPORT:
        raise ExportInvalid(f"{where}: longer than {LONGEST_EXPORT} characters, no export is")
    return read
