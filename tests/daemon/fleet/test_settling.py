"""One device's people and what a made-up server has of them: answers that are lost, old copies."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nats.errors
import pytest
from nats.js.kv import KV_PURGE, KeyValue

from config.secret_file import write_private
from daemon.fleet import entries, known, settling
from daemon.fleet.buckets import Ack
from daemon.fleet.credentials import Credentials
from daemon.fleet.entries import Entries
from daemon.fleet.known import KnownPeople
from daemon.fleet.local_people import Kind, LocalPeople
from daemon.fleet.people import SharedPeople
from daemon.fleet.record import HIGHEST_REVISION, Header, Record, SiteKeys
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


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    async def nothing(_: Settling) -> None:
        """Let tombstones lie: other devices have not acknowledged them."""

    monkeypatch.setattr(Settling, "_purge", nothing)
    return Site(tmp_path)


def lost_answer(site: Site) -> None:
    site.server.is_mute = True
    with pytest.raises(nats.errors.TimeoutError):
        site.settle()
    site.server.is_mute = False


def forget_before_the_answer(site: Site) -> None:
    lost_answer(site)
    assert site.record("Ada").state == "enrolled"
    del site.service.held["Ada"]

    site.settle()


def test_who_is_forgotten_before_the_server_s_answer_came_stays_forgotten(site: Site) -> None:
    site.enrol("Ada")
    forget_before_the_answer(site)

    assert site.service.held == {}
    assert site.record("Ada").state == "forgotten"


def test_so_does_who_was_forgotten_and_enrolled_before(site: Site) -> None:
    site.enrol("Ada")
    site.settle()
    site.service.forget("Ada")
    site.settle()
    site.enrol("Ada")
    forget_before_the_answer(site)

    assert site.service.held == {}
    assert site.record("Ada").state == "forgotten"


def test_a_name_that_never_reached_the_site_may_be_another_s_later(site: Site) -> None:
    site.enrol("Ada")
    lost_answer(site)
    site.server.records.clear()  # it was the question that was lost
    site.service.forget("Ada")
    site.settle()
    site.enrol("Ada", at=1)
    theirs = site.service.held.pop("Ada")
    site.put(site.others.enrolled(theirs, {MODEL: 2}, 1, 1), "Ada")

    site.settle()

    assert list(site.service.held) == ["Ada"]
    assert site.record("Ada").state == "enrolled"


def test_an_old_copy_of_the_server_s_brings_no_sitting_back_that_was_forgotten(site: Site) -> None:
    site.enrol("Ada")
    site.settle()
    old = dict(site.server.records)
    site.service.forget("Ada")
    site.settle()
    site.enrol("Ada", at=1)
    site.settle()
    anew = site.service.held["Ada"]
    assert site.record("Ada").begun == 3

    site.server.records = old
    site.settle()

    assert site.service.held == {"Ada": anew}
    assert (site.record("Ada").begun, site.record("Ada").revision) == (3, 4)


def test_what_a_server_has_lost_of_somebody_is_written_again(site: Site) -> None:
    site.enrol("Ada")
    site.settle()
    old = dict(site.server.records)
    more = replace(site.service.held["Ada"], templates=(template("Ada", 1, 2, 4),))
    site.service.merge(more)
    site.settle()
    assert site.record("Ada").revision == 2

    site.server.records = old
    site.settle()

    assert site.record("Ada").revision == 3


def test_one_person_whom_the_service_refuses_keeps_nobody_else_out_and_is_not_named(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    names = ("Zacharias", *(f"person {number}" for number in range(8)))
    for name in names:
        site.enrol(name)
        site.put(site.others.enrolled(site.service.held.pop(name), {MODEL: 2}, 1, 1), name)
    site.service.refused = "Zacharias"

    site.settle()

    assert sorted(site.service.held) == sorted(names[1:])
    assert caplog.text.count("the service says foreign_template") == 1
    assert "Zacharias" not in caplog.text


def test_a_conflict_that_the_server_does_not_hear_of_waits_and_is_told_once(site: Site) -> None:
    site.enrol("Ada")
    site.put(site.others.enrolled(site.service.held["Ada"], {MODEL: 2}, 1, 1), "Ada")
    site.enrol("Ada", at=1)
    site.service.refused, site.service.reason = "Ada", "enrolment_failed"
    lost_answer(site)
    site.settle()

    assert [ack.outcome for ack in site.server.done.values()] == ["conflict"]
    waiting, _ = asyncio.run(site.telling._events.oldest())
    assert waiting.event.kind == "conflict"
    assert waiting.event.fields == {"person": site.keys.key_of("Ada"), "enrolled_by": "door-2"}
    site.telling._events.told(waiting, 0)
    assert not site.telling._events._waiting


def test_the_site_keeps_the_consent_that_was_given_first(site: Site) -> None:
    site.enrol("Ada")
    first = site.service.held.pop("Ada")
    site.enrol("Ada", at=1)
    site.put(site.others.enrolled(first, {MODEL: 2}, 1, 1), "Ada")

    site.settle()

    key = site.keys.key_of("Ada")
    kept = site.keys.open(key, site.keys.read(key, site.server.records[key][1]))
    assert len(kept.templates) == 2
    assert kept.consent_utc == first.consent_utc


@pytest.mark.parametrize("most_bytes", [10_000, 1_000_000])
@pytest.mark.parametrize("has_a_record", [True, False])
def test_of_what_a_hostile_device_has_no_end_of_a_little_is_taken_in_and_said(
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    most_bytes: int,
    has_a_record: bool,
) -> None:
    monkeypatch.setattr(entries, "MOST_KNOWN", 50)
    monkeypatch.setattr(entries, "MOST_BYTES", most_bytes)
    site.enrol("Ada")
    site.settle()
    key = site.keys.key_of("Ada")
    sequence, raw = site.server.records[key]
    taken = Entries(site.keys, lambda each: each == key)
    if has_a_record:
        taken.take(as_entry(key, sequence, raw))
    for number in range(1000):
        stranger = site.keys.key_of(f"Nobody {number}")
        taken.take(as_entry(stranger, number + 1, site.others.forgotten(stranger, 1).raw))
        taken.take(as_entry(f"{number}", number + 1, b"\x1b[2J"))
    held = list(taken)
    assert 10 < len(held) <= 50
    assert sum(taken[each].size for each in held) <= most_bytes
    assert taken[stranger].sequence == 0  # so that nothing is written over what was not taken in
    taken.take(as_entry(key, 3000, site.others.forgotten(key, 2).raw))

    assert taken[key].is_tombstone  # Ada is forgotten here too
    assert sum(record.name == entries.__name__ for record in caplog.records) == entries.MOST_SAID


def test_nobody_waits_for_the_tombstones_of_strangers(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(settling, "LAST_AT_ONCE", 3)
    caplog.set_level(logging.INFO)
    site.enrol("Ada")
    site.settle()
    for name in ("Ada", *(f"Nobody {number}" for number in range(20))):
        site.put(site.others.forgotten(site.keys.key_of(name), 2), name)
    utc = site.now().isoformat()
    bob = Person("Bob", utc, (template("Bob", at=utc),), utc)
    site.put(site.others.enrolled(bob, {MODEL: 2}, 1, 1), "Bob")

    site.settle()  # which goes through everybody twice

    assert {*site.service.held} == {"Bob"}
    assert len(site.known.of("forgotten")) == 1 + 2 * 3
    for _ in range(3):
        site.settle()
    assert len(site.known.of("forgotten")) == 1 + 20
    assert caplog.text.count("somebody is forgotten at the site") == 1


def test_strangers_are_not_taken_on_where_too_many_are_known(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.enrol("Ada")
    site.settle()
    monkeypatch.setattr(known, "MOST_KNOWN", 3)
    for number in range(9):
        name = f"Nobody {number}"
        site.put(site.others.forgotten(site.keys.key_of(name), 1), name)
    site.enrol("Bob")
    site.settle()

    assert len(site.known.of("forgotten")) == 1  # with Ada and Bob as many as may be
    assert site.record("Bob").state == "enrolled"  # who is enrolled here is so at the site
    site.service.forget("Ada")
    site.settle()
    assert site.record("Ada").state == "forgotten"


def test_of_whoever_is_known_there_is_room_for_twice_as_much_and_no_more(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Devices know whoever a hostile one has made up, so that these have an end too."""
    utc = site.now().isoformat()
    ada = Person("Ada", utc, (template("Ada", at=utc),), utc)
    raw = site.others.enrolled(ada, {MODEL: 2}, 1, 1).raw
    monkeypatch.setattr(entries, "MOST_BYTES", len(raw) - 1)
    monkeypatch.setattr(entries, "MOST_BYTES_OF_OURS", len(raw))
    key = site.keys.key_of("Ada")
    for is_ours in (False, True):
        taken = Entries(site.keys, lambda _, is_ours=is_ours: is_ours)  # type: ignore[misc]
        taken.take(as_entry(key, 1, raw))
        assert (taken[key].record is not None) == is_ours
    more = replace(ada, templates=(*ada.templates, template("Ada", 1, 2, 4)))
    taken.take(as_entry(key, 2, site.others.enrolled(more, {MODEL: 2}, 2, 1).raw))
    assert taken[key].revision == 1
    taken.take(as_entry(key, 3, site.others.forgotten(key, 3).raw))
    assert taken[key].is_tombstone


