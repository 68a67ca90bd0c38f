"""``qrsd explain`` on synthetic hearts, with models in closed form and with the shipped one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from daemon.__main__ import main
from daemon.offline.analysis import analyse
from drivers.frame import millivolts_per_count
from drivers.waveforms.hearts import Heart
from model.enrolment import keep_nearest
from model.gallery import Gallery
from model.opening import open_network
from model.passport import file_sha256
from model.rhythm import CAUTION
from model.scores import corrected_cosine, mean_direction
from model.template import Template
from model.tensor import normalise
from tests.daemon.commands.bigeminy import KINDS, write_bigeminy
from tests.daemon.commands.command import qrsd
from tests.model import models

SECONDS = 8


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Recordings of Ada, of Ada again, of Bob, and one without a single beat."""
    folder = tmp_path_factory.mktemp("recordings")
    ada, bob = (Heart(seed).ecg_mv for seed in (13, 56))
    samples = SECONDS * 250
    signals = {
        "ada": ada[:samples],
        "again": ada[samples : 2 * samples],
        "bob": bob[:samples],
        "flat": np.zeros(samples),
    }
    files = {}
    for name, signal_mv in signals.items():
        codes = np.rint(signal_mv / millivolts_per_count(6, 2.42)).astype(int)
        rows = [f"{4 * row}, {code}" for row, code in enumerate(codes)]
        files[name] = folder / f"{name}.csv"
        files[name].write_text("\n".join(["timestamp, Channel 1", *rows]))
    return files


@pytest.fixture
def nobody(tmp_path: Path) -> Path:
    """A gallery with nobody in it."""
    path = tmp_path / "nobody.sqlite"
    Gallery(path).close()
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return models.embedder(tmp_path)


@pytest.fixture
def gallery(tmp_path: Path, recordings: dict[str, Path], model: Path) -> Path:
    """Ada and Bob, enrolled."""
    path = tmp_path / "gallery.sqlite"
    with Gallery(path) as opened:
        for person in ("ada", "bob"):
            beats = outputs(model, recordings[person])
            opened.enrol(
                Template(
                    person.title(),
                    mean_direction(beats),
                    len(beats),
                    "2024-05-01T12:00:00Z",
                    file_sha256(model),
                    "recording",
                )
            )
    return path


def outputs(model: Path, recording: Path) -> np.ndarray:
    """What a network makes of a recording's good beats."""
    analysis = analyse(str(recording))
    good = [beat.quality.good for beat in analysis.beats]
    return open_network(model).run(normalise(analysis.windows_mv[good]))


def explained(tmp_path: Path, *arguments: str | Path) -> dict[str, Any]:
    file = tmp_path / "why.json"
    assert main(["explain", *map(str, arguments), "--json", str(file)]) == 0
    figures: dict[str, Any] = json.loads(file.read_text())
    return figures


