"""Somebody is enrolled while the service runs, or is told why not."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
import zmq

from model.gallery import Gallery
from tests.daemon.frames import (
    ADA,
    BOB,
    ELECTRODE_OFF,
    STATUS,
)
from tests.daemon.office import NOW, Office, ada, open_office
from tests.model.models import classifier, embedder


def test_somebody_is_enrolled_and_recognised_at_once(office: Office) -> None:
    assert office.ask("enroll", person="Ada", beats=10) == {
        "ok": True,
        "state": "gathering",
        "person": "Ada",
        "beats": 0,
        "needed": 10,
    }
    before = office.wear(6.0)
    assert before is not None
    assert before.state == "unknown"
    gathering = office.ask("enrolment")
    assert gathering["state"] == "gathering"
    assert 0 < gathering["beats"] < 10
    after = office.wear(10.0)
    assert after is not None
    assert (after.state, after.person) == ("accepted", "Ada")
    assert office.ask("enrolment") == {
        "ok": True,
        "state": "done",
        "person": "Ada",
        "beats": 10,
        "needed": 10,
    }
    [ada] = office.gallery.people()
    [template] = ada.templates
    assert (template.created_utc, template.source) == (NOW, "simulated")


def test_without_a_number_twenty_beats_are_gathered(office: Office) -> None:
    assert office.ask("enroll", person="Ada")["needed"] == 20


def test_beats_that_disagree_enrol_nobody_and_the_reason_is_told(office: Office) -> None:
    office.ask("enroll", person="Ada", beats=12)
    for says in (ADA, BOB) * 6:  # never long enough to tell a change of heart
        office.network.says = says
        office.wear(1.6)
    outcome = office.ask("enrolment")
    assert outcome["state"] == "failed"
    assert outcome["person"] == "Ada"
    assert "as if two people had worn the electrodes" in outcome["error"]
    assert office.gallery.people() == []
    assert office.ask("enroll", person="Ada")["ok"]  # another try


def test_a_beat_played_over_and_over_enrols_nobody(
    tmp_path: Path, context: zmq.Context[zmq.Socket[bytes]], caplog: pytest.LogCaptureFixture
) -> None:
    """It is told at once, and not after all the beats."""
    office = open_office(embedder(tmp_path), tmp_path, context, "refuse")
    office.ask("enroll", person="Ada")
    office.wear(10.0)
    outcome = office.ask("enrolment")
    assert outcome["state"] == "failed"
    assert "seems to be played, and no living heart's (too clean for a heart)" in outcome["error"]
    office.wear(20.0)
    assert office.gallery.people() == []
    assert "an enrolment failed: enrolment_suspect" in caplog.text
    office.wear(1.0, status=STATUS | ELECTRODE_OFF)
    office.ask("enroll", person="Ada", beats=5)
    assert office.ask("enrolment")["state"] == "gathering"  # the electrodes are put on anew
    office.close()


@pytest.mark.parametrize("on_suspicion", ["warn", "ignore"])
def test_a_pacemakers_wearer_is_enrolled_where_that_is_set(
    tmp_path: Path,
    context: zmq.Context[zmq.Socket[bytes]],
    on_suspicion: Literal["warn", "ignore"],
) -> None:
    office = open_office(embedder(tmp_path), tmp_path, context, on_suspicion)
    office.ask("enroll", person="Ada")
    office.wear(30.0)
    assert office.ask("enrolment")["state"] == "done"
    office.close()


def test_somebody_else_does_not_enrol_under_a_name_that_is_taken(office: Office) -> None:
    office.network.says = ADA
    office.ask("enroll", person="Ada", beats=10)
    office.wear(14.0)
    office.network.says = BOB
    office.ask("enroll", person="Ada", beats=10)
    office.wear(14.0)
    outcome = office.ask("enrolment")
    assert outcome["state"] == "failed"
    assert "the beats are likelier somebody else's" in outcome["error"]
    assert [len(person.templates) for person in office.gallery.people()] == [1]
    office.network.says = ADA
    office.ask("enroll", person="Ada", beats=10)
    office.wear(14.0)
    assert office.ask("enrolment")["state"] == "done"
    assert [len(person.templates) for person in office.gallery.people()] == [2]


def test_names_that_look_alike_are_refused_before_anybody_sits_still(office: Office) -> None:
    office.gallery.enrol(ada(office.network.passport.sha256))
    answer = office.ask("enroll", person="ada")
    assert answer["error"].startswith("somebody called 'Ada', which 'ada' looks like")
    assert office.ask("enrolment")["state"] == "none"
    assert not office.ask("enroll", person="A\u200bda")["ok"]


def test_nobody_is_renamed_on_to_somebody_who_is_being_enrolled(office: Office) -> None:
    office.gallery.enrol(ada(office.network.passport.sha256))
    office.ask("enroll", person="Bob", beats=5)
    for taken in ("Bob", "bob"):
        answer = office.ask("rename", person="Ada", new_name=taken)
        assert answer["error"].startswith("'Bob' is being enrolled: take another name")
    assert [person.name for person in office.gallery.people()] == ["Ada"]


def test_an_enrolment_waits_for_electrodes_that_came_off(office: Office) -> None:
    office.ask("enroll", person="Ada", beats=10)
    office.wear(6.0)
    office.wear(1.0, status=STATUS | ELECTRODE_OFF)
    assert office.ask("enrolment")["beats"] == 0
    office.wear(16.0)
    assert office.ask("enrolment")["state"] == "done"


def test_nobody_sits_still_for_a_gallery_that_was_sealed_meanwhile(
    office: Office, tmp_path: Path
) -> None:
    with Gallery(tmp_path / "gallery.sqlite") as other:
        other.seal(bytes(32))
    answer = office.ask("enroll", person="Ada")
    assert answer["ok"] is False
    assert answer["error"].endswith("restart: sudo systemctl restart qrsd")
    assert office.ask("enrolment") == {"ok": True, "state": "none"}


def test_only_one_is_enrolled_at_a_time(office: Office) -> None:
    office.ask("enroll", person="Ada")
    assert office.ask("enroll", person="Bob") == {
        "ok": False,
        "error": "'Ada' is being enrolled: wait for it, or cancel.",
        "code": "busy",
    }
    assert office.ask("enrolment")["person"] == "Ada"


def test_an_enrolment_can_be_given_up(office: Office) -> None:
    office.ask("enroll", person="Ada", beats=5)
    assert office.ask("cancel") == {"ok": True}
    assert office.ask("enrolment") == {"ok": True, "state": "none"}
    office.wear(15.0)
    assert office.gallery.people() == []
    assert office.ask("cancel") == {
        "ok": False,
        "error": "Nobody is being enrolled.",
        "code": "no_enrolment",
    }


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"person": ""}, "is not a name"),
        ({"person": "A\nB"}, "is not a name"),
        ({"person": "Ada", "beats": 4}, "4 beats is not between 5 and 1000"),
        ({"person": "Ada", "beats": 1001}, "1001 beats is not between 5 and 1000"),
        ({"person": "Ada", "beats": "many"}, "enroll.beats: 'many' is not int."),
        ({}, "enroll: person is missing."),
    ],
)
def test_what_cannot_be_enrolled_is_refused(
    office: Office, fields: dict[str, object], reason: str
) -> None:
    answer = office.ask("enroll", **fields)
    assert answer["ok"] is False
    assert reason in answer["error"]
    assert office.pipeline.recogniser.enrolment is None


def test_a_classifiers_group_cannot_be_added_to(
    tmp_path: Path, context: zmq.Context[zmq.Socket[bytes]]
) -> None:
    office = open_office(classifier(tmp_path), tmp_path, context)
    answer = office.ask("enroll", person="Dan")
    assert answer["ok"] is False
    assert "knows only the group it was trained on" in answer["error"]
    office.close()
