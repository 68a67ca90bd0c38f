"""``qrsd calibrate`` on galleries of the shipped model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from daemon.offline.errors import TooFewPeople
from daemon.offline.recognition import open_with_people
from model.errors import EmbedderNeeded, GalleryMissing
from model.gallery import Gallery
from model.local_calibration import calibration_path, read, shifted
from model.opening import DEFAULT_MODEL
from model.passport import Passport
from model.scores import unit
from model.template import Template
from tests.daemon.commands.command import qrsd
from tests.model.models import classifier


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.gallery_key.CREDSTORE", tmp_path / "credstore")
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))


def enrol(tmp_path: Path, people: int, alike: float) -> Path:
    """Enrol people whose hearts have a direction in common to some extent."""
    passport = Passport.load(DEFAULT_MODEL)
    numbers = passport.tensors.outputs
    vectors = np.random.default_rng(3).normal(size=(people, numbers)).astype(np.float32)
    vectors[:, 0] += alike
    path = tmp_path / "gallery.sqlite"
    with Gallery(path) as gallery:
        for at, each in enumerate(unit(vectors)):
            when = "2026-01-01T00:00:00Z"
            gallery.enrol(Template(f"P{at}", each, 16, when, passport.sha256, "ads1292r"))
    return path


def test_it_writes_only_if_asked_to_and_there_is_a_way_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = enrol(tmp_path, 12, alike=40.0)
    assert qrsd("calibrate", "--json", "-") == 0
    measured = json.loads(capsys.readouterr().out)
    assert measured["shift"] > 0
    assert measured["thresholds"]["models_own"]["strangers_accepted"]["estimate"] > 0.5
    assert not calibration_path(path).exists()

    qrsd("calibrate", "--write")
    printed = capsys.readouterr().out
    assert "strangers are more alike here" in printed
    assert "once the service is restarted" in printed
    written = read(path)
    assert written is not None
    assert written.shift == measured["shift"]
    own = Passport.load(DEFAULT_MODEL).calibration
    assert open_with_people(None, path)[0].passport.calibration == shifted(own, written.shift)

    qrsd("calibrate", "--forget")
    assert open_with_people(None, path)[0].passport.calibration == own


@pytest.mark.parametrize(
    ("people", "said"),
    [(3, "too few to tell: at least 4 people"), (12, "nothing speaks against the model's own")],
)
def test_what_the_people_are_too_few_for_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], people: int, said: str
) -> None:
    path = enrol(tmp_path, people, alike=0.0)
    qrsd("calibrate", "--write")
    printed = " ".join(capsys.readouterr().out.split())
    assert said in printed
    assert "not known: nobody has two" in printed
    written = read(path)
    assert written is not None
    assert written.shift == 0


def test_one_person_is_no_stranger_to_anybody(tmp_path: Path) -> None:
    enrol(tmp_path, 1, alike=0.0)
    with pytest.raises(TooFewPeople, match="this model: 1, needed: 2 or more"):
        qrsd("calibrate")


def test_a_fixed_group_has_nothing_to_calibrate(tmp_path: Path) -> None:
    enrol(tmp_path, 3, alike=0.0)
    with pytest.raises(EmbedderNeeded, match="no thresholds by the number enrolled"):
        qrsd("calibrate", "--model", classifier(tmp_path))


def test_without_a_gallery_there_is_nothing_to_go_by(tmp_path: Path) -> None:
    with pytest.raises(GalleryMissing):
        qrsd("calibrate", "--gallery", tmp_path / "none.sqlite")
