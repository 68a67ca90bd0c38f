"""People are listed, renamed and forgotten while the service runs, and each word is answered."""

from __future__ import annotations

import json
import logging
import re
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
import zmq

from daemon.service.people_commands import MOST_MERGED
from model.errors import GalleryBusy, GalleryNotSwept
from model.gallery import Gallery
from model.people_file import from_json, to_json
from model.template import Person, Template
from tests.daemon.frames import (
    ADA,
    BOB,
)
from tests.daemon.office import NOW, Office, ada


@pytest.fixture
def staffed(office: Office) -> Office:
    office.ask("enroll", person="Ada", beats=5)
    office.wear(12.0)
    assert office.ask("enrolment")["state"] == "done"
    return office


def test_people_are_listed(staffed: Office) -> None:
    ada = {"name": "Ada", "created_utc": NOW, "templates": 1, "grown": 0, "beats": 4}
    people = [ada | {"consent_utc": None, "sittings": [NOW], "drift": None}]
    assert staffed.ask("people") == {"ok": True, "people": people, "sealed": False}


def test_an_export_is_what_import_takes(staffed: Office) -> None:
    answer = staffed.ask("export", person="Ada")
    assert answer.pop("ok") is True
    [person] = from_json(json.dumps(answer), "the answer")
    [kept] = staffed.gallery.people()
    assert (person.name, person.created_utc) == ("Ada", NOW)
    assert person.templates[0].embedding.tolist() == kept.templates[0].embedding.tolist()
    assert staffed.ask("export", person="Zoe")["code"] == "person_unknown"


def test_what_another_device_holds_is_merged_once(staffed: Office, tmp_path: Path) -> None:
    elsewhere = ada(staffed.network.passport.sha256)
    exported = to_json([Person("Ada", NOW, (elsewhere,), NOW), Person("Bob", NOW, (elsewhere,))])
    for _ in range(2):
        assert staffed.ask("merge", **exported) == {"ok": True}

    kept = {person.name: person for person in staffed.gallery.people()}
    assert {name: len(person.templates) for name, person in kept.items()} == {"Ada": 2, "Bob": 1}
    assert kept["Ada"].consent_utc == NOW
    own = staffed.ask("export", person="Ada")
    assert own.pop("ok")
    assert staffed.ask("merge", **own) == {"ok": True}
    assert len(staffed.gallery.people()[0].templates) == 2


def test_what_is_somebody_elses_or_of_another_model_is_not_merged(staffed: Office) -> None:
    def merge(template: Template) -> object:
        return staffed.ask("merge", **to_json([Person(template.person, NOW, (template,))]))["code"]

    there = ada(staffed.network.passport.sha256)
    assert merge(replace(there, embedding=BOB)) == "enrolment_failed"
    assert merge(replace(there, model_sha256="b" * 64)) == "foreign_template"
    assert merge(replace(there, person="ada")) == "person_exists"
    assert merge(replace(there, embedding=2 * ADA)) == "gallery_failed"
    assert len(staffed.gallery.people()[0].templates) == 1


@pytest.mark.parametrize("command", ["forget", "export", "enroll", "rename"])
def test_a_name_without_end_takes_no_time(staffed: Office, command: str) -> None:
    endless = "a" + 64_000 * "\u0301\u0316"  # to sort so many marks took 13 s
    more = {"new_name": "Bob"} if command == "rename" else {}
    began_s = time.monotonic()
    answer = staffed.ask(command, person=endless, **more)
    assert time.monotonic() - began_s < 5.0
    assert answer["code"] in ("person_unknown", "name_invalid")
    assert len(answer["error"]) < 400


