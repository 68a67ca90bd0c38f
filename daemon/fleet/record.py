"""What a site keeps of a person: who said it and when, readable, and the templates, sealed.

    {"state": "enrolled", "revision": 3, ...}     JSON on one line
    signature of the device's NKey, base64        over the key, the header and what is sealed
    nonce and ciphertext                          the person, as ``model.people_file`` writes it

Its key in the bucket is an HMAC of the name, so that only devices of the site can tell whose it is.
The embeddings are turned besides (``model.rotation``), so that they fit no other site's.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal, TypeAlias

import numpy as np

from config.typed_json import typed
from daemon.fleet.credentials import Credentials, Name
from daemon.fleet.errors import RecordRefused
from model.errors import ExportInvalid
from model.names import composed
from model.people_file import from_json, to_json
from model.rotation import Rotation
from model.seal import SALT_BYTES, Seal
from model.template import Person

State: TypeAlias = Literal["enrolled", "forgotten"]
LONGEST_RECORD = 1 << 19  # bytes; a sitting has about one thousand
LONGEST_TOMBSTONE = 1 << 10  # of somebody forgotten, which devices keep; one has some 400 bytes
HIGHEST_REVISION = 10**15  # Python writes no number of 4,301 digits, and who knows what others do
KEY = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Header:
    """What is to be seen of a record without the site's key."""

    state: State
    revision: int  # one more at each change of the person, whatever happens to the servers
    begun: int  # revision with which the present enrolment began, after whatever was forgotten
    signed_utc: str  # by the clock of the device; ISO 8601
    models: dict[str, int]  # chain version of the templates of each model, by its SHA-256
    by: Name  # the device that signed it


@dataclass(frozen=True, slots=True)
class Record:
    """A record whose signature is right."""

    header: Header
    raw: bytes  # all of it, as it is kept

    @property
    def sealed(self) -> bytes:
        """Return what only the site's key opens: nothing of somebody forgotten."""
        return self.raw.split(b"\n", 2)[2]


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class SiteKeys:
    """Writes and reads records of a site.

    Args:
        credentials: of this device.
        key: of the site, 32 bytes.
        now: returns the time, with which records are signed.
    """

    def __init__(
        self, credentials: Credentials, key: bytes, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._now = now
        self._credentials = credentials
        self._key = key
        salt = sha256(f"qrsd fleet {credentials.site}".encode()).digest()[:SALT_BYTES]
        self._seal = Seal(key, salt)

    def key_of(self, name: str) -> str:
        """Return a person's key in the bucket."""
        return hmac.new(self._key, composed(name).encode(), sha256).hexdigest()

    @property
    def now_utc(self) -> str:
        """The time by this device's clock, ISO 8601."""
        return self._now().isoformat(timespec="seconds")

    def enrolled(
        self, person: Person, models: Mapping[str, int], revision: int, begun: int
    ) -> Record:
        """Return the signed record of somebody."""
        key = self.key_of(person.name)
        plain = json.dumps(to_json([self._turn(person)])).encode()
        sealed = self._seal.close(plain, _place(key, revision))
        used = {each.model_sha256 for each in person.templates}
        kept = {model: chain for model, chain in models.items() if model in used}
        header = self._header("enrolled", revision, begun, kept)
        return self._signed(key, header, sealed)

    def forgotten(self, key: str, revision: int) -> Record:
        """Return the signed word that somebody is to be forgotten."""
        return self._signed(key, self._header("forgotten", revision, revision, {}), b"")

    def read(self, key: str, raw: bytes) -> Record:
        """Read a record of the bucket.

        Raises:
            RecordRefused: it is none, or no device of this site signed it.
        """
        if len(raw) > LONGEST_RECORD:
            raise RecordRefused(f"a record has {len(raw)} bytes")
        if not KEY.fullmatch(key):
            raise RecordRefused(f"a record is kept as {key!r:.80}, which is nobody's key")
        try:
            said, signature, sealed = raw.split(b"\n", 2)
            header = typed(Header, json.loads(said), "header")
            signed = base64.b64decode(signature, validate=True)
            datetime.fromisoformat(header.signed_utc)
        except (ValueError, RecursionError) as error:
            raise RecordRefused(f"a record is none: {error}") from error
        if not header.by.is_of(self._credentials.site, self._credentials.authority):
            raise RecordRefused(f"a record by {header.by.device!r:.80}, no device of this site")
        if not header.by.has_signed(_signed_part(key, said, sealed), signed):
            raise RecordRefused(f"a record that {header.by.device} has not signed")
        if not 1 <= header.begun <= header.revision <= HIGHEST_REVISION:
            raise RecordRefused(f"a record by {header.by.device}: revision {header.revision}")
        if header.state == "forgotten" and len(raw) > LONGEST_TOMBSTONE:
            raise RecordRefused(f"a tombstone by {header.by.device} has {len(raw)} bytes")
        return Record(header, raw)

    def open(self, key: str, record: Record) -> Person:
        """Return the person of a record.

        Raises:
            RecordRefused: it is not for the site's key, or not a person.
        """
        plain = self._seal.open(record.sealed, _place(key, record.header.revision))
        try:
            [person] = from_json("" if plain is None else plain.decode(), "a record")
        except (ExportInvalid, ValueError) as error:
            raise RecordRefused(f"a record by {record.header.by.device} cannot be read") from error
        if self.key_of(person.name) != key:
            raise RecordRefused(f"a record by {record.header.by.device} is of somebody else")
        return self._turn(person, back=True)

    def _turn(self, person: Person, *, back: bool = False) -> Person:
        turned = []
        for template in person.templates:
            rotation = Rotation(self._seal.rotation_seed, len(template.embedding))
            turn = rotation.turn_back if back else rotation.turn
            turned.append(replace(template, embedding=np.array(turn(template.embedding))))
        return replace(person, templates=tuple(turned))

    def _header(self, state: State, revision: int, begun: int, models: dict[str, int]) -> Header:
        return Header(state, revision, begun, self.now_utc, models, self._credentials.name)

    def _signed(self, key: str, header: Header, sealed: bytes) -> Record:
        said = json.dumps(asdict(header)).encode()
        signature = self._credentials.sign(_signed_part(key, said, sealed))
        raw = b"\n".join((said, base64.b64encode(signature), sealed))
        return Record(header, raw)


def _place(key: str, revision: int) -> str:
    return f"fleet {key} {revision}"


def _signed_part(key: str, said: bytes, sealed: bytes) -> bytes:
    return b"\n".join((b"qrsd fleet record", key.encode(), said, sealed))
