"""The buckets of a site: its people, what each device did about them, and its devices."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from typing import Literal, Self, TypeAlias

from nats.js.api import Header
from nats.js.errors import APIError, KeyWrongLastSequenceError, NotFoundError
from nats.js.kv import KV_OP, KV_PURGE, MSG_ROLLUP_SUBJECT, KeyValue

from config.typed_json import typed
from daemon.fleet.link import Link

SOMEBODY_WROTE = 10071  # JetStream's code
LONGEST_ACK = 1000  # bytes; one has some 50

#: ``missing``: gone here with everybody else; ``conflict``: somebody else has the name here
Outcome: TypeAlias = Literal["enrolled", "forgotten", "missing", "conflict", "other_model"]


@dataclass(frozen=True, slots=True)
class Ack:
    """What a device did about a revision of a person."""

    revision: int
    outcome: Outcome

    @classmethod
    def read(cls, content: bytes) -> Self | None:
        """Read one; None if it is none."""
        try:
            ack: Self = typed(cls, json.loads(content), "ack")
        except (ValueError, RecursionError):
            return None
        return ack


@dataclass(frozen=True, slots=True)
class Buckets:
    """Opened buckets of a site."""

    link: Link
    site: str  # in their names
    people: KeyValue
    acks: KeyValue
    devices: KeyValue

    @classmethod
    async def open(cls, link: Link, *, simulated: bool) -> Self:
        """Open them; simulated people have their own.

        All are made where the servers have none: whoever makes a stream says what it takes in, so
        that none is left for a device to make that wants to overhear others.
        """
        kept = {
            site: (await link.bucket(f"people_{site}"), await link.bucket(f"acks_{site}"))
            for site in (link.site, f"{link.site}_simulated")
        }
        site = f"{link.site}_simulated" if simulated else link.site
        return cls(link, site, *kept[site], await link.bucket(f"devices_{link.site}"))

    async def register(self) -> None:
        """Say that this device is of the site, so that others wait for its acks."""
        try:
            await self.devices.get(self.link.device)
        except NotFoundError:
            await self.devices.put(self.link.device, self.link.credentials.public.encode())

    async def read(self, key: str) -> KeyValue.Entry | None:
        """Return what is kept of a person, None if nothing is."""
        try:
            return await self.people.get(key)
        except NotFoundError:
            return None

    async def write(self, key: str, content: bytes, last: int) -> int | None:
        """Write of a person if nobody has since ``last``; return the new number, or None.

        ``last`` is 0 if nothing is known to be there; what was erased is nothing.
        """
        try:
            if last == 0:
                return await self.people.create(key, content)
            return await self.people.update(key, content, last)
        except KeyWrongLastSequenceError:
            return None

    async def purge(self, key: str, last: int) -> None:
        """Erase all that is kept of a person, if nobody has written since."""
        headers = {
            KV_OP: KV_PURGE,
            Header.ROLLUP.value: MSG_ROLLUP_SUBJECT,
            Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value: str(last),
        }
        try:
            await self.link.jetstream.publish(f"$KV.people_{self.site}.{key}", headers=headers)
        except APIError as error:
            if error.err_code != SOMEBODY_WROTE:
                raise

    async def acknowledge(self, key: str, ack: Ack) -> None:
        """Say what this device did."""
        content = json.dumps(asdict(ack)).encode()
        await self.acks.put(f"{key}.{self.link.device}", content)

    async def acks_of(self, people: Collection[str]) -> dict[str, dict[str, Ack]]:
        """Return what each device did about each of these people, by key."""

        def is_wanted(entry: KeyValue.Entry) -> bool:
            return entry.key.partition(".")[0] in people and len(entry.value or b"") <= LONGEST_ACK

        found: dict[str, dict[str, Ack]] = {}
        for name, content in (await everything(self.acks, is_wanted)).items():
            key, _, device = name.partition(".")
            if ack := Ack.read(content):
                found.setdefault(key, {})[device] = ack
        return found


async def everything(
    bucket: KeyValue, is_wanted: Callable[[KeyValue.Entry], bool] = lambda _: True
) -> dict[str, bytes]:
    """Return what is in a bucket and wanted: a device may have filled it with anything."""
    watcher = await bucket.watchall(ignore_deletes=True)
    found: dict[str, bytes] = {}
    try:
        while entry := await watcher.updates():
            if is_wanted(entry):
                found[entry.key] = entry.value or b""
    finally:
        await watcher.stop()
    return found
