"""Brings each person here and the record at the site together.

    the record is new here                  the service takes on what is missing, or says why not
    the person is new here, or sat again    the record is written, if nobody else just did; whoever
                                            was second merges with the first, or has a conflict
    the person is gone here                 the record becomes a tombstone
    a tombstone is new here                 the service forgets; this is acknowledged
    the servers have lost something         it is written again, tombstones too

A record's revision grows by one at each change, whatever happens to the servers, and ``begun``
tells after which tombstone it counts. Clocks decide only where histories parted: in doubt, somebody
is forgotten.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from nats.js.kv import KeyValue

from daemon.fleet.buckets import Ack, Buckets, Outcome, everything
from daemon.fleet.entries import Entries, Entry
from daemon.fleet.errors import RecordRefused
from daemon.fleet.known import Known, KnownPeople
from daemon.fleet.local_people import Kind, LocalPeople
from daemon.fleet.record import Record, SiteKeys
from daemon.journal import event
from daemon.wire.answers import PersonAnswer
from daemon.wire.errors import CommandRefused
from model.template import Person

CONFLICTS = ("enrolment_failed", "person_exists")  # codes of the service
LAST = 2  # the turn of those who are no longer, or never were, enrolled here
LAST_AT_ONCE = 50  # of an answer of the server's each; the file is written once
FULL = RecordRefused("a record too many: more people than a device knows")
CLOCKS_OFF = timedelta(minutes=15)  # how far devices' clocks may be apart

_LOG = logging.getLogger(__name__)

Said = TypeVar("Said")


class Settling:
    """Settles one person after another, again whenever something of them changes.

    Args:
        buckets: of the site.
        keys: read and write records.
        known: what this device knows besides.
        local: asks the service.
        kind: of the templates that mean something here.
        tell_conflict: told of a key and its record that somebody else has the name here.
    """

    def __init__(
        self,
        buckets: Buckets,
        keys: SiteKeys,
        known: KnownPeople,
        local: LocalPeople,
        kind: Kind,
        *,
        tell_conflict: Callable[[str, Record], None],
    ) -> None:
        self._buckets = buckets
        self._keys = keys
        self._known = known
        self._local = local
        self._kind = kind
        self._tell_conflict = tell_conflict
        self._entries = Entries(keys, lambda key: key in self._here or known[key] is not None)
        self._settled: dict[str, tuple[int, PersonAnswer | None]] = {}
        self._acked: dict[str, Ack] = {}
        self._not_settled: dict[str, str] = {}
        self._version = ""
        self._here: dict[str, PersonAnswer] = {}

    def take(self, entry: KeyValue.Entry) -> None:
        """Take in what the bucket has of a person."""
        self._entries.take(entry)

    async def look(self, version: str) -> None:
        """Look who is enrolled here, for whom there is room whatever the servers have.

        Args:
            version: of who is enrolled here: the list costs the service time.
        """
        if version != self._version:
            people = await _ask(self._local.people)
            self._here = {self._keys.key_of(name): person for name, person in people.items()}
            self._version = version

    async def settle(self, version: str) -> None:
        """Go through everybody for whom something has changed, the forgotten first.

        Of the tombstones of people who are not enrolled here, some at a time, and last: others wait
        for no end of them. ``version`` is that of ``look``.
        """
        await self.look(version)
        self._note_missing(self._here)
        keys = {*self._entries, *self._here, *self._known.of("begun", "enrolled", "forgotten")}
        self._settled = {key: self._settled[key] for key in keys & self._settled.keys()}
        self._acked = {key: self._acked[key] for key in keys & self._acked.keys()}
        turns = {key: self._turn(key) for key in keys if not self._is_settled(key)}
        for key in sorted(turns, key=turns.__getitem__):
            if turns[key] < LAST:
                await self._try_to_settle(key)
        await self._settle_last([key for key, turn in turns.items() if turn == LAST])
        await self._purge()

    def _is_settled(self, key: str) -> bool:
        """Tell whether nothing has changed of somebody."""
        return self._settled.get(key) == (self._entries[key].sequence, self._here.get(key))

    def _turn(self, key: str) -> int:
        """Return when it is somebody's turn: those to be forgotten come first."""
        entry, known = self._entries[key], self._known[key]
        if not entry.is_tombstone:
            return 1
        is_over = known is not None and known.state == "forgotten"
        is_news = known is None or (is_over and known.revision < entry.revision)
        return LAST if is_news and key not in self._here else 0

    async def _settle_last(self, keys: list[str]) -> None:
        """Settle tombstones of people who are not enrolled here: some, remembered all at once."""
        known = self._known
        some = [key for key in keys if known[key] is not None]
        strangers = [key for key in keys if known[key] is None]
        if len(strangers) > known.room:
            self._entries.say_refused(FULL)
        some = [*some, *strangers[: known.room]][:LAST_AT_ONCE]
        records = {key: record for key in some if (record := self._entries[key].record) is not None}
        known.forgotten(records, self._keys.now_utc)
        for key in some:
            await self._try_to_settle(key)

    async def _try_to_settle(self, key: str) -> None:
        """Settle one person, unless something of them is refused: the others go on."""
        person = self._here.get(key)
        if person is None and self._known[key] is None and self._known.room == 0:
            self._entries.say_refused(FULL)
            return
        try:
            if await self._settle(key, person) and not self._is_gone(key, person):
                self._settled[key] = self._entries[key].sequence, person
        except RecordRefused as error:
            self._entries.put(key, replace(self._entries[key], record=None))
            self._entries.say_refused(error)
        except CommandRefused as refusal:  # its words may have a name in them
            self._say_not_settled(key, refusal.code)

    def _say_not_settled(self, key: str, code: str) -> None:
        """Say that the service refuses something of one person; the others go on."""
        if self._not_settled.get(key) != code:
            self._not_settled[key] = code
            what = event("people_not_shared", error=code)
            _LOG.warning("somebody is not shared now: the service says %s", code, extra=what)

    def _is_gone(self, key: str, held: PersonAnswer | None) -> bool:
        """Tell whether somebody was enrolled here, and is not any more; or has just been."""
        known = self._known[key]
        was_here = known is not None and (known.state == "enrolled" or known.offered)
        return held is None and was_here

    def _note_missing(self, here: dict[str, PersonAnswer]) -> None:
        """Hold everybody who is gone at once: it is the gallery that is lost, most likely."""
        enrolled = self._known.of("enrolled")
        if here or len(enrolled) < 2:
            return
        for key, known in enrolled.items():
            self._known.put(key, replace(known, state="missing"))
        what = event("people_missing", people=len(enrolled))
        said = (
            "all %d people are gone here at once; the site keeps them, and this device takes them "
            "on again when it is told to: docs/fleet.md, When a gallery is lost"
        )
        _LOG.warning(said, len(enrolled), extra=what)

    async def _settle(self, key: str, held: PersonAnswer | None) -> bool:
        """Bring one person together; False if it has to be tried again."""
        entry, known = self._entries[key], self._known[key]
        if known is not None and known.state == "forgotten":
            return await self._settle_forgotten(key, known, held)
        if entry.record is not None and entry.is_tombstone:
            if known is not None and held is not None and _is_stale(entry.record, known):
                return await self._share(key, held, None)
            return await self._forget(key, entry.record, held)
        if self._is_gone(key, held):
            return await self._bury(key)
        if entry.record is None or _is_forgotten(entry.record, known):
            return held is None or await self._share(key, held, None)
        of_before = known is not None and known.revision < entry.record.header.begun
        if held is not None and of_before:  # what is here was forgotten at the site meanwhile
            await _ask(self._local.forget, held.name)
            held = None
        return await self._take_on(key, entry.record, held)

    async def _settle_forgotten(self, key: str, known: Known, held: PersonAnswer | None) -> bool:
        """Settle somebody who was forgotten here."""
        entry = self._entries[key]
        if held is not None and _time(held.created_utc) < _time(known.forgotten_utc):
            await _ask(self._local.forget, held.name)  # by an old copy of the gallery
            _LOG.warning("somebody forgotten was back, and is forgotten", extra=event("forgotten"))
            held = None
        if entry.record is None or entry.is_tombstone:
            if held is not None:
                return await self._share(key, held, None)
            if entry.record is not None and entry.revision >= known.revision:
                return await self._forget(key, entry.record, None)
            if entry.record is not None and known.purged:  # an old copy of what all have done
                await self._ack(key, entry.record, "forgotten")
                return True
            if entry.purged:
                self._known.purged(key, known)
            gone = entry.record is None and (entry.purged or known.purged)
            return gone or await self._write(key, self._keys.read(key, known.raw))
        return await self._settle_reappeared(key, entry.record, known, held)

    async def _settle_reappeared(
        self, key: str, record: Record, known: Known, held: PersonAnswer | None
    ) -> bool:
        """Settle somebody who was forgotten here and is enrolled at the site."""
        if self._is_gone(key, held):
            return await self._bury(key)
        if record.header.begun > known.revision:
            return await self._take_on(key, record, held)
        if held is not None:
            return await self._share(key, held, None)
        theirs = self._keys.open(key, record)
        if _time(theirs.created_utc) - _time(known.signed_utc) < CLOCKS_OFF:
            return await self._bury(key)
        # enrolled since, where nobody knew of the tombstone
        revision = 1 + max(known.revision, record.header.revision)
        await self._write(
            key, self._keys.enrolled(theirs, record.header.models, revision, revision)
        )
        return False

    async def _take_on(self, key: str, record: Record, held: PersonAnswer | None) -> bool:
        """Bring the sittings of both sides together."""
        known = self._known[key]
        if held is None and known is not None and known.state == "missing":
            await self._ack(key, record, "missing")
            return True
        theirs = self._keys.open(key, record)
        model, chain = self._kind.model_sha256, self._kind.chain
        means_something = record.header.models.get(model) == chain
        taken = [each for each in theirs.templates if each.model_sha256 == model]
        if not (means_something and taken):
            await self._ack(key, record, "other_model")
            return held is None or await self._share(key, held, record, theirs)
        if held is not None:
            ours = (await _ask(self._local.export, held.name, self._kind)).templates
            taken = [each for each in taken if not any(map(each.is_again, ours))]
        if held is None:
            self._known.enrolled(key, record, "begun")
        if taken and not await self._merge(key, record, replace(theirs, templates=tuple(taken))):
            return True
        is_old = (
            known is not None
            and known.state == "enrolled"
            and known.revision > record.header.revision
        )
        if not is_old:  # else what the servers have lost is written again
            self._known.enrolled(key, record)
        await self._ack(key, record, "enrolled")
        return held is None or await self._share(key, held, record, theirs)

    async def _merge(self, key: str, record: Record, person: Person) -> bool:
        """Have the service take a person on; False if somebody else has the name here."""
        try:
            await _ask(self._local.merge, person)
        except CommandRefused as refusal:
            if refusal.code not in CONFLICTS:
                raise
            self._tell_conflict(key, record)
            await self._ack(key, record, "conflict")
            return False
        return True

    async def _share(
        self, key: str, held: PersonAnswer, record: Record | None, theirs: Person | None = None
    ) -> bool:
        """Write what is held here besides what the record has; without one, all of it."""
        person = await _ask(self._local.export, held.name, self._kind)
        entry, known = self._entries[key], self._known[key]
        there = () if theirs is None else theirs.templates
        more = [each for each in person.templates if not any(map(each.is_again, there))]
        seen = 0 if known is None else known.revision
        nothing_new = not more and entry.revision >= seen
        if (record is not None and nothing_new) or not (more or there):
            return True
        revision = 1 + max(seen, entry.revision)
        begun = revision
        if known is not None and known.state != "forgotten":
            begun = max(known.begun, 0 if record is None else record.header.begun)
        elif record is not None:
            begun = record.header.begun
        models = {} if record is None else dict(record.header.models)
        models[self._kind.model_sha256] = self._kind.chain
        agreed = [each.consent_utc for each in (person, theirs) if each and each.consent_utc]
        whole = replace(
            theirs or person, templates=(*there, *more), consent_utc=min(agreed, default=None)
        )
        made = self._keys.enrolled(whole, models, revision, begun)
        # Should the answer be lost, and the person be forgotten before there is another:
        self._known.offered(key, made)
        if not await self._write(key, made):
            self._known.put(key, known)
            return False
        self._known.enrolled(key, made)
        await self._ack(key, made, "enrolled")
        return True

    async def _bury(self, key: str) -> bool:
        """Write that somebody is to be forgotten, as is done here."""
        known, entry = self._known[key], self._entries[key]
        if known is not None and known.state == "begun" and entry.record is None:
            self._known.put(key, None)  # it never was at the site
            return True
        seen = 0 if known is None else known.revision
        revision = 1 + max(seen, entry.revision)
        tombstone = self._keys.forgotten(key, revision)
        return await self._write(key, tombstone) and await self._forget(key, tombstone, None)

    async def _forget(self, key: str, tombstone: Record, held: PersonAnswer | None) -> bool:
        """Carry a tombstone out."""
        known = self._known[key]
        if held is not None:
            await _ask(self._local.forget, held.name)
        if (known or held) and not (known and known.state == "forgotten"):
            _LOG.info("somebody is forgotten at the site", extra=event("forgotten"))
        self._known.forgotten({key: tombstone}, self._keys.now_utc)
        await self._ack(key, tombstone, "forgotten")
        return True

    async def _write(self, key: str, record: Record) -> bool:
        """Write a record, unless somebody has since we looked: theirs comes then."""
        sequence = await self._buckets.write(key, record.raw, self._entries[key].sequence)
        if sequence is None:
            return False
        self._entries.put(key, Entry(sequence, record))
        return True

    async def _ack(self, key: str, record: Record, outcome: Outcome) -> None:
        """Tell the site what was done here."""
        ack = Ack(record.header.revision, outcome)
        if self._acked.get(key) == ack:
            return
        await self._buckets.acknowledge(key, ack)
        self._acked[key] = ack
        if outcome == "other_model":
            device = record.header.by.device
            what = event("people_of_other_model", device=device)
            said = "templates of somebody, by %s, are of another model or chain: not taken on"
            _LOG.warning(said, device, extra=what)

    async def _purge(self) -> None:
        """Erase the tombstones that every device has carried out."""
        waiting = {key for key in self._entries if self._entries[key].is_tombstone}
        if not waiting:
            return
        devices = await everything(self._buckets.devices)
        acks = await self._buckets.acks_of(waiting)
        for key in waiting:
            entry, done = self._entries[key], acks.get(key, {})
            told = [done.get(device, Ack(0, "missing")) for device in devices]
            if all(a.outcome == "forgotten" and a.revision >= entry.revision for a in told):
                await self._buckets.purge(key, entry.sequence)


async def _ask(question: Callable[..., Said], *given: object) -> Said:
    """Ask the service, which may take seconds."""
    return await asyncio.to_thread(question, *given)


def _is_forgotten(record: Record, known: Known | None) -> bool:
    """Tell whether somebody was forgotten, and enrolled anew, since this record: an old copy's."""
    return known is not None and record.header.begun < known.begun


def _is_stale(tombstone: Record, known: Known) -> bool:
    """Tell whether a tombstone is of before what is known, as in an old copy of the servers'."""
    header = tombstone.header
    older = _time(header.signed_utc) < _time(known.signed_utc)
    return header.revision < known.revision and older


def _time(utc: str) -> datetime:
    """Read a date and time, which nobody has to have written well."""
    try:
        time = datetime.fromisoformat(utc)
    except ValueError as error:
        raise RecordRefused(f"{utc!r:.40} is not a date and time") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)