def test_who_was_erased_at_the_site_takes_nobody_s_room(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "MOST_KNOWN", 2)
    ours = {f"{number:064x}" for number in range(9)}
    taken = Entries(site.keys, ours.__contains__)
    for number, key in enumerate([*ours, *(site.keys.key_of(f"{n}") for n in range(9))]):
        taken.take(as_entry(key, 1 + number, site.others.forgotten(key, 1).raw))
        taken.take(as_entry(key, 100 + number, b""))
    assert {*taken} == ours  # of whom it is to be known that they are erased
    key = site.keys.key_of("Bob")
    taken.take(as_entry(key, 300, site.others.forgotten(key, 1).raw))
    assert taken[key].is_tombstone


def test_who_was_erased_before_this_device_came_can_be_enrolled_here(site: Site) -> None:
    site.server.records[site.keys.key_of("Ada")] = (7, b"")
    site.enrol("Ada")
    site.settle()
    assert site.record("Ada").state == "enrolled"


@pytest.mark.parametrize("copy", ["enrolled", "forgotten", "both", "nothing"])
def test_no_old_copy_brings_back_who_is_forgotten_and_erased_everywhere(
    site: Site, copy: str
) -> None:
    site.enrol("Ada")
    site.settle()
    [key] = site.server.records
    olds = {"enrolled": site.server.records[key][1], "forgotten": b"", "nothing": b""}
    for at in (1, 2):
        site.service.forget("Ada")
        site.settle()
        if at == 1:
            olds["forgotten"] = site.server.records[key][1]
            site.enrol("Ada", at=1)
            site.settle()
            olds["both"] = site.server.records[key][1]  # begun after the first tombstone
    site.server.records[key] = (20, b"")
    site.settle()
    before = site.known[key]
    assert before is not None
    assert (before.purged, before.tombstone, before.revision) == (True, "", 4)

    site.server.records = {key: (30, olds[copy])} if olds[copy] else {}
    for _ in range(3):
        site.settle()

    assert site.service.held == {}
    after = site.known[key]
    assert after is not None
    assert after.state == "forgotten"
    assert after.revision >= 4
    if copy in ("enrolled", "both"):
        assert site.record("Ada").state == "forgotten"
    if copy == "forgotten":  # which is erased once all have acknowledged it
        done = site.server.done[key]
        assert (done.outcome, done.revision) == ("forgotten", 2)


