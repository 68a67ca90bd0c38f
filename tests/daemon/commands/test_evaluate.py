"""``qrsd evaluate model`` with the shipped model, on synthetic hearts and on ECG-ID."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.__main__ import main
from tests.daemon.hearts import write_heart

SECONDS = 24
HEARTS = {"Ada": 64, "Bob": 82}


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))


def put(path: Path, heart: int, turn: int, sign: int = 1) -> None:
    """Write a recording of a synthetic heart as the chip's codes."""
    write_heart(path, heart, turn * SECONDS, SECONDS, sign=sign)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada with two recordings and a file that is none, Bob with one that is upside down."""
    folder = tmp_path_factory.mktemp("people")
    put(folder / "Ada/1.csv", HEARTS["Ada"], 0)
    put(folder / "Ada/2.csv", HEARTS["Ada"], 1)
    (folder / "Ada/3.csv").write_text("no numbers at all\n")
    put(folder / "Bob/1.csv", HEARTS["Bob"], 0, sign=-1)
    return folder


def test_a_folder_is_measured_and_what_weakens_the_figures_is_said(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures, picture = tmp_path / "figures.json", tmp_path / "figures.png"
    code = main(
        ["evaluate", "model", str(people), "--json", str(figures), "--picture", str(picture)]
    )
    printed = capsys.readouterr()
    assert code == 65  # of the file that is none
    assert f"qrsd: {people}/Ada/3.csv" in printed.err
    assert "a single recording of Bob: halves of one recording stand for two" in printed.err
    assert f"{people}/Bob/1.csv: seems to be upside down" in printed.err
    assert "Ada/1.csv: seems" not in printed.err
    measured = json.loads(figures.read_text())
    assert measured["halved"] == ["Bob"]
    assert measured["open_set"]["enrolled"] == 1
    assert measured["by_folder"]["people0"]["recordings"] == 2
    shown = " ".join(printed.out.split())
    assert "2 people, 2 of them enrolled" in shown
    assert "none of 2 people met may still befall 100 %" in shown
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("nowhere", "nowhere is missing"),
        ("empty", "holds no recordings: expected a folder with a folder of"),
        ("one", "people who could be enrolled: 1 of 1, needed: 2 or more"),
    ],
)
def test_a_folder_that_does_not_serve_is_one_line(
    people: Path, tmp_path: Path, folder: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "one").mkdir()
    (tmp_path / "one/Ada").symlink_to(people / "Ada")
    assert main(["evaluate", "model", str(tmp_path / folder)]) in {65, 66}
    told = capsys.readouterr().err.splitlines()
    (error,) = (line for line in told if line.startswith("qrsd") and "3.csv" not in line)
    assert said in error


def test_real_people_are_told_apart_across_folders(
    shared_data: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Whom the model has learned from: this says that the parts fit together, not how good it is.
    for place, record in (("first", "rec_1"), ("later", "rec_2")):
        for person in ("Person_01", "Person_02", "Person_09"):
            home = tmp_path / place / person
            home.mkdir(parents=True)
            for file in (shared_data("ecg-id") / person).glob(f"{record}.*"):
                (home / file.name).symlink_to(file)
    places = [str(tmp_path / place) for place in ("first", "later")]
    assert main(["evaluate", "model", *places, "--enrolled", "2", "--json", "-"]) == 0
    printed = capsys.readouterr()
    measured = json.loads(printed.out)
    assert "3 people are called as people are whom the model has learned from" in printed.err
    assert list(measured["by_folder"]) == ["later"]  # they were enrolled by all there was in first
    assert measured["by_beats"]["10"]["rank_1"]["percent"] == 100
    assert measured["open_set"]["enrolled_recognised"]["percent"] == 100
    assert measured["open_set"]["strangers_accepted"]["percent"] == 0
