"""What a site is told of a device: no name, few bytes, and nothing that is not true any more."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from daemon.fleet.digest import Digest, Event, Happenings, digest_of
from daemon.fleet.telling import nameless, packed
from daemon.wire.client import Item, Restarted, Silent
from daemon.wire.codec import decode
from daemon.wire.messages import IdentityMessage, Received, StatusMessage
from daemon.wire.status import ChipCondition, ChipStatus, EnrolmentStatus, Failure, ModelStatus
from tests.daemon.apps.made_up_service import BEGIN, Service

CHIP = ChipStatus(part="ADS1292R", conditions=(ChipCondition("supply_low", "The supply is low."),))


#: which would be shown by every device
ENDLESS = (
    b'{"utc":"2026-11-28T10:00:00Z","version":"'
    + b"1" * 1_000_000
    + b'","state":"silent","source":null,"contact":"unknown","heart_rate_bpm":null,"quality":null,'
    b'"identity":null,"rhythm":null,"problem":null,"lost":0,"model_sha256":null}'
)


def full_status(service: Service) -> Item:
    status = service.status(chip=CHIP)
    assert isinstance(status, Received)
    assert isinstance(status.message, StatusMessage)
    counters = replace(status.message.counters, lost=12)
    model = ModelStatus("closed form", "embedder", "ab" * 32, "tflite_runtime", people_sealed=True)
    message = replace(
        status.message,
        heart_rate_bpm=61.234,
        quality=0.98765,
        counters=counters,
        model=model,
        playing="Zacharias/rec_1",
        enrolment=EnrolmentStatus("Zacharias", 3, 20),
    )
    return replace(status, message=message)


def heard(*items: Item) -> tuple[Happenings, list[Event]]:
    happenings = Happenings()
    return happenings, [event for item in items for event in happenings.take(item)]


def told(events: list[Event]) -> list[tuple[str, Any]]:
    return [(event.kind, next(iter(event.fields.values()))) for event in events]


def test_a_digest_says_how_a_device_is_and_no_name() -> None:
    service = Service()
    happenings, _ = heard(full_status(service), service.accepts("Zacharias"), service.rhythm())

    content = digest_of(happenings.scene, BEGIN, "1.2.3").to_bytes()

    assert b"Zacharias" not in content
    assert json.loads(content) == {
        "utc": "2026-11-28T10:00:00Z",
        "version": "1.2.3",
        "state": "running",
        "source": "simulated",
        "contact": "on",
        "heart_rate_bpm": 61.2,
        "quality": 0.99,
        "identity": "accepted",
        "rhythm": "sinus",
        "problem": "supply_low",
        "lost": 12,
        "model_sha256": "ab" * 32,
    }
    assert Digest.from_bytes(content).to_bytes() == content


def test_the_longest_digest_takes_35_bytes_a_second() -> None:
    longest = Digest(
        *("2026-11-28T10:00:00Z", "10.10.10", "recovering", "simulated", "unknown", 288.8, 0.98),
        *("no_contact", "atrial_fibrillation", "x" * 30, 10**9, "ab" * 32),
    )

    assert len(longest.to_bytes()) <= 350


@pytest.mark.parametrize("silence", [Silent(3.0), Restarted("b")])
def test_what_was_heard_before_a_silence_is_not_told_as_what_is(silence: Item) -> None:
    service = Service()
    happenings, _ = heard(full_status(service), service.accepts("Ada"), silence)

    digest = digest_of(happenings.scene, BEGIN, "1")

    assert digest == Digest("2026-11-28T10:00:00Z", "1", "silent", None, "unknown",
                            None, None, None, None, None, 0, None)  # fmt: skip


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b'{"utc": 1}', b"\xff", b"[" * 100_000, ENDLESS]
)
def test_what_is_no_digest_is_refused(content: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        Digest.from_bytes(content)


def test_events_are_what_changes() -> None:
    service = Service()
    _, events = heard(
        service.status(),
        service.status(),
        service.identity("undecided"),
        service.accepts("Ada"),
        service.accepts("Ada"),
        service.accepts("Ben"),
        service.status(chip=CHIP),
        service.status(chip=ChipStatus(error=Failure("chip_lost", "It is gone."))),
        service.status(),
        service.alarm("pause", 100),
        service.alarm("pause", 100, 600),
        Silent(1.0),
        Silent(3.0),
        Silent(4.0),
        service.status(),
        service.accepts("Ben"),
    )

    assert told(events) == [
        ("service", "running"),
        ("identity", "undecided"),
        ("identity", "accepted"),
        ("identity", "accepted"),  # somebody else
        ("problem", ["supply_low"]),
        ("problem", ["chip_lost"]),
        ("problem", []),
        ("alarm", "pause"),
        ("alarm", "pause"),
        ("service", "silent"),
        ("service", "running"),
        ("identity", "accepted"),
    ]
    assert [event.fields.get("phase") for event in events if event.kind == "alarm"] == [
        *("begins", "ends")
    ]
    assert all(
        b"Ada" not in event.to_bytes() and b"Ben" not in event.to_bytes() for event in events
    )
    assert all("caution" in event.fields for event in events if event.kind == "alarm")


def test_an_event_happened_when_its_message_says() -> None:
    service = Service()
    service.index = 500

    _, [event] = heard(service.status())

    assert json.loads(event.to_bytes(lost=3)) == {
        "utc": (BEGIN + timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "state": "running",
        "lost": 3,
    }


def test_live_messages_lose_their_names_and_nothing_else() -> None:
    service = Service()
    status, identity, waves = (
        full_status(service),
        service.accepts("Zacharias"),
        [*service.waves(0.1)],
    )
    for item in (status, identity, *waves):
        assert isinstance(item, Received)

        sent = packed(nameless(item))
        back = decode(sent.split(b"\n", 2))

        assert b"Zacharias" not in sent
        if isinstance(item.message, IdentityMessage):
            assert back.message == replace(item.message, person=None)
        elif isinstance(item.message, StatusMessage):
            assert back.message == replace(item.message, playing=None, enrolment=None)
        else:
            assert back == item
