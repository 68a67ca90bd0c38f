"""With leave to do so, the service learns templates from sessions that it is sure of."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray

from daemon.service.people_commands import PeopleCommands
from daemon.wire.answers import PeopleAnswer, PersonAnswer
from model.calibration import Calibration
from model.errors import GalleryBusy
from model.fittings import SITTING_BEATS
from model.scores import unit
from model.template import Template
from tests.daemon.frames import ADA, BOB
from tests.daemon.office import NOW, Office, ada
from tests.model.models import AXES, GOOD

STEEP = Calibration(0.01, thresholds=(0.5,), slopes=(40.0,), intercepts=(-20.0,))
NEW_FITTING = unit(ADA + np.float32(0.3) * AXES[2])


def growing(office: Office, most: int) -> PeopleCommands:
    """Have a desk in the office that grows so many templates of Ada, who is enrolled."""
    passport = replace(office.network.passport, calibration=STEEP)
    office.desk = PeopleCommands(
        office.gallery,
        passport,
        office.pipeline.recogniser,
        "simulated",
        lambda: NOW,
        grown_templates=most,
    )
    office.gallery.enrol(ada(passport.sha256))
    return office.desk


def sit(office: Office, centre: NDArray[np.float32]) -> int:
    """Put the electrodes on for a session, and return how many templates there are after it."""
    office.pipeline.interrupt()
    noise = np.random.default_rng(1).normal(size=(SITTING_BEATS, 4)).astype(np.float32)
    for beat in unit(centre + np.float32(0.01) * noise):
        office.pipeline.recogniser.session.push(beat, GOOD)
    office.desk.attend()
    return len(office.gallery.templates(office.network.passport.sha256))


def test_a_sure_sitting_adds_a_template_that_goes_with_the_person(office: Office) -> None:
    desk = growing(office, most=2)
    assert sit(office, BOB) == 1
    assert sit(office, NEW_FITTING) == 2
    assert sit(office, NEW_FITTING) == 2  # nothing new
    ada = PersonAnswer("Ada", NOW, None, templates=2, grown=1, beats=32)
    told = desk.people()
    (drift,) = (person.drift for person in told.people)
    assert drift == pytest.approx(1 - ADA @ NEW_FITTING, abs=0.001)  # the beats have some noise
    ada = replace(ada, sittings=(NOW,), drift=drift)
    assert told == PeopleAnswer((ada,), sealed=False)
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
    assert "a session could not be kept: gallery_busy" in caplog.text
    assert "Ada" not in caplog.text
