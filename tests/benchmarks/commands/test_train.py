"""``qrsd train`` from recordings to a model that can be trusted."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import wfdb

from daemon.errors import ResultsNotWritable
from drivers.frame import millivolts_per_count
from drivers.waveforms.hearts import Heart
from dsp.front_end import FrontEnd
from model.beat_passport import BeatPassport
from model.passport import Passport
from model.training.errors import TooLittleData, UnknownPerson
from tests.benchmarks.training.one_each_set import names_for, write_long, write_set
from tests.daemon.commands.command import qrsd
from tests.model.made_up_rhythm import rhythm
from tests.model.training.ectopic_patients import ECTOPIC

pytestmark = pytest.mark.train
pytest.importorskip("tensorflow", reason="needs the [train] extra")

RATE_HZ = 250
heart = cache(Heart)


def write_record(path: Path, seed: int, start_s: int, seconds: int) -> None:
    """Write a stretch of a synthetic heart as a table of raw codes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ecg_mv = heart(seed).ecg_mv[start_s * RATE_HZ : (start_s + seconds) * RATE_HZ]
    codes = np.rint(ecg_mv / millivolts_per_count(6, 2.42)).astype(int)
    rows = [f"{4 * row}, {code}" for row, code in enumerate(codes)]
    path.write_text("\n".join(["timestamp, Channel 1", *rows]))


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven synthetic hearts, two records of twenty seconds each."""
    data = tmp_path_factory.mktemp("people")
    for seed in range(7):
        for record in (0, 1):
            write_record(data / f"Person_{seed}" / f"rec_{record}.csv", seed, 40 * record, 20)
    return data


def test_an_embedder_comes_with_passport_cohort_and_figures(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = names_for("training", 4) + names_for("thresholds", 5)
    write_set(tmp_path / "hand-held", names, ["N"] * 9, [1] * 9, seconds=30)
    write_long(tmp_path / "hours", "800", 21, 20)
    code = qrsd("train",
        people, "--also", tmp_path / "hand-held", tmp_path / "hours",
        "--out", tmp_path, "--name", "tiny", "--steps", "12", "--folds", "2",
        "--leave-out", "Person_6", "--licence", "CC0", "--cite", "nobody",
    )  # fmt: skip
    assert code == 0
    assert "People it never saw" in capsys.readouterr().out
    passport = Passport.load(tmp_path / "tiny.tflite")
    passport.check_front_end(FrontEnd.description())
    assert passport.kind == "embedder"
    assert passport.cohort is not None
    assert passport.cohort.embeddings.shape == (6 + 4 + 1, 48)
    assert [search.enrolled for search in passport.calibration.searches] == [1, 2]
    assert len(passport.calibration.thresholds) == 10
    assert passport.training["persons"] == [f"Person_{seed}" for seed in range(6)]
    assert passport.training["data"] == ["people0", "hand-held", "hours"]
    assert passport.training["persons_of_other_devices"] == [4, 1]
    assert passport.training["persons_who_set_thresholds"] == [5]
    assert passport.training["never_seen"] == ["Person_6"]
    assert passport.training["licence"] == "CC0"
    assert passport.metrics["tflite_cosine_with_keras"]["mean"] >= 0.999
    by_beats = passport.metrics["by_beats"]
    assert list(by_beats) == ["1", "5", "10"]
    for figures in by_beats.values():
        low, high = figures["eer"]["interval_95"]
        assert low <= figures["eer"]["percent"] <= high


def test_a_classifier_knows_its_group_and_strangers_from_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed, name in enumerate(("Ada", "Bob", "Cy")):
        write_record(tmp_path / "group" / f"{name}.csv", seed, 0, 110)
    for seed in range(3, 23):
        write_record(tmp_path / "others" / f"Person_{seed}.csv", seed, 0, 20)
    write_record(tmp_path / "others" / "Ada.csv", 0, 0, 20)
    code = qrsd("train",
        "--classifier", tmp_path / "group", "--strangers", tmp_path / "others", "--out", tmp_path,
        "--name", "group", "--steps", "60", "--picture", tmp_path / "confusion.png",
    )  # fmt: skip
    assert code == 0
    printed = capsys.readouterr().out
    assert "% right" in printed
    assert "4 strangers" in printed
    assert (tmp_path / "confusion.png").read_bytes().startswith(b"\x89PNG")
    passport = Passport.load(tmp_path / "group.tflite")
    assert passport.kind == "classifier"
    assert passport.tensors.labels == ("Ada", "Bob", "Cy")
    assert passport.tensors.outputs == 4, "one for whoever is none of them"
    assert passport.training["strangers"] == 12, "4 of 20 calibrated, 4 tested, Ada is a member"
    assert passport.metrics["accuracy"] > 90
    confusion = np.array(passport.metrics["confusion"])
    assert confusion.trace() / confusion.sum() == pytest.approx(
        passport.metrics["accuracy"] / 100, abs=1e-4
    )
    assert list(passport.metrics["persons"]) == ["Ada", "Bob", "Cy", "mean of all"]
    recalls = confusion.diagonal() / confusion.sum(axis=1)
    assert passport.metrics["persons"]["mean of all"]["recall"] == pytest.approx(
        100 * recalls.mean(), abs=0.01
    )
    open_set = passport.metrics["open_set"]
    assert open_set["strangers"] == 4
    assert open_set["by_beats"]["10"]["fpir"] < 50, "of hearts it never met"
    assert max(passport.calibration.thresholds) <= 0, "a log-probability"


def test_a_random_split_and_missing_strangers_are_said_wherever_figures_go(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed, name in enumerate(("Ada", "Bob")):
        write_record(tmp_path / "group" / f"{name}.csv", seed, 0, 110)
    qrsd("train",
        "--classifier", tmp_path / "group", "--out", tmp_path, "--steps", "20",
        "--random-split", "--network", "reference",
    )  # fmt: skip
    printed = " ".join(capsys.readouterr().out.split())
    assert "RANDOM SPLIT" in printed
    assert "How strangers fare is not known" in printed
    passport = Passport.load(tmp_path / "heart.tflite")
    assert passport.metrics["protocol"].startswith("RANDOM SPLIT")
    assert passport.training["network"] == "reference"
    assert passport.tensors.outputs == 2
    assert passport.metrics["open_set"]["by_beats"]["1"]["fpir"] is None


def test_options_of_a_group_need_a_group(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        qrsd("train", tmp_path, "--out", tmp_path, "--random-split")
    assert "need --classifier" in capsys.readouterr().err


def test_a_person_with_too_little_data_is_named_with_what_is_needed(tmp_path: Path) -> None:
    write_record(tmp_path / "group" / "Ada.csv", 0, 0, 110)
    write_record(tmp_path / "group" / "Bob.csv", 1, 0, 20)
    with pytest.raises(TooLittleData, match=r"Bob has \d+ good beats, and 60 are needed"):
        qrsd("train", "--classifier", tmp_path / "group", "--out", tmp_path)


def test_too_few_persons_for_the_folds_are_refused(people: Path, tmp_path: Path) -> None:
    with pytest.raises(TooLittleData, match="5 folds need 10 or more"):
        qrsd("train", people, "--out", tmp_path, "--folds", "5")


def test_a_stranger_cannot_be_left_out(people: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownPerson, match="Nemo cannot be left out"):
        qrsd("train", people, "--out", tmp_path, "--leave-out", "Nemo")


def test_persons_with_one_record_cannot_be_probed(tmp_path: Path) -> None:
    for seed in range(4):
        write_record(tmp_path / "people" / f"Person_{seed}.csv", seed, 0, 20)
    with pytest.raises(TooLittleData, match="10 good beats in a second record"):
        qrsd("train", tmp_path / "people", "--out", tmp_path, "--folds", "2")


def test_a_folder_that_cannot_be_made_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ResultsNotWritable, match="choose another --out"):
        qrsd("train", tmp_path / "nothing yet", "--out", tmp_path / "file" / "models")


@pytest.mark.parametrize(("option", "value"), [("--folds", "1"), ("--steps", "0")])
def test_a_plan_that_makes_no_sense_is_refused(
    option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        qrsd("train", "people", "--out", "models", option, value)
    assert "or more" in capsys.readouterr().err


def test_a_network_of_beat_kinds_comes_with_a_table_of_the_four_that_were_tried(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.commands.train.SEEDS", 1)
    data = tmp_path / "made-up"
    data.mkdir()
    for number in range(8):
        wide = number % 2 == 0
        r_peaks, ecg_mv = rhythm(48, ECTOPIC, wide=wide, seed=number)
        symbols = ["N"] * len(r_peaks)
        for beat in ECTOPIC:
            symbols[beat] = "V" if wide else "A"
        name = f"p{number}"
        signal = {"p_signal": ecg_mv[:, None], "fmt": ["16"], "write_dir": str(data)}
        wfdb.wrsamp(name, RATE_HZ, ["mV"], ["MLII"], **signal)
        wfdb.wrann(name, "atr", np.array(r_peaks), np.array(symbols), write_dir=str(data))
    code = qrsd("train", "--beats", data, "--out", tmp_path, "--name", "kinds",
                "--folds", "2", "--steps", "1", "--licence", "CC0")  # fmt: skip
    assert code == 0
    printed = capsys.readouterr().out
    assert "all seeds together" in printed
    rows = [line for line in printed.splitlines() if "made-up" in line]
    networks = ("single", "sequence", "autoencoder", "both")
    assert [any(name in row for row in rows) for name in networks] == [True] * 4
    passport = BeatPassport.load(
        tmp_path / "kinds.tflite", (tmp_path / "kinds.tflite").read_bytes()
    )
    assert passport.training["patients"] == {"made-up": 8}
    assert passport.training["licence"] == "CC0"
