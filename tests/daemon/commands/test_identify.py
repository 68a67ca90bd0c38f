"""``qrsd identify``: whose heart recordings are, and what is said of those that are nobody's."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from model.calibration import Calibration
from model.errors import GalleryMissing
from model.gallery import Gallery
from model.identifier import Decision, Hint
from model.passport import Passport
from tests.daemon.commands.command import qrsd
from tests.daemon.commands.models import enrol, write_passport
from tests.daemon.hearts import write_heart


def test_identify_says_who_is_who_among_the_enrolled(
    tmp_path: Path, embedder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gallery = tmp_path / "gallery.sqlite"
    enrol(gallery, "Ada", write_heart(tmp_path / "ada.csv", seed=3), embedder)
    later = write_heart(tmp_path / "later.csv", seed=3, start_s=100)
    stranger = write_heart(tmp_path / "stranger.csv", seed=5)
    short = write_heart(tmp_path / "short.csv", seed=3, seconds=4)
    options = ("--gallery", gallery, "--model", embedder, "--jobs", "1")
    assert qrsd("identify", later, stranger, short, *options, "--json") == 0
    rows = json.loads(capsys.readouterr().out)["records"]
    assert [row["record"] for row in rows] == [str(later), str(stranger), str(short)]
    assert [row["state"] for row in rows] == ["accepted", "unknown", "undecided"]
    assert [row["person"] for row in rows] == ["Ada", None, None]
    assert rows[0]["beats"] == 10
    assert rows[0]["confidence"] > 0.5
    qrsd("identify", later, *options)
    assert capsys.readouterr().out.startswith("Ada ")


def test_without_one_the_model_is_that_of_the_settings(
    tmp_path: Path,
    embedder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gallery = tmp_path / "gallery.sqlite"
    first = write_heart(tmp_path / "first.csv", seed=3)
    later = write_heart(tmp_path / "later.csv", seed=3, start_s=100)
    enrol(gallery, "Ada", first, embedder)

    def said(*options: object) -> list[object]:
        qrsd("identify", later, "--gallery", gallery, "--json", *options)
        qrsd("verify", first, later, "--json", *options)
        qrsd("explain", later, "--against", first, "--json", "-", *options)
        qrsd("embed", later, "--out", tmp_path / "beats.npz", *options)
        with np.load(tmp_path / "beats.npz") as beats:
            return [capsys.readouterr().out, *(beats[name].tolist() for name in beats)]

    of_its_own, asked_for = said(), said("--model", embedder)
    monkeypatch.setenv("QRSD_MODEL", str(embedder))
    assert said() == asked_for != of_its_own


def test_identify_says_if_the_electrodes_may_be_swapped(
    tmp_path: Path, embedder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gallery = tmp_path / "gallery.sqlite"
    enrol(gallery, "Ada", write_heart(tmp_path / "ada.csv", seed=3), embedder)
    swapped = write_heart(tmp_path / "swapped.csv", seed=3, start_s=100, sign=-1)
    stranger = write_heart(tmp_path / "stranger.csv", seed=5)
    options = ("--gallery", gallery, "--model", embedder)
    assert qrsd("identify", swapped, stranger, *options, "--json") == 0
    rows = json.loads(capsys.readouterr().out)["records"]
    assert [row["state"] for row in rows] == ["unknown", "unknown"]
    assert [row["hint"] for row in rows] == ["electrodes_swapped", None]
    qrsd("identify", swapped, *options)
    assert capsys.readouterr().out.endswith("(the electrodes may be swapped)\n")


@pytest.mark.parametrize("hint", ["two_kinds_of_beats", "unfamiliar_signal"])
def test_identify_takes_no_other_hint_for_swapped_electrodes(
    tmp_path: Path,
    embedder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    hint: Hint,
) -> None:
    gallery = tmp_path / "gallery.sqlite"
    record = write_heart(tmp_path / "ada.csv", seed=3)
    enrol(gallery, "Ada", record, embedder)
    said = Decision("undecided", None, None, 4, hint)
    monkeypatch.setattr("daemon.commands.records.last_decision", lambda *_: said)
    qrsd("identify", record, "--gallery", gallery, "--model", embedder)
    assert capsys.readouterr().out.endswith(f"({hint.replace('_', ' ')})\n")


def test_identify_calls_a_record_that_repeats_itself_suspect_as_the_service_would(
    tmp_path: Path,
    embedder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gallery = tmp_path / "gallery.sqlite"
    enrol(gallery, "Ada", write_heart(tmp_path / "ada.csv", seed=3), embedder)
    looped = write_heart(tmp_path / "looped.csv", seed=3, start_s=100, seconds=8, turns=3)
    options = ("--gallery", gallery, "--model", embedder)
    qrsd("identify", looped, *options, "--json")
    (row,) = json.loads(capsys.readouterr().out)["records"]
    assert (row["state"], row["person"], row["hint"]) == ("suspect", None, "repeated")
    qrsd("identify", looped, *options)
    assert re.match(r"suspect .*\(its beats repeat\)\n", capsys.readouterr().out)
    monkeypatch.setenv("QRSD_LIVENESS_ON_SUSPICION", "warn")
    qrsd("identify", looped, *options, "--json")
    (row,) = json.loads(capsys.readouterr().out)["records"]
    assert (row["state"], row["person"], row["hint"]) == ("accepted", "Ada", "repeated")


def test_identify_takes_a_record_without_any_beat(
    tmp_path: Path, embedder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = write_heart(tmp_path / "short.csv", seed=3, seconds=0.5)
    Gallery(tmp_path / "none").close()
    assert qrsd("identify", short, "--gallery", tmp_path / "none", "--model", embedder) == 65
    printed = capsys.readouterr()
    assert printed.out.startswith("undecided ")
    assert "no good beat: it is too short: 0.5 s were recorded" in printed.err


def test_identify_without_anybody_enrolled_says_so_and_makes_no_gallery(
    tmp_path: Path, embedder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = write_heart(tmp_path / "one.csv", seed=1)
    gallery = tmp_path / "gallery.sqlite"
    with pytest.raises(GalleryMissing, match="no such gallery, so nobody could be recognised"):
        qrsd("identify", record, "--gallery", gallery, "--model", embedder)
    assert not gallery.exists()
    Gallery(gallery).close()
    assert qrsd("identify", record, "--gallery", gallery, "--model", embedder) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("unknown ")
    assert f"{gallery}: nobody is enrolled with this model" in printed.err


def test_a_classifier_identifies_without_a_gallery(
    tmp_path: Path, classifier: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its outputs are the softmax of a beat's first three samples, about equal in a quiet start."""
    record = write_heart(tmp_path / "one.csv", seed=1)
    passport = Passport.load(classifier)
    gallery = tmp_path / "gallery.sqlite"
    calibration = Calibration(0.01, (np.log(0.9),), (2.0,), (3.0,))
    write_passport(classifier, passport.cohort, calibration=calibration)
    qrsd("identify", record, "--gallery", gallery, "--model", classifier, "--json")
    (row,) = json.loads(capsys.readouterr().out)["records"]
    assert row["state"] == "unknown"
    calibration = Calibration(0.01, (np.log(0.2),), (2.0,), (3.0,))
    write_passport(classifier, passport.cohort, calibration=calibration)
    qrsd("identify", record, "--gallery", gallery, "--model", classifier, "--json")
    (row,) = json.loads(capsys.readouterr().out)["records"]
    assert row["person"] in ("Ada", "Ben", "Cleo")
