"""What the servers have of each person: as much of it as a device bears, whoever has written it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nats.js.kv import KV_PURGE, KeyValue

from daemon.fleet.errors import RecordRefused
from daemon.fleet.known import MOST_KNOWN
from daemon.fleet.record import Record, SiteKeys
from daemon.journal import event

MOST_BYTES = 1 << 26  # of all records; those of thirty people have one hundredth
MOST_BYTES_OF_OURS = 2 * MOST_BYTES  # so that strangers leave room for whoever is known here
MOST_SAID = 20  # records that are not believed, until all is gone through anew

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """What the servers have of a person."""

    sequence: int = 0  # of the bucket, by which nobody writes over another's; 0: nothing yet
    record: Record | None = None  # None if there is none, or none to be believed
    purged: bool = False

    @property
    def revision(self) -> int:
        """Revision of the record, 0 if there is none."""
        return self.record.header.revision if self.record is not None else 0

    @property
    def size(self) -> int:
        """Bytes that it holds."""
        return 0 if self.record is None else len(self.record.raw)

    @property
    def is_kept(self) -> bool:
        """Tell whether the bucket has anything of the person: who was erased is no one more."""
        return self.sequence > 0 and not self.purged

    @property
    def is_tombstone(self) -> bool:
        """Tell whether the person is to be forgotten."""
        return self.record is not None and self.record.header.state == "forgotten"


class Entries:
    """What was taken in, by key.

    A flood of strangers keeps nobody out whom this device knows.

    Args:
        keys: read records.
        is_ours: tells whether somebody is known or enrolled here, by key.
    """

    def __init__(self, keys: SiteKeys, is_ours: Callable[[str], bool]) -> None:
        self._keys = keys
        self._is_ours = is_ours
        self._entries: dict[str, Entry] = {}
        self._bytes = self._kept = self._refused = 0

    def __getitem__(self, key: str) -> Entry:
        return self._entries.get(key, Entry())

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def take(self, entry: KeyValue.Entry) -> None:
        """Take in what the bucket has of a person, unless there is something newer or no room."""
        key, record, sequence = entry.key, None, entry.revision or 0
        if sequence <= self[key].sequence:
            return
        if entry.operation is not None and not self._is_ours(key):  # erased: nothing is there
            self.put(key, Entry())
            del self._entries[key]
            return
        if entry.operation is None:
            try:
                record = self._keys.read(key, entry.value or b"")
            except RecordRefused as error:
                self.say_refused(error)
        new = Entry(sequence, record, entry.operation == KV_PURGE)
        if self._has_room(key, new):
            self.put(key, new)
        else:
            self.say_refused(RecordRefused("a record too many: more than a device takes in"))

    def _has_room(self, key: str, new: Entry) -> bool:
        """Tell whether an entry may take its place: who is ours is forgotten whatever there is."""
        before = self[key]
        grown = self._bytes - before.size + new.size
        if self._is_ours(key):
            return new.is_tombstone or new.size <= before.size or grown <= MOST_BYTES_OF_OURS
        if key not in self._entries and self._kept >= MOST_KNOWN:
            return False
        return new.size <= before.size or grown <= MOST_BYTES

    def put(self, key: str, entry: Entry) -> None:
        """Take note of what the bucket has now."""
        before = self[key]
        self._bytes += entry.size - before.size
        self._kept += entry.is_kept - before.is_kept
        self._entries[key] = entry

    def say_refused(self, error: RecordRefused) -> None:
        """Say what is not believed; a hostile device has no end of it."""
        self._refused += 1
        if self._refused <= MOST_SAID:
            _LOG.warning("%s; it is not believed", error, extra=event("record_refused"))