def test_it_says_why_a_recording_is_whom_it_was_taken_for(
    tmp_path: Path,
    recordings: dict[str, Path],
    model: Path,
    gallery: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = ("--model", model, "--gallery", gallery)
    figures = explained(tmp_path, recordings["again"], *asked)
    assert figures["against"].startswith("Ada (decided: ")
    assert np.isfinite(figures["score_lost"]).all()
    assert sum(region["share"] for region in figures["regions"]) == pytest.approx(1)
    said = capsys.readouterr().out
    assert all(name in said for name in ("P wave", "QRS", "ST segment", "T wave"))
    assert f"{figures['beats']} good beats" in said


def test_it_says_why_it_is_not_somebody_else(
    tmp_path: Path, recordings: dict[str, Path], model: Path, gallery: Path
) -> None:
    asked = ("--model", model, "--gallery", gallery, "--person")
    figures = explained(tmp_path, recordings["again"], *asked, "Bob")
    assert figures["against"] == "Bob"
    template = mean_direction(outputs(model, recordings["bob"]))
    likeness = corrected_cosine(template[None], outputs(model, recordings["again"]), models.AXES)
    assert figures["score"] == pytest.approx(likeness.mean(), rel=1e-4)


def test_it_compares_two_recordings_without_anybody_enrolled(
    tmp_path: Path, recordings: dict[str, Path], model: Path, nobody: Path
) -> None:
    asked = ("--model", model, "--gallery", nobody, "--against")
    figures = explained(tmp_path, recordings["again"], *asked, recordings["bob"])
    assert figures["against"] == str(recordings["bob"])
    template = mean_direction(keep_nearest(outputs(model, recordings["bob"])))
    likeness = corrected_cosine(template[None], outputs(model, recordings["again"]), models.AXES)
    assert figures["score"] == pytest.approx(likeness.mean(), rel=1e-4)


def test_a_recording_alone_is_compared_with_itself(
    tmp_path: Path, recordings: dict[str, Path], model: Path, nobody: Path
) -> None:
    asked = ("--model", model, "--gallery", nobody)
    figures = explained(tmp_path, recordings["ada"], *asked)
    assert figures["against"] == "its own other beats"
    nobody.unlink()
    assert main(["explain", *map(str, (recordings["ada"], *asked))]) == 66


def test_figures_are_printed_alone_for_a_dash(
    recordings: dict[str, Path],
    model: Path,
    nobody: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = (recordings["ada"], "--model", model, "--gallery", nobody, "--json", "-")
    assert main(["explain", *map(str, asked)]) == 0
    assert json.loads(capsys.readouterr().out)["against"] == "its own other beats"


def test_records_are_read_as_by_the_other_commands(
    tmp_path: Path, recordings: dict[str, Path], model: Path, nobody: Path
) -> None:
    """The ECG beside a breath is found; each record has its signal; unit and rate can be said."""
    asked = ("--model", model, "--gallery", nobody)
    alone = explained(tmp_path, recordings["ada"], *asked)["score"]
    codes = [row.split(",")[1] for row in recordings["ada"].read_text().splitlines()[1:]]
    beside = tmp_path / "beside.csv"
    beside.write_text(
        "\n".join(["t,breath,ecg", *(f"{n / 250},0,{c}" for n, c in enumerate(codes))])
    )
    assert explained(tmp_path, beside, *asked)["score"] == alone
    both = (beside, "--against", recordings["ada"], "--signal")
    assert explained(tmp_path, *both, "ecg", "--signal", "0", *asked)["beats"] > 0
    plain = tmp_path / "plain.csv"
    plain.write_text("\n".join(codes))
    told = explained(tmp_path, plain, "--rate", "250", "--unit", "code", "--gain", "6", *asked)
    assert told["score"] == alone


def test_the_shipped_model_gives_reasons_and_a_picture_of_them(
    tmp_path: Path, recordings: dict[str, Path], nobody: Path
) -> None:
    pytest.importorskip("matplotlib", reason="needs pip install '.[benchmark]'")
    picture = tmp_path / "why.png"
    figures = explained(tmp_path, recordings["ada"], "--gallery", nobody, "--picture", picture)
    assert np.isfinite(figures["score_lost"]).all()
    assert max(figures["score_lost"]) > 0
    assert picture.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_what_draws_is_missed_before_the_work(
    recordings: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["explain", str(recordings["ada"]), "--picture", "why.png"]) == 69
    assert "matplotlib, which is not installed" in capsys.readouterr().err


def test_a_classifier_is_asked_about_its_labels(
    tmp_path: Path, recordings: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = (recordings["ada"], "--model", models.classifier(tmp_path))
    likeliest = explained(tmp_path, *asked)
    everybody = {
        name: explained(tmp_path, *asked, "--person", name)["score"]
        for name in ("Ada", "Bob", "Cy")
    }
    assert everybody[likeliest["against"]] == likeliest["score"]
    assert main(["explain", *map(str, asked), "--against", str(recordings["bob"])]) == 65
    assert "--against takes an embedder" in capsys.readouterr().err


def test_whoever_the_model_does_not_know_is_refused_by_name(
    recordings: dict[str, Path], model: Path, gallery: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [recordings["ada"], "--model", model, "--gallery", gallery, "--person", "Eve"]
    assert main(["explain", *map(str, asked)]) == 66
    assert "'Eve' is not known to this model, which knows Ada, Bob" in capsys.readouterr().err


def test_a_recording_without_beats_is_refused(
    recordings: dict[str, Path], model: Path, nobody: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [recordings["flat"], "--model", model, "--gallery", nobody]
    assert main(["explain", *map(str, asked)]) == 65
    assert "good beats: 0, needed: 2" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_said(
    tmp_path: Path, recordings: dict[str, Path], model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing" / "why.json"
    asked = [recordings["ada"], "--model", model, "--against", recordings["ada"]]
    assert main(["explain", *map(str, asked), "--json", str(missing)]) == 73
    assert "choose another file" in capsys.readouterr().err


def test_kinds_are_explained_by_what_is_not_usual(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = write_bigeminy(tmp_path / "one.csv")
    assert qrsd("explain", record, "--kinds", "--json", "-") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["caution"] == CAUTION
    of_v = told["kinds"]["V"]
    assert abs(of_v["beats"] - KINDS.count("V")) <= 2
    lost = of_v["ln_odds_lost"]
    telling = sorted(lost, key=lambda part: -lost[part])[:2]
    assert {*telling} == {"interval before", "QRS"}  # early and wide
    assert lost["noise"] == pytest.approx(0, abs=0.2)
    with pytest.raises(SystemExit):
        qrsd("explain", record, "--kinds", "--picture", tmp_path / "one.png")
