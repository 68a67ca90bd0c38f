"""The people of a site as the servers have them, and what each device did about them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from daemon.fleet.buckets import Ack, Buckets, everything
from daemon.fleet.credentials import OPERATOR
from daemon.fleet.errors import RecordRefused
from daemon.fleet.link import Link
from daemon.fleet.record import Record, SiteKeys
from model.errors import PersonUnknown

TRIES = 5  # to write, while devices write too


@dataclass(frozen=True, slots=True)
class SitePerson:
    """A person at a site."""

    name: str | None  # None of somebody forgotten, and where the record is not to be believed
    state: str  # ``enrolled``, ``forgotten`` or ``unreadable``
    sittings: int
    by: str | None  # the device that wrote the record
    #: what devices did about it; ``waiting``: nothing yet
    outcomes: dict[str, str]


async def people_of(link: Link, site_key: bytes, *, simulated: bool) -> list[SitePerson]:
    """Return the people of a site, by name."""
    buckets = await Buckets.open(link, simulated=simulated)
    keys = SiteKeys(link.credentials, site_key)
    devices = await everything(buckets.devices)
    records = await everything(buckets.people)
    acks = await buckets.acks_of(records)
    found = [_read(keys, key, raw, acks.get(key, {}), devices) for key, raw in records.items()]
    return sorted(found, key=lambda person: (person.state, person.name or ""))


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
