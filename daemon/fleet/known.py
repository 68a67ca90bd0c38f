"""What a device knows of its site's people besides who is enrolled on it: one small file.

It names nobody: people go by their keys (``daemon.fleet.record``). By it a device tells what was
forgotten on it from what it never knew, and says again what the servers have lost.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from config.secret_file import write_private
from config.typed_json import typed
from daemon.fleet.errors import KnownPeopleDamaged
from daemon.fleet.record import Record
from model.regular_file import read_regular

#: who may be known: each change writes all of them, and a hostile device may tell of anybody
MOST_KNOWN = 5000  # besides those whom all devices have forgotten
MOST_REMEMBERED = 10_000  # with those
LONGEST_BYTES = 1 << 26  # of the file: somebody has 2 KB in it at most

EnrolledState: TypeAlias = Literal["begun", "enrolled"]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a person."""

    #: ``begun``: about to be enrolled, which a power cut may have prevented; ``missing``: enrolled
    #: at the site, and gone here together with everybody else
    state: Literal["begun", "enrolled", "forgotten", "missing"]
    revision: int  # of the record that was carried out here
    begun: int  # as the record says
    signed_utc: str  # by the device that wrote it
    tombstone: str = ""  # of somebody forgotten: the record, base64, until it is purged
    forgotten_utc: str = ""  # when that was carried out here, by our clock
    purged: bool = False  # whether all devices have forgotten them
    offered: bool = False  # enrolled here, and perhaps at the site: no server said yes or no

    @property
    def raw(self) -> bytes:
        """Return the record of somebody forgotten."""
        return base64.b64decode(self.tombstone)


class KnownPeople:
    """What is known of each person, by key; each change is on the disk before it counts.

    Raises:
        KnownPeopleDamaged: the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, Known] = {}
        self._purged = 0
        try:
            content = read_regular(path, LONGEST_BYTES)
            self._known = typed(dict[str, Known], json.loads(content), "people")
        except FileNotFoundError:
            return
        except (ValueError, OSError, RecursionError) as error:
            raise KnownPeopleDamaged(
                f"{path}: cannot be read: {error}; move it away, and this device begins anew: it "
                "takes on the site's people, and those enrolled on it are the site's"
            ) from error
        self._purged = sum(each.purged for each in self._known.values())

    def __getitem__(self, key: str) -> Known | None:
        return self._known.get(key)

    @property
    def room(self) -> int:
        """How many more may be known who are not enrolled here."""
        remembered = len(self._known)
        return max(0, min(MOST_KNOWN + self._purged, MOST_REMEMBERED) - remembered)

    def of(self, *states: str) -> dict[str, Known]:
        """Return those of a state."""
        return {key: each for key, each in self._known.items() if each.state in states}

    def enrolled(self, key: str, record: Record, state: EnrolledState = "enrolled") -> None:
        """Take note that a record is carried out here, or that it is begun."""
        header = record.header
        self.put(key, Known(state, header.revision, header.begun, header.signed_utc))

    def offered(self, key: str, record: Record) -> None:
        """Take note that somebody who is enrolled here is about to be so at the site."""
        header = record.header
        known = self[key] or Known("begun", header.revision, header.begun, header.signed_utc)
        self.put(key, replace(known, offered=True))

    def forgotten(self, records: Mapping[str, Record], now_utc: str) -> None:
        """Take note that these are forgotten here, for good, unless by a later word already."""
        news: dict[str, Known | None] = {}
        for key, record in records.items():
            tombstone, said = base64.b64encode(record.raw).decode(), record.header
            of_record = said.revision, said.begun, said.signed_utc
            before = self[key]
            if before is None or before.state != "forgotten":
                news[key] = Known("forgotten", *of_record, tombstone, now_utc)
            elif said.revision >= before.revision:
                news[key] = Known("forgotten", *of_record, tombstone, before.forgotten_utc)
        self._put_all(news)

    def purged(self, key: str, known: Known) -> None:
        """Take note that all devices have forgotten somebody: nobody needs the tombstone now."""
        self.put(key, replace(known, purged=True, offered=False, tombstone=""))

    def put(self, key: str, known: Known | None) -> None:
        """Take note of a person, unless it is known; None: nothing is known of them."""
        self._put_all({key: known})

    def _put_all(self, news: Mapping[str, Known | None]) -> None:
        """Write once for all, however many: it is the whole file."""
        news = {key: each for key, each in news.items() if self._known.get(key) != each}
        if not news:
            return
        for key, each in news.items():
            if each is None:
                del self._known[key]
            else:
                self._known[key] = each
        self._purged = sum(each.purged for each in self._known.values())
        people = {key: asdict(each) for key, each in self._known.items()}
        write_private(self._path, json.dumps(people, indent=0))
