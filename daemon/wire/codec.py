"""The bytes that carry a message.

frame 1    the topic, such as beat
frame 2    the header: a JSON object in UTF-8
frame 3    wave and ecg only: the samples, little-endian int32 or float32
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, NoReturn, get_args

from config.typed_json import typed, typed_fields
from daemon.wire.errors import MessageError
from daemon.wire.messages import (
    KINDS,
    SCHEMA,
    BeatKindMessage,
    ContactState,
    Hint,
    HrvMessage,
    HrvReason,
    IdentityMessage,
    IdentityState,
    Kind,
    Message,
    Received,
    RhythmMessage,
    RhythmName,
    ServiceState,
    Stamp,
    StatusMessage,
)
from daemon.wire.status import StatusCounters

#: What a client takes a word for that a later version of qrsd has added: by kind, the field, the
#: words that there are now, and what stands for all others.
LATER_WORDS: dict[type[Message], tuple[tuple[str, Any, dict[str, Any]], ...]] = {
    StatusMessage: (
        ("state", ServiceState, {"state": "recovering"}),
        ("contact", ContactState, {"contact": "unknown"}),
    ),
    IdentityMessage: (
        ("state", IdentityState, {"state": "undecided", "person": None, "confidence": None}),
        ("hint", Hint, {"hint": None}),
    ),
    HrvMessage: (("reason", HrvReason, {"reason": None}),),
    BeatKindMessage: (("kind", Kind, {"kind": "Q", "abnormal": None}),),
    RhythmMessage: (("rhythm", RhythmName, {"rhythm": "unknown"}),),
}


def encode(stamp: Stamp, message: Message) -> list[bytes]:
    """Return the frames of a message: topic, JSON header and, for waveforms, the samples."""
    header = {"schema": SCHEMA, **_plain(stamp), **_plain(message)}
    header["utc"] = utc_text(stamp.utc, "microseconds")
    third = []
    if payload := _payload_of(type(message)):
        name, layout = payload
        samples = header.pop(name)
        header["count"] = len(samples)
        third = [_pack(layout, samples)]
    return [message.TOPIC.encode(), _ENCODER.encode(header).encode(), *third]


def utc_text(moment: datetime, timespec: str = "milliseconds") -> str:
    """Return a time as messages have it: ISO 8601 in UTC, which ends in Z."""
    return moment.astimezone(UTC).isoformat(timespec=timespec)[:-6] + "Z"


def decode(frames: Sequence[bytes]) -> Received:
    """Read the frames of a message.

    Raises:
        MessageError: they are none; the message says what is wrong with them.
    """
    if len(frames) < 2:
        raise MessageError(
            f"A message has a topic and a header, this one has {len(frames)} frames."
        )
    topic = bytes(frames[0]).decode("ascii", "replace")
    kind = KINDS.get(topic)
    if kind is None:
        raise MessageError(f"{topic!r:.40} is not one of the topics {', '.join(KINDS)}.")
    try:
        return _decode(kind, frames)
    except (ValueError, RecursionError) as error:  # a deeply nested header exhausts the stack
        raise MessageError(f"This is no {topic} message: {error}") from error


def _decode(kind: type[Message], frames: Sequence[bytes]) -> Received:
    header = typed(dict[str, Any], json.loads(frames[1], parse_constant=_refuse), "header")
    if header.get("schema") != SCHEMA:
        other = f"{header.get('schema')!r:.40}"
        raise ValueError(f"schema {other} is not {SCHEMA}: another version of qrsd speaks there")
    for name, words, instead in LATER_WORDS.get(kind, ()):
        if isinstance(header.get(name), str) and header[name] not in get_args(words):
            header |= instead
    stamp = typed_fields(Stamp, header | {"utc": _utc(header.get("utc"))}, kind.TOPIC, ("utc",))
    payload = _payload_of(kind)
    if len(frames) != (2 if payload is None else 3):
        raise ValueError(f"{len(frames)} frames")
    if payload is None:
        return Received(stamp, typed_fields(kind, header, kind.TOPIC))
    name, layout = payload
    header[name] = _unpack(layout, frames[2], typed(int, header.get("count"), "count"))
    return Received(stamp, typed_fields(kind, header, kind.TOPIC, (name,)))


def _payload_of(kind: type[Message]) -> tuple[str, str] | None:
    """Return name and ``struct`` layout of the field that travels as the third frame."""
    last = fields(kind)[-1]
    return (last.name, last.metadata["payload"]) if last.metadata else None


def _pack(layout: str, samples: Sequence[Any]) -> bytes:
    number = layout[-1]
    if layout == f"<{number}":
        return struct.pack(f"<{len(samples)}{number}", *samples)
    return b"".join(struct.pack(layout, *sample) for sample in samples)


def _unpack(layout: str, payload: bytes, count: int) -> tuple[Any, ...]:
    item = struct.Struct(layout)
    if len(payload) != count * item.size:
        raise ValueError(f"{len(payload)} bytes of samples instead of {count} x {item.size}")
    samples = item.iter_unpack(payload)
    return tuple(sample[0] for sample in samples) if item.size == 4 else tuple(samples)


def _plain(part: Any) -> dict[str, Any]:
    """Return a part of a header; a count that is not known is left out, since it is no number."""
    values = {name: getattr(part, name) for name in part.__match_args__}
    if isinstance(part, StatusCounters):
        return {name: value for name, value in values.items() if value is not None}
    return values


_ENCODER = json.JSONEncoder(default=_plain, allow_nan=False, separators=(",", ":"))


def _utc(text: object) -> datetime:
    if not (isinstance(text, str) and text.endswith("Z")):
        raise ValueError(f"utc: {text!r:.40} is not an ISO 8601 time that ends in Z")
    return datetime.fromisoformat(text)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")