def test_the_tombstones_of_strangers_are_written_at_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []

    def write(path: Path, text: str) -> None:
        written.append(path)
        write_private(path, text)

    monkeypatch.setattr(known, "write_private", write)
    for number in range(40):
        name = f"Nobody {number}"
        site.put(site.others.forgotten(site.keys.key_of(name), 2), name)
    site.settle()
    assert len(written) == 1
    assert len(site.known.of("forgotten")) == len(site.server.done) == 40
    for number in range(40):
        name = f"Nobody {number}"
        site.put(site.others.forgotten(site.keys.key_of(name), 3), name)
    site.settle()
    assert len(written) == 2
    assert {ack.revision for ack in site.server.done.values()} == {3}


@pytest.mark.parametrize(
    "lie",
    [
        {"signed_utc": "9999-12-31T23:59:59+00:00"},
        {"signed_utc": "0001-01-01T00:00:00+14:00"},
        {"signed_utc": "some day"},
        {"revision": 10**4300 - 1, "begun": 1},
        {"revision": HIGHEST_REVISION},
    ],
)
def test_a_hostile_device_s_tombstone_ends_nothing(site: Site, lie: dict[str, Any]) -> None:
    """It may be carried out, since any device may forget, or be refused; nothing else happens."""
    site.enrol("Ada")
    site.settle()
    key = site.keys.key_of("Ada")
    honest = site.others.forgotten(key, 9)
    site.put(site.others._signed(key, replace(honest.header, **lie), b""), "Ada")
    site.settle()
    site.enrol("Ada", at=1)
    site.put(site.others.enrolled(site.service.held.pop("Ada"), {MODEL: 2}, 3, 3), "Ada")
    site.settle()
    site.enrol("Bob", at=2)

    site.settle()

    assert site.record("Bob").state == "enrolled"
