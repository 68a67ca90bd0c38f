"""One device's people and what a made-up server has of them, in memory."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nats.errors
from nats.js.kv import KV_PURGE, KeyValue

from daemon.fleet.buckets import Ack
from daemon.fleet.credentials import Credentials
from daemon.fleet.known import KnownPeople
from daemon.fleet.local_people import Kind, LocalPeople
from daemon.fleet.people import SharedPeople
from daemon.fleet.record import Header, Record, SiteKeys
from daemon.fleet.settling import Settling
from daemon.fleet.site_folder import add_device, credentials_path, make_site
from daemon.fleet.telling import Telling
from daemon.wire.answers import PersonAnswer
from daemon.wire.errors import CommandRefused
from model.template import Person
from tests.model.galleries import MODEL, template

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Server:
    """What a server has of people, in memory, nothing of those erased; it can lose its answers."""

    def __init__(self) -> None:
        self.records: dict[str, tuple[int, bytes]] = {}
        self.done: dict[str, Ack] = {}
        self.is_mute = False

    async def write(self, key: str, content: bytes, last: int) -> int | None:
        sequence, there = self.records.get(key, (0, b""))
        if sequence != last and (there or last):  # nothing is what was erased, too
            return None
        self.records[key] = (sequence + 1, content)
        if self.is_mute:
            raise nats.errors.TimeoutError
        return sequence + 1

    async def acknowledge(self, key: str, ack: Ack) -> None:
        if self.is_mute:
            raise nats.errors.TimeoutError
        self.done[key] = ack


class Service(LocalPeople):
    """Who is enrolled here, in memory; ``refused`` cannot be merged, for a reason."""

    def __init__(self) -> None:
        self.held: dict[str, Person] = {}
        self.refused = ""
        self.reason = "foreign_template"

    def people(self) -> dict[str, PersonAnswer]:
        return {name: PersonAnswer.of(person) for name, person in self.held.items()}

    def export(self, name: str, kind: Kind) -> Person:
        return self.held[name]

    def merge(self, person: Person) -> None:
        if person.name == self.refused:
            raise CommandRefused(f"a template of {person.name!r} is odd", self.reason)
        before = self.held.get(person.name, replace(person, templates=()))
        self.held[person.name] = replace(before, templates=before.templates + person.templates)

    def forget(self, name: str) -> None:
        del self.held[name]


class Site:
    """A device, another one of its site, and the server; an hour passes between any two things."""

    def __init__(self, folder: Path) -> None:
        make_site(folder, "house")
        for door in ("door-1", "door-2"):
            add_device(folder, "house", door)
        texts = (credentials_path(folder, "house", f"door-{n}").read_text() for n in (1, 2))
        self.keys, self.others = (
            SiteKeys(Credentials.from_text(text), b"k" * 32, self.now) for text in texts
        )
        self.hours = 0
        self.folder = folder
        self.server: Any = Server()
        self.service = Service()
        self.telling = Telling("1")
        self.people = SharedPeople(b"k" * 32, folder, self.service, self.telling)

    def now(self) -> datetime:
        self.hours += 1
        return BEGIN + timedelta(hours=self.hours)

    @property
    def known(self) -> KnownPeople:
        return KnownPeople(self.folder / "people.json")

    def enrol(self, name: str, at: int = 0) -> None:
        utc = self.now().isoformat()
        self.service.held[name] = Person(name, utc, (template(name, 1, 2, 3 + at, at=utc),), utc)

    def settle(self) -> None:
        """Connect anew and go through everybody twice, as a device does until nothing changes."""
        kind = Kind(True, MODEL, 2)
        tell = self.people._tell_conflict
        settling = Settling(
            self.server, self.keys, self.known, self.service, kind, tell_conflict=tell
        )

        async def run() -> None:
            await settling.look("1")
            for key, (sequence, raw) in self.server.records.items():
                settling.take(as_entry(key, sequence, raw))
            for version in ("1", "2"):
                await settling.settle(version)

        asyncio.run(run())

    def record(self, name: str) -> Header:
        key = self.keys.key_of(name)
        return self.keys.read(key, self.server.records[key][1]).header

    def put(self, record: Record, name: str) -> None:
        """Have the server say something of another device."""
        key = self.keys.key_of(name)
        self.server.records[key] = (self.server.records.get(key, (0, b""))[0] + 1, record.raw)


def as_entry(key: str, sequence: int, raw: bytes) -> KeyValue.Entry:
    operation = None if raw else KV_PURGE
    return KeyValue.Entry("people", key, raw, sequence, 0, None, operation)
