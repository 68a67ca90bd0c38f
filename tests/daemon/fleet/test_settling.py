"""One device's people and what a made-up server has of them: answers that are lost, old copies."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import nats.errors
import pytest

from config.secret_file import write_private
from daemon.fleet import known, settling
from daemon.fleet.record import HIGHEST_REVISION
from daemon.fleet.settling import Settling
from model.template import Person
from tests.daemon.fleet.made_up_site import Site
from tests.model.galleries import MODEL, template


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    async def nothing(_: Settling) -> None:
        """Let tombstones lie: other devices have not acknowledged them."""

    monkeypatch.setattr(Settling, "_purge", nothing)
    return Site(tmp_path)


def lost_answer(site: Site) -> None:
    site.server.is_mute = True
    with pytest.raises(nats.errors.TimeoutError):
        site.settle()
    site.server.is_mute = False


def forget_before_the_answer(site: Site) -> None:
    lost_answer(site)
    assert site.record("Ada").state == "enrolled"
    del site.service.held["Ada"]

    site.settle()


def test_who_is_forgotten_before_the_server_s_answer_came_stays_forgotten(site: Site) -> None:
    site.enrol("Ada")
    forget_before_the_answer(site)

    assert site.service.held == {}
    assert site.record("Ada").state == "forgotten"


def test_so_does_who_was_forgotten_and_enrolled_before(site: Site) -> None:
    site.enrol("Ada")
    site.settle()
    site.service.forget("Ada")
    site.settle()
    site.enrol("Ada")
    forget_before_the_answer(site)

    assert site.service.held == {}
    assert site.record("Ada").state == "forgotten"


def test_a_name_that_never_reached_the_site_may_be_another_s_later(site: Site) -> None:
    site.enrol("Ada")
    lost_answer(site)
    site.server.records.clear()  # it was the question that was lost
    site.service.forget("Ada")
    site.settle()
    site.enrol("Ada", at=1)
    theirs = site.service.held.pop("Ada")
    site.put(site.others.enrolled(theirs, {MODEL: 2}, 1, 1), "Ada")

    site.settle()

    assert list(site.service.held) == ["Ada"]
    assert site.record("Ada").state == "enrolled"


def test_an_old_copy_of_the_server_s_brings_no_sitting_back_that_was_forgotten(site: Site) -> None:
    site.enrol("Ada")
    site.settle()
    old = dict(site.server.records)
    site.service.forget("Ada")
    site.settle()
    site.enrol("Ada", at=1)
    site.settle()
    anew = site.service.held["Ada"]
    assert site.record("Ada").begun == 3

    site.server.records = old
    site.settle()

    assert site.service.held == {"Ada": anew}
    assert (site.record("Ada").begun, site.record("Ada").revision) == (3, 4)


def test_what_a_server_has_lost_of_somebody_is_written_again(site: Site) -> None:
    site.enrol("Ada")
    site.settle()
    old = dict(site.server.records)
    more = replace(site.service.held["Ada"], templates=(template("Ada", 1, 2, 4),))
    site.service.merge(more)
    site.settle()
    assert site.record("Ada").revision == 2

    site.server.records = old
    site.settle()

    assert site.record("Ada").revision == 3


def test_one_person_whom_the_service_refuses_keeps_nobody_else_out_and_is_not_named(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    names = ("Zacharias", *(f"person {number}" for number in range(8)))
    for name in names:
        site.enrol(name)
        site.put(site.others.enrolled(site.service.held.pop(name), {MODEL: 2}, 1, 1), name)
    site.service.refused = "Zacharias"

    site.settle()

    assert sorted(site.service.held) == sorted(names[1:])
    assert caplog.text.count("the service says foreign_template") == 1
    assert "Zacharias" not in caplog.text


def test_a_conflict_that_the_server_does_not_hear_of_waits_and_is_told_once(site: Site) -> None:
    site.enrol("Ada")
    site.put(site.others.enrolled(site.service.held["Ada"], {MODEL: 2}, 1, 1), "Ada")
    site.enrol("Ada", at=1)
    site.service.refused, site.service.reason = "Ada", "enrolment_failed"
    lost_answer(site)
    site.settle()

    assert [ack.outcome for ack in site.server.done.values()] == ["conflict"]
    waiting, _ = asyncio.run(site.telling._events.oldest())
    assert waiting.event.kind == "conflict"
    assert waiting.event.fields == {"person": site.keys.key_of("Ada"), "enrolled_by": "door-2"}
    site.telling._events.told(waiting, 0)
    assert not site.telling._events._waiting


def test_the_site_keeps_the_consent_that_was_given_first(site: Site) -> None:
    site.enrol("Ada")
    first = site.service.held.pop("Ada")
    site.enrol("Ada", at=1)
    site.put(site.others.enrolled(first, {MODEL: 2}, 1, 1), "Ada")

    site.settle()

    key = site.keys.key_of("Ada")
    kept = site.keys.open(key, site.keys.read(key, site.server.records[key][1]))
    assert len(kept.templates) == 2
    assert kept.consent_utc == first.consent_utc


def test_nobody_waits_for_the_tombstones_of_strangers(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(settling, "LAST_AT_ONCE", 3)
    caplog.set_level(logging.INFO)
    site.enrol("Ada")
    site.settle()
    for name in ("Ada", *(f"Nobody {number}" for number in range(20))):
        site.put(site.others.forgotten(site.keys.key_of(name), 2), name)
    utc = site.now().isoformat()
    bob = Person("Bob", utc, (template("Bob", at=utc),), utc)
    site.put(site.others.enrolled(bob, {MODEL: 2}, 1, 1), "Bob")

    site.settle()  # which goes through everybody twice

    assert {*site.service.held} == {"Bob"}
    assert len(site.known.of("forgotten")) == 1 + 2 * 3
    for _ in range(3):
        site.settle()
    assert len(site.known.of("forgotten")) == 1 + 20
    assert caplog.text.count("somebody is forgotten at the site") == 1


def test_strangers_are_not_taken_on_where_too_many_are_known(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.enrol("Ada")
    site.settle()
    monkeypatch.setattr(known, "MOST_KNOWN", 3)
    for number in range(9):
        name = f"Nobody {number}"
        site.put(site.others.forgotten(site.keys.key_of(name), 1), name)
    site.enrol("Bob")
    site.settle()

    assert len(site.known.of("forgotten")) == 1  # with Ada and Bob as many as may be
    assert site.record("Bob").state == "enrolled"  # who is enrolled here is so at the site
    site.service.forget("Ada")
    site.settle()
    assert site.record("Ada").state == "forgotten"


def test_who_was_erased_before_this_device_came_can_be_enrolled_here(site: Site) -> None:
    site.server.records[site.keys.key_of("Ada")] = (7, b"")
    site.enrol("Ada")
    site.settle()
    assert site.record("Ada").state == "enrolled"


@pytest.mark.parametrize("copy", ["enrolled", "forgotten", "both", "nothing"])
def test_no_old_copy_brings_back_who_is_forgotten_and_erased_everywhere(
    site: Site, copy: str
) -> None:
    site.enrol("Ada")
    site.settle()
    [key] = site.server.records
    olds = {"enrolled": site.server.records[key][1], "forgotten": b"", "nothing": b""}
    for at in (1, 2):
        site.service.forget("Ada")
        site.settle()
        if at == 1:
            olds["forgotten"] = site.server.records[key][1]
            site.enrol("Ada", at=1)
            site.settle()
            olds["both"] = site.server.records[key][1]  # begun after the first tombstone
    site.server.records[key] = (20, b"")
    site.settle()
    before = site.known[key]
    assert before is not None
    assert (before.purged, before.tombstone, before.revision) == (True, "", 4)

    site.server.records = {key: (30, olds[copy])} if olds[copy] else {}
    for _ in range(3):
        site.settle()

    assert site.service.held == {}
    after = site.known[key]
    assert after is not None
    assert after.state == "forgotten"
    assert after.revision >= 4
    if copy in ("enrolled", "both"):
        assert site.record("Ada").state == "forgotten"
    if copy == "forgotten":  # which is erased once all have acknowledged it
        done = site.server.done[key]
        assert (done.outcome, done.revision) == ("forgotten", 2)


def test_the_tombstones_of_strangers_are_written_at_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []

    def write(path: Path, text: str) -> None:
        written.append(path)
        write_private(path, text)

    monkeypatch.setattr(known, "write_private", write)
    for number in range(40):
        name = f"Nobody {number}"
        site.put(site.others.forgotten(site.keys.key_of(name), 2), name)
    site.settle()
    assert len(written) == 1
    assert len(site.known.of("forgotten")) == len(site.server.done) == 40
    for number in range(40):
        name = f"Nobody {number}"
        site.put(site.others.forgotten(site.keys.key_of(name), 3), name)
    site.settle()
    assert len(written) == 2
    assert {ack.revision for ack in site.server.done.values()} == {3}


@pytest.mark.parametrize(
    "lie",
    [
        {"signed_utc": "9999-12-31T23:59:59+00:00"},
        {"signed_utc": "0001-01-01T00:00:00+14:00"},
        {"signed_utc": "some day"},
        {"revision": 10**4300 - 1, "begun": 1},
        {"revision": HIGHEST_REVISION},
    ],
)
def test_a_hostile_device_s_tombstone_ends_nothing(site: Site, lie: dict[str, Any]) -> None:
    """It may be carried out, since any device may forget, or be refused; nothing else happens."""
    site.enrol("Ada")
    site.settle()
    key = site.keys.key_of("Ada")
    honest = site.others.forgotten(key, 9)
    site.put(site.others._signed(key, replace(honest.header, **lie), b""), "Ada")
    site.settle()
    site.enrol("Ada", at=1)
    site.put(site.others.enrolled(site.service.held.pop("Ada"), {MODEL: 2}, 3, 3), "Ada")
    site.settle()
    site.enrol("Bob", at=2)

    site.settle()

    assert site.record("Bob").state == "enrolled"
