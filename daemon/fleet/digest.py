"""What a site is told of a device without asking: a digest each ten seconds, and what happens.

Neither says a name, nor anything from which one could be had: see ``docs/fleet.md``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from config.typed_json import typed, typed_fields
from daemon.apps.scene import Scene
from daemon.wire.client import STALE_S, Item
from daemon.wire.codec import utc_text
from daemon.wire.messages import (
    AlarmMessage,
    ContactState,
    IdentityState,
    Received,
    RhythmName,
    ServiceState,
    Source,
    StatusMessage,
)

LONGEST_DIGEST = 2000  # bytes, of a later qrsd perhaps: today's have 350
LONGEST_PROBLEM = 30  # characters of its codes: a digest has 350 bytes at most

State: TypeAlias = ServiceState | Literal["silent"]
EventKind: TypeAlias = Literal["identity", "service", "problem", "alarm", "model", "conflict"]


@dataclass(frozen=True, slots=True)
class Digest:
    """How a device is."""

    utc: str  # when it was told, by the device's clock, ISO 8601
    version: str  # of qrsd
    state: State  # of the service; ``silent`` if the device hears nothing of it
    source: Source | None  # ``simulated`` if no real chip is behind it; None while silent
    contact: ContactState  # of the electrodes
    heart_rate_bpm: float | None  # None without beats
    quality: float | None  # of the newest beat, 0 to 1; None without beats
    identity: IdentityState | None  # of whoever wears the electrodes, without a name
    rhythm: RhythmName | None  # None where it is not told
    problem: str | None  # codes of what is not as it should be; None if all is well
    lost: int  # samples, since the service started
    model_sha256: str | None  # of the model in use

    def to_bytes(self) -> bytes:
        """Return it as it travels."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Digest:
        """Read one.

        Raises:
            ValueError: it is none.
        """
        if len(content) > LONGEST_DIGEST:
            raise ValueError(f"a digest of {len(content)} bytes")
        values = typed(dict[str, Any], json.loads(content), "digest")
        digest: Digest = typed_fields(cls, values, "digest")
        return digest


def is_silent(scene: Scene) -> bool:
    """Tell whether nothing is heard of the service, so that what it said is not true any more."""
    return scene.status is None or scene.silent_s >= STALE_S


def digest_of(scene: Scene, utc: datetime, version: str) -> Digest:
    """Sum up what is known."""
    said = utc_text(utc, "seconds")
    status = scene.status
    if status is None or scene.stamp is None or is_silent(scene):
        return Digest(said, version, "silent", None, "unknown", *(None,) * 5, 0, None)
    return Digest(
        said,
        version,
        status.state,
        scene.stamp.source,
        status.contact,
        _rounded(status.heart_rate_bpm, 1),
        _rounded(status.quality, 2),
        scene.identity.state if scene.identity else None,
        scene.rhythm.rhythm if scene.rhythm else None,
        ",".join(problems_of(status))[:LONGEST_PROBLEM] or None,
        status.counters.lost,
        status.model.sha256 if status.model else None,
    )


def problems_of(status: StatusMessage) -> list[str]:
    """Return the codes of what is not as it should be."""
    if status.chip is None:
        return []
    conditions = [each.condition for each in status.chip.conditions or ()]
    return [*conditions, *([status.chip.error.error] if status.chip.error else [])]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on a device."""

    kind: EventKind  # last part of its subject
    utc: str  # when, by the device's clock, ISO 8601
    fields: dict[str, Any]  # what else there is to say

    def to_bytes(self, lost: int = 0) -> bytes:
        """Return it as it travels, with how many before it nobody was told of."""
        told = {"utc": self.utc, **self.fields} | ({"lost": lost} if lost else {})
        return json.dumps(told, separators=(",", ":")).encode()


class Happenings:
    """Finds what happens in what is heard.

    Attributes:
        scene: the newest that was heard.
    """

    def __init__(self) -> None:
        self.scene = Scene()
        self._told: dict[EventKind, Any] = {}

    def take(self, item: Item) -> Iterator[Event]:
        """Take in what was heard next, and yield what happened by it."""
        self.scene.take(item)
        utc = datetime.now(UTC)
        if isinstance(item, Received):
            utc = item.stamp.utc
            if isinstance(item.message, AlarmMessage):
                alarm = item.message
                phase = "begins" if alarm.end is None else "ends"
                yield happened("alarm", utc, alarm=alarm.kind, phase=phase, caution=alarm.caution)
        for kind, fields, known in self._states():
            if self._told.get(kind) != known:
                self._told[kind] = known
                yield happened(kind, utc, **fields)

    def _states(self) -> Iterator[tuple[EventKind, dict[str, Any], object]]:
        """Yield what may have changed, as it is told and, with who it is, as it is compared."""
        scene = self.scene
        if is_silent(scene):
            self._told.pop("identity", None)  # it may be another when it is heard again
            if self._told:
                yield "service", {"state": "silent"}, "silent"
            return
        assert scene.status is not None
        yield "service", {"state": scene.status.state}, scene.status.state
        problems = problems_of(scene.status)
        if problems or "problem" in self._told:
            yield "problem", {"problems": problems}, problems
        if scene.identity:
            state = scene.identity.state
            yield "identity", {"state": state}, (state, scene.identity.person)


def happened(kind: EventKind, utc: datetime, **fields: object) -> Event:
    """Return what happened at a time."""
    return Event(kind, utc_text(utc), fields)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
