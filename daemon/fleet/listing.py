"""The people of a site as the servers have them, and what each device did about them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from nats.js.kv import KeyValue

from daemon.fleet.buckets import Ack, Buckets, everything
from daemon.fleet.credentials import OPERATOR
from daemon.fleet.entries import MOST_BYTES
from daemon.fleet.errors import RecordRefused
from daemon.fleet.known import MOST_KNOWN
from daemon.fleet.link import Link
from daemon.fleet.record import Record, SiteKeys
from model.errors import PersonUnknown

TRIES = 5  # to write, while devices write too
MOST_LISTED = f"{MOST_KNOWN} people or {MOST_BYTES >> 20} MiB"


@dataclass(frozen=True, slots=True)
class SitePerson:
    """A person at a site."""

    name: str | None  # None of somebody forgotten, and where the record is not to be believed
    state: str  # ``enrolled``, ``forgotten`` or ``unreadable``
    sittings: int
    by: str | None  # the device that wrote the record
    #: what devices did about it; ``waiting``: nothing yet
    outcomes: dict[str, str]


@dataclass(frozen=True, slots=True)
class SitePeople:
    """The people of a site."""

    people: list[SitePerson]  # by state and name
    #: records beyond ``MOST_LISTED``: a device may have written no end of them
    left_out: int


@dataclass(slots=True)
class _Listed:
    """How much is listed, and how many records are left out."""

    records: int = 0
    bytes: int = 0
    left_out: int = 0

    def has_room(self, entry: KeyValue.Entry) -> bool:
        """Tell whether a record is listed, as many and as long ones as a device takes in."""
        size = len(entry.value or b"")
        if self.records >= MOST_KNOWN or self.bytes + size > MOST_BYTES:
            self.left_out += 1
            return False
        self.records += 1
        self.bytes += size
        return True


async def people_of(link: Link, site_key: bytes, *, simulated: bool) -> SitePeople:
    """Return the people of a site."""
    buckets = await Buckets.open(link, simulated=simulated)
    keys = SiteKeys(link.credentials, site_key)
    devices = await everything(buckets.devices)
    listed = _Listed()
    records = await everything(buckets.people, listed.has_room)
    acks = await buckets.acks_of(records)
    found = [_read(keys, key, raw, acks.get(key, {}), devices) for key, raw in records.items()]
    found.sort(key=lambda person: (person.state, person.name or ""))
    return SitePeople(found, listed.left_out)


async def forget(link: Link, site_key: bytes, name: str, *, simulated: bool) -> None:
    """Write that somebody is to be forgotten at all devices.

    Raises:
        PersonUnknown: nobody of that name is enrolled at the site.
    """
    buckets = await Buckets.open(link, simulated=simulated)
    keys = SiteKeys(link.credentials, site_key)
    key = keys.key_of(name)
    for _ in range(TRIES):
        entry = await buckets.read(key)
        try:
            record = keys.read(key, entry.value or b"") if entry else None
        except RecordRefused:
            record = None
        if entry is None or (record is not None and record.header.state == "forgotten"):
            raise PersonUnknown(f"nobody called {name!r} is enrolled at {link.site}")
        revision = 1 if record is None else 1 + record.header.revision
        tombstone = keys.forgotten(key, revision)
        if await buckets.write(key, tombstone.raw, entry.revision or 0) is not None:
            return
    raise TimeoutError(f"{name!r} is being changed by devices: try again")


async def strike_off(link: Link, device: str) -> bool:
    """Have nobody wait for the acknowledgements of a device; return whether any did."""
    buckets = await Buckets.open(link, simulated=False)
    if device not in await everything(buckets.devices):
        return False
    await buckets.devices.delete(device)
    return True


def _read(
    keys: SiteKeys, key: str, raw: bytes, acks: dict[str, Ack], devices: Collection[str]
) -> SitePerson:
    by = None
    try:
        record = keys.read(key, raw)
        by = record.header.by.device
        done = {each: _outcome(record, acks.get(each)) for each in devices if each != OPERATOR}
        if record.header.state == "forgotten":
            return SitePerson(None, "forgotten", 0, by, done)
        person = keys.open(key, record)
    except RecordRefused:
        return SitePerson(None, "unreadable", 0, by, {})
    return SitePerson(person.name, "enrolled", len(person.templates), by, done)


def _outcome(record: Record, ack: Ack | None) -> str:
    if ack is None or ack.revision < record.header.revision:
        return "waiting"
    return ack.outcome
