"""People are enrolled, renamed and forgotten while the service runs, and each word is answered."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import zmq
from numpy.typing import NDArray

from daemon.control import ControlServer
from daemon.front_desk import FrontDesk
from daemon.messages import IdentityMessage
from daemon.pipeline import Pipeline
from dsp.front_end import FrontEndOptions
from dsp.liveness import LivenessOptions
from model.errors import GalleryBusy
from model.fittings import SITTING_BEATS
from model.gallery import Gallery
from model.identifier import IdentifierOptions
from model.passport import Calibration
from model.scores import unit
from model.template import Template
from tests.daemon.frames import (
    ADA,
    BOB,
    ELECTRODE_OFF,
    RATE_HZ,
    SETUP,
    STATUS,
    FakeNetwork,
    beating,
    fake_network,
)
from tests.model.models import AXES, GOOD, classifier, embedder

NOW = "2026-03-01T12:00:00+00:00"


@dataclass
class Office:
    """A front desk with all that it needs, spoken to as clients do."""

    network: FakeNetwork
    gallery: Gallery
    pipeline: Pipeline
    desk: FrontDesk
    control: ControlServer
    index: int = 0

    def ask(self, command: str, **fields: object) -> dict[str, Any]:
        answer = json.loads(self.control.reply(json.dumps({"command": command, **fields}).encode()))
        assert isinstance(answer, dict)
        return answer

    def close(self) -> None:
        self.control.close()
        self.gallery.close()

    def wear(self, seconds: float, status: int = STATUS) -> IdentityMessage | None:
        """Have the heart beat that the network hears, and return the last decision."""
        identity = None
        for frame in beating(seconds, first=self.index, status=status):
            for message in self.pipeline.push(frame):
                if isinstance(message, IdentityMessage):
                    identity = message
            self.desk.attend()
        self.index += round(seconds * RATE_HZ)
        return identity


def open_office(model: Path, folder: Path, context: zmq.Context[zmq.Socket[bytes]]) -> Office:
    network = fake_network(model)
    gallery = Gallery(folder / "gallery.sqlite")
    templates = gallery.templates(network.passport.sha256)
    pipeline = Pipeline(
        network.as_network(),
        templates,
        FrontEndOptions(),
        IdentifierOptions(),
        LivenessOptions("ignore"),
    )
    pipeline.use_setup(SETUP)
    desk = FrontDesk(gallery, network.passport, pipeline, "simulated", lambda: NOW)
    control = ControlServer(context, f"ipc://{folder}/control.ipc", desk.commands)
    return Office(network, gallery, pipeline, desk, control)


@pytest.fixture
def context() -> Iterator[zmq.Context[zmq.Socket[bytes]]]:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    yield context
    context.destroy(linger=0)


@pytest.fixture
def office(tmp_path: Path, context: zmq.Context[zmq.Socket[bytes]]) -> Iterator[Office]:
    office = open_office(embedder(tmp_path), tmp_path, context)
    yield office
    office.close()


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
    office.network.says = ADA
    office.wear(8.0)
    office.network.says = BOB
    office.wear(12.0)
    outcome = office.ask("enrolment")
    assert outcome["state"] == "failed"
    assert outcome["person"] == "Ada"
    assert "as if two people had worn the electrodes" in outcome["error"]
    assert office.gallery.people() == []
    assert office.ask("enroll", person="Ada")["ok"]  # another try


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
    }
    assert office.ask("enrolment")["person"] == "Ada"


def test_an_enrolment_can_be_given_up(office: Office) -> None:
    office.ask("enroll", person="Ada", beats=5)
    assert office.ask("cancel") == {"ok": True}
    assert office.ask("enrolment") == {"ok": True, "state": "none"}
    office.wear(15.0)
    assert office.gallery.people() == []
    assert office.ask("cancel") == {"ok": False, "error": "Nobody is being enrolled."}


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
    assert office.pipeline.enrolment is None


def test_a_classifiers_group_cannot_be_added_to(
    tmp_path: Path, context: zmq.Context[zmq.Socket[bytes]]
) -> None:
    office = open_office(classifier(tmp_path), tmp_path, context)
    answer = office.ask("enroll", person="Dan")
    assert answer["ok"] is False
    assert "knows only the group it was trained on" in answer["error"]
    office.close()


@pytest.fixture
def staffed(office: Office) -> Office:
    office.ask("enroll", person="Ada", beats=5)
    office.wear(12.0)
    assert office.ask("enrolment")["state"] == "done"
    return office


def test_people_are_listed(staffed: Office) -> None:
    ada = {"name": "Ada", "created_utc": NOW, "templates": 1, "grown": 0, "beats": 4}
    people = [ada | {"consent_utc": None}]
    assert staffed.ask("people") == {"ok": True, "people": people, "sealed": False}


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
    office.ask("enroll", person="Zoe", beats=12)
    office.wear(6.0)
    office.network.says = BOB
    office.wear(12.0)  # which fails
    with Gallery(tmp_path / "gallery.sqlite") as other:
        other.enrol(replace(ada(office.network.passport.sha256), person="Zuse"))
    office.desk.look_around()
    office.ask("rename", person="Zacharias", new_name="Zack")
    office.ask("rename", person="Zoe", new_name="Zed")
    office.ask("forget", person="Zack")
    said = [record.getMessage() for record in caplog.records]
    assert "somebody was enrolled" in said
    assert "an enrolment failed: EnrolmentFailed" in said
    for line in said:
        assert not re.search(r"Z[a-z]|-?\d\.\d+", line)


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
    staffed.desk.look_around()
    identity = staffed.wear(2.0)
    assert identity is not None
    assert identity.state == "unknown"


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_change_that_could_not_be_read_at_once_is_read_later(
    elsewhere: bool, staffed: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_model_sha256: str) -> NoReturn:
        raise GalleryBusy("another program is writing to it")

    with monkeypatch.context() as busy:
        busy.setattr(staffed.gallery, "templates", refuse)
        if elsewhere:
            with Gallery(tmp_path / "gallery.sqlite") as gallery:
                gallery.forget("Ada")
            staffed.desk.look_around()
        else:
            assert staffed.ask("forget", person="Ada") == {"ok": True}
    staffed.desk.look_around()
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
        assert office.control.socket.poll(2000)
        office.control.answer()
        assert client.recv_json() == {"ok": True, "people": [], "sealed": False}


def ada(model_sha256: str) -> Template:
    return Template("Ada", ADA, 16, NOW, model_sha256, "recording")


def test_whom_another_program_enrols_is_recognised(office: Office, tmp_path: Path) -> None:
    office.network.says = ADA
    before = office.wear(10.0)
    with Gallery(tmp_path / "gallery.sqlite") as other:
        other.enrol(ada(office.network.passport.sha256))
    office.desk.look_around()
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


# Growing templates

STEEP = Calibration(0.01, thresholds=(1.0,), slopes=(10.0,), intercepts=(-10.0,))
NEW_FITTING = unit(ADA + np.float32(0.3) * AXES[2])


def growing(office: Office, most: int) -> FrontDesk:
    """Have a desk in the office that grows so many templates of Ada, who is enrolled."""
    passport = replace(office.network.passport, calibration=STEEP)
    office.desk = FrontDesk(
        office.gallery, passport, office.pipeline, "simulated", lambda: NOW, grown_templates=most
    )
    office.gallery.enrol(ada(passport.sha256))
    return office.desk


def sit(office: Office, centre: NDArray[np.float32]) -> int:
    """Put the electrodes on for a sitting, and return how many templates there are after it."""
    office.pipeline.interrupt()
    noise = np.random.default_rng(1).normal(size=(SITTING_BEATS, 4)).astype(np.float32)
    for beat in unit(centre + np.float32(0.01) * noise):
        office.pipeline.sitting.push(beat, GOOD)
    office.desk.attend()
    return len(office.gallery.templates(office.network.passport.sha256))


def test_a_sure_sitting_adds_a_template_that_goes_with_the_person(office: Office) -> None:
    desk = growing(office, most=2)
    assert sit(office, BOB) == 1
    assert sit(office, NEW_FITTING) == 2
    assert sit(office, NEW_FITTING) == 2  # nothing new
    assert desk.people() == {
        "people": [
            {
                "name": "Ada",
                "created_utc": NOW,
                "consent_utc": None,
                "templates": 2,
                "grown": 1,
                "beats": 32,
            }
        ],
        "sealed": False,
    }
    desk.forget("Ada")
    assert office.gallery.templates(office.network.passport.sha256) == []


def test_unasked_no_template_is_grown(office: Office) -> None:
    growing(office, most=0)
    assert sit(office, NEW_FITTING) == 1


def test_no_template_is_grown_of_an_enrolment(office: Office) -> None:
    desk = growing(office, most=2)
    desk.enroll("Bob")
    assert sit(office, NEW_FITTING) == 1


def test_a_sitting_that_cannot_be_kept_is_logged_without_a_name(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_template: Template, _most: int) -> NoReturn:
        raise GalleryBusy("another program is writing to it")

    growing(office, most=2)
    monkeypatch.setattr(office.gallery, "grow", refuse)
    assert sit(office, NEW_FITTING) == 1
    assert "a sitting could not be kept: GalleryBusy" in caplog.text
    assert "Ada" not in caplog.text
