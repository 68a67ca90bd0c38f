"""What is sent comes back, the schema agrees, and rubbish is refused by one error."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from daemon.wire.codec import decode, encode
from daemon.wire.errors import MessageError
from daemon.wire.messages import (
    KINDS,
    AlarmMessage,
    BeatKindMessage,
    BeatMessage,
    Breathing,
    EcgMessage,
    EpisodeOnWire,
    HrvMessage,
    IdentityMessage,
    Message,
    Received,
    RhythmMessage,
    RPeakMessage,
    Stamp,
    StatusMessage,
    WaveFlags,
    WaveMessage,
)
from daemon.wire.status import (
    ChipCondition,
    ChipStatus,
    EnrolmentStatus,
    ModelStatus,
    Scheduling,
    StatusCounters,
)

STAMP = Stamp(
    device="bench",
    boot="1d3c8f0a-6f0e-4a59-9d3e-2a4f3a6f8f11",
    sequence=7,
    utc=datetime(2026, 3, 1, 12, 30, 15, 250, tzinfo=UTC),
    source="simulated",
)
STATUS = StatusMessage(
    index=15000,
    state="running",
    contact="on",
    heart_rate_bpm=61.5,
    quality=0.98,
    playing="heart 1",
    counters=StatusCounters(frames=15000, lost=2, rate_hz=249.9),
    chip=ChipStatus("ADS1292R", 250.0, (3, 6), conditions=(ChipCondition("late_reads", "Late."),)),
    model=ModelStatus("whose-heart", "embedder", "0" * 64, "tflite", people_sealed=True),
    scheduling=Scheduling("SCHED_FIFO", 3, memory_locked=True),
    enrolment=EnrolmentStatus("Ada", 4, 20),
    clock_offset_s=-0.0003,
    clock="set",
)
IDENTITY = IdentityMessage(15000, "accepted", "Ada", 0.97, 9)
ECG = EcgMessage(14975, 250.0, (0.0, 0.5, -1.25))
FLAGS = WaveFlags(((14975, 14976),), ((), ((14976, 14977),)), ((14970, 14975),))
WAVE = WaveMessage(14975, 250.0, (9.6e-5, 4.8e-5), ("respiration", "ecg"), FLAGS, ((1, -2), (3, 4)))
BREATHING = Breathing(14.2, 0.91)
HRV = HrvMessage(
    *(75000, 299.6, 301, 0.01, None, 995.3, 48.1, 35.2, 35.3, 14.1, 52.0),
    *(812.5, 420.0, 1.93, 65.9, 34.1, 24.9, 63.3, BREATHING, BREATHING, BREATHING),
    Breathing(None, None),
)
EXAMPLES: list[Message] = [
    STATUS,
    StatusMessage(
        None,
        "starting",
        "unknown",
        None,
        None,
        None,
        StatusCounters(),
        None,
        None,
        None,
        None,
        None,
        "set",
    ),
    IDENTITY,
    IdentityMessage(3, "no_contact", None, None, 0),
    IdentityMessage(15000, "unknown", None, 0.97, 9, "electrodes_swapped"),
    RPeakMessage(14900, 1.1, None, False),
    BeatMessage(15004, 14900, 0.98, 61.2, 0.4, ("noisy", "flat")),
    HRV,
    BeatKindMessage(15300, 14900, "V", 0.97),
    BeatKindMessage(15300, 15100, "Q", None),
    RhythmMessage(15300, "bigeminy", 61.5, 0.02, (EpisodeOnWire("bigeminy", 14500, None),)),
    RhythmMessage(15300, "unknown", None, None, ()),
    AlarmMessage(15300, "pause", 14900, 15500, (13650, 15301), "no medical device"),
    WAVE,
    ECG,
]
examples = pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: message.TOPIC)


def header_of(message: Message) -> dict[str, object]:
    header = json.loads(encode(STAMP, message)[1])
    assert isinstance(header, dict)
    return header


@examples
def test_what_is_sent_comes_back(message: Message) -> None:
    assert decode(encode(STAMP, message)) == Received(STAMP, message)


def test_every_topic_has_an_example() -> None:
    assert {message.TOPIC for message in EXAMPLES} == set(KINDS)


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_the_ecg_is_little_endian_float32_as_numpy_reads_it(ecg_mv: list[float]) -> None:
    payload = encode(STAMP, EcgMessage(0, 250.0, tuple(ecg_mv)))[2]
    assert np.frombuffer(payload, "<f4").tolist() == ecg_mv


@given(st.lists(st.tuples(*[st.integers(-(2**23), 2**23 - 1)] * 2)))
def test_the_wave_is_little_endian_int32_as_numpy_reads_it(counts: list[tuple[int, int]]) -> None:
    payload = encode(STAMP, replace(WAVE, counts=tuple(counts)))[2]
    assert np.frombuffer(payload, "<i4").reshape(-1, 2).tolist() == [list(c) for c in counts]


def test_the_time_is_utc_with_microseconds_and_a_z() -> None:
    assert header_of(IDENTITY)["utc"] == "2026-03-01T12:30:15.000250Z"


@given(st.lists(st.binary(max_size=60), max_size=4))
def test_random_frames_give_a_message_error(frames: list[bytes]) -> None:
    with pytest.raises(MessageError):
        decode(frames)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@given(st.sampled_from(EXAMPLES), st.data())
def test_a_field_of_any_other_value_is_read_or_refused_never_more(
    message: Message, data: st.DataObject
) -> None:
    topic, _, *payload = encode(STAMP, message)
    header = header_of(message)
    header[data.draw(st.sampled_from(sorted(header)))] = data.draw(json_values)
    with suppress(MessageError):
        decode([topic, json.dumps(header).encode(), *payload])


@examples
def test_a_missing_field_is_named(message: Message) -> None:
    topic, _, *payload = encode(STAMP, message)
    for name in header_of(message).keys() - {"hint", "age_s"}:  # which may be left out
        header = {key: value for key, value in header_of(message).items() if key != name}
        with pytest.raises(MessageError, match=name):
            decode([topic, json.dumps(header).encode(), *payload])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"schema": 2}, "schema 2 is not 1"),
        ({"state": 3}, "3 is not one of accepted, unknown"),
        ({"beats": True}, "True is not int"),
        ({"beats": 1.5}, "1.5 is not int"),
        ({"confidence": "high"}, "'high' is not a number"),
        ({"confidence": 10**400}, "too large"),
        ({"utc": "2026-03-01T12:30:15"}, "ends in Z"),
        ({"utc": 7}, "7 is not an ISO 8601 time"),
        ({"source": "guessed"}, "not one of ads1292r, simulated"),
    ],
)
def test_a_bad_field_is_named(change: dict[str, object], complaint: str) -> None:
    header = header_of(IDENTITY) | change
    with pytest.raises(MessageError, match=complaint):
        decode([b"identity", json.dumps(header).encode()])


@pytest.mark.parametrize("header", [b"[" * 100_000, b'{"schema":NaN}', b"\xff", b"7", b""])
def test_json_that_only_hurts_is_refused(header: bytes) -> None:
    with pytest.raises(MessageError, match="no status message"):
        decode([b"status", header])


def test_a_field_of_a_later_version_is_left_alone() -> None:
    header = header_of(IDENTITY) | {"mood": "good"}
    assert decode([b"identity", json.dumps(header).encode()]).message == IDENTITY


def test_a_state_of_a_later_version_names_nobody() -> None:
    later = header_of(IDENTITY) | {"state": "asleep", "hint": "snores"}
    nobody = replace(IDENTITY, state="undecided", person=None, confidence=None, hint=None)
    assert decode([b"identity", json.dumps(later).encode()]).message == nobody


def test_a_status_of_a_later_version_promises_nothing() -> None:
    later = header_of(STATUS) | {"state": "dozing", "contact": "loose"}
    cautious = replace(STATUS, state="recovering", contact="unknown")
    assert decode([b"status", json.dumps(later).encode()]).message == cautious


def test_samples_that_were_cut_short_are_refused() -> None:
    topic, header, payload = encode(STAMP, ECG)
    with pytest.raises(MessageError, match="11 bytes of samples instead of 3 x 4"):
        decode([topic, header, payload[:-1]])


SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "messages.schema.json").read_text())


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@examples
def test_the_schema_accepts_what_is_sent(message: Message) -> None:
    Draft202012Validator(SCHEMA | {"$ref": f"#/$defs/{message.TOPIC}"}).validate(header_of(message))


@examples
def test_the_schema_describes_every_field(message: Message) -> None:
    definitions = SCHEMA["$defs"]
    described = definitions["common"]["properties"] | definitions[message.TOPIC]["properties"]
    assert set(described) == set(header_of(message))


@examples
def test_the_schema_misses_every_field_that_is_left_out(message: Message) -> None:
    validator = Draft202012Validator(SCHEMA | {"$ref": f"#/$defs/{message.TOPIC}"})
    for name in header_of(message).keys() - {"hint", "age_s"}:  # which may be left out
        header = {key: value for key, value in header_of(message).items() if key != name}
        assert not validator.is_valid(header), name