def test_many_people_are_merged_at_once_and_too_many_not_at_all(staffed: Office) -> None:
    elsewhere = ada(staffed.network.passport.sha256)
    many = [Person(f"Person {number}", NOW, (elsewhere,)) for number in range(MOST_MERGED // 2)]
    assert staffed.ask("merge", **to_json(many)) == {"ok": True}
    assert len(staffed.gallery.people()) == 1 + len(many)

    templates = [Person("Zoe", NOW, (elsewhere,) * MOST_MERGED)]
    nobody = [Person(f"Zoe {number}", NOW, ()) for number in range(MOST_MERGED + 1)]
    for too_many in (templates, nobody):
        assert staffed.ask("merge", **to_json(too_many))["code"] == "bad_request"
    assert len(staffed.gallery.people()) == 1 + len(many)


def test_of_people_of_whom_one_is_refused_nobody_is_merged(staffed: Office) -> None:
    elsewhere = ada(staffed.network.passport.sha256)
    people = [Person("Bob", NOW, (elsewhere,)), Person("ADA", NOW, (elsewhere,))]
    assert staffed.ask("merge", **to_json(people))["code"] == "person_exists"
    assert [person.name for person in staffed.gallery.people()] == ["Ada"]


def test_consent_is_kept_with_its_time(office: Office) -> None:
    office.ask("enroll", person="Ada", beats=5, consent=True)
    office.wear(12.0)
    [ada] = office.ask("people")["people"]
    assert ada["consent_utc"] == NOW


def test_who_is_forgotten_is_not_remembered_as_the_last_enrolment(staffed: Office) -> None:
    staffed.ask("forget", person="Ada")
    assert staffed.ask("enrolment") == {"ok": True, "state": "none"}


def test_no_name_and_no_waveform_comes_into_the_logs(
    office: Office, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    office.desk.open()
    for person, seconds in (("Zacharias", 12.0), ("Zoe", 1.0)):
        office.ask("enroll", person=person, beats=5)
        office.wear(seconds)
    office.ask("cancel")
    office.network.says = BOB
    office.ask("enroll", person="Zacharias", beats=5)
    office.wear(12.0)  # which fails: it is somebody else
    with Gallery(tmp_path / "gallery.sqlite") as other:
        other.enrol(replace(ada(office.network.passport.sha256), person="Zuse"))
    office.desk.refresh()
    office.ask("rename", person="Zacharias", new_name="Zack")
    office.ask("rename", person="Zoe", new_name="Zed")
    office.ask("forget", person="Zack")
    said = [record.getMessage() for record in caplog.records]
    assert "somebody was enrolled" in said
    assert "an enrolment failed: enrolment_failed" in said
    for line in said:
        assert not re.search(r"Z[a-z]|-?\d\.\d+", line)


def test_a_damaged_name_is_not_logged(
    office: Office, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    office.gallery.enrol(replace(ada(office.network.passport.sha256), person="Zacharias"))
    with closing(sqlite3.connect(tmp_path / "gallery.sqlite", isolation_level=None)) as database:
        database.execute("UPDATE person SET name = CAST(name AS BLOB)")
    office.desk.refresh()
    office.desk.open()
    assert "set aside: person 1: a sealed entry of it was altered" in caplog.text
    assert "Zacharias" not in caplog.text


@pytest.mark.parametrize("table", ["template", "person", "seal"])
def test_a_table_that_is_dropped_under_the_service_is_missed_within_a_second(
    office: Office, tmp_path: Path, caplog: pytest.LogCaptureFixture, table: str
) -> None:
    with closing(sqlite3.connect(tmp_path / "gallery.sqlite", isolation_level=None)) as database:
        database.execute(f"DROP TABLE {table}")
    office.desk.refresh()  # as each second
    assert f"the gallery cannot be read now: {tmp_path}" in caplog.text
    assert f"no such table: {table}" in caplog.text


def test_another_name_is_used_from_the_next_beat_on(staffed: Office) -> None:
    assert staffed.ask("rename", person="Ada", new_name="Ada Lovelace") == {"ok": True}
    identity = staffed.wear(2.0)
    assert identity is not None
    assert identity.person == "Ada Lovelace"


def test_who_is_forgotten_is_unknown_from_the_next_beat_on(staffed: Office) -> None:
    assert staffed.ask("forget", person="Ada") == {"ok": True}
    identity = staffed.wear(2.0)
    assert identity is not None
    assert identity.state == "unknown"
    assert staffed.ask("people") == {"ok": True, "people": [], "sealed": False}


def test_who_is_forgotten_is_not_named_again_though_no_beat_comes(staffed: Office) -> None:
    """Or who subscribes later is told of them, by the last message that there was."""
    staffed.ask("forget", person="Ada")
    identity = staffed.wear(0.1)
    assert identity is not None
    assert identity.person is None


def test_who_is_forgotten_though_traces_may_be_left_is_unknown(
    staffed: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget = staffed.gallery.forget

    def forget_and_complain(person: str) -> NoReturn:
        forget(person)
        raise GalleryNotSwept("it is done, but")

    monkeypatch.setattr(staffed.gallery, "forget", forget_and_complain)
    assert staffed.ask("forget", person="Ada") == {
        "ok": False,
        "error": "it is done, but",
        "code": "gallery_not_swept",
    }
    identity = staffed.wear(2.0)
    assert identity is not None
    assert identity.state == "unknown"


@pytest.mark.parametrize("known", [True, False])
def test_who_is_forgotten_while_being_enrolled_is_not_enrolled_after_it(
    known: bool, office: Office
) -> None:
    if known:
        office.gallery.enrol(ada(office.network.passport.sha256))
    office.ask("enroll", person="Ada", beats=10)
    office.wear(4.0)
    assert office.ask("forget", person="Ada") == {"ok": True}
    assert office.ask("enrolment") == {"ok": True, "state": "none"}
    office.wear(14.0)
    assert office.gallery.people() == []


def test_who_is_renamed_while_being_enrolled_is_enrolled_under_the_new_name(
    staffed: Office,
) -> None:
    staffed.ask("enroll", person="Ada", beats=5)
    staffed.ask("rename", person="Ada", new_name="Ada Lovelace")
    staffed.wear(10.0)
    [person] = staffed.gallery.people()
    assert (person.name, len(person.templates)) == ("Ada Lovelace", 2)


def test_an_old_name_is_not_remembered_as_the_last_enrolment(staffed: Office) -> None:
    staffed.ask("rename", person="Ada", new_name="Ada Lovelace")
    assert staffed.ask("enrolment")["person"] == "Ada Lovelace"
    staffed.ask("forget", person="Ada Lovelace")
    assert staffed.ask("enrolment") == {"ok": True, "state": "none"}


def test_nobody_of_that_name_is_a_refusal(staffed: Office) -> None:
    for command, fields in (("rename", {"new_name": "Cy"}), ("forget", {})):
        answer = staffed.ask(command, person="Bob", **fields)
        assert answer["ok"] is False
        assert "nobody called 'Bob' is enrolled" in answer["error"]


def test_somebody_whom_another_program_forgot_is_forgotten_here(
    staffed: Office, tmp_path: Path
) -> None:
    with Gallery(tmp_path / "gallery.sqlite") as elsewhere:
        elsewhere.forget("Ada")
    staffed.desk.refresh()
    identity = staffed.wear(2.0)
    assert identity is not None
    assert identity.state == "unknown"


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_change_that_could_not_be_read_at_once_is_read_later(
    elsewhere: bool, staffed: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_model_sha256: str, _numbers: int) -> NoReturn:
        raise GalleryBusy("another program is writing to it")

    with monkeypatch.context() as busy:
        busy.setattr(staffed.gallery, "templates", refuse)
        if elsewhere:
            with Gallery(tmp_path / "gallery.sqlite") as gallery:
                gallery.forget("Ada")
            staffed.desk.refresh()
        else:
            assert staffed.ask("forget", person="Ada") == {"ok": True}
    staffed.desk.refresh()
    identity = staffed.wear(2.0)
    assert identity is not None
    assert identity.state == "unknown"


def test_commands_come_over_the_socket(
    office: Office, context: zmq.Context[zmq.Socket[bytes]]
) -> None:
    with context.socket(zmq.REQ) as client:
        client.linger = 0
        client.rcvtimeo = 2000
        client.connect(office.control.address)
        client.send_json({"command": "people"})
        assert office.control.socket.poll(20_000)
        office.control.answer()
        assert client.recv_json() == {"ok": True, "people": [], "sealed": False}


def test_whom_another_program_enrols_is_recognised(office: Office, tmp_path: Path) -> None:
    office.network.says = ADA
    before = office.wear(10.0)
    with Gallery(tmp_path / "gallery.sqlite") as other:
        other.enrol(ada(office.network.passport.sha256))
    office.desk.refresh()
    after = office.wear(2.0)
    assert before is not None
    assert after is not None
    assert (before.state, after.state, after.person) == ("unknown", "accepted", "Ada")


def test_people_of_another_model_are_counted_at_the_start_and_not_named(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.gallery.enrol(ada("0" * 64))
    office.desk.open()
    assert "people who were enrolled with another model only: 1" in caplog.text
    assert "Ada" not in caplog.text
