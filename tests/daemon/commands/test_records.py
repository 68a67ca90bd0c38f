"""The commands on recordings: R peaks, embeddings, and what a bad record does."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from daemon.commands.exit_codes import exit_code
from daemon.errors import ResultsNotWritable
from daemon.offline.analysis import analyse
from model.passport import file_sha256
from tests.daemon.commands.command import qrsd
from tests.daemon.commands.models import cosine_embeddings
from tests.daemon.hearts import RATE_HZ, heart, write_heart

START_S = 3  # the detector's learning


def true_r_indices(seed: int, seconds: float) -> np.ndarray:
    beats = np.floor(heart(seed).phase_rad[: round(seconds * RATE_HZ)] / (2 * np.pi))
    return np.flatnonzero(np.diff(beats) > 0) + 1


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_detect_writes_the_r_peaks_of_a_known_heart_a_line_each(tmp_path: Path, out: Path) -> None:
    record = write_heart(tmp_path / "one.csv", seed=1, seconds=30)
    assert qrsd("detect", record, "--out", out) == 0
    found = np.array([int(line) for line in (out / "one.txt").read_text().splitlines()])
    truth = true_r_indices(1, 29.5)
    truth = truth[truth > START_S * RATE_HZ]
    assert all(np.abs(found - r).min() <= 2 for r in truth)
    assert np.count_nonzero(found > START_S * RATE_HZ) - len(truth) in (0, 1)


def test_detect_compares_with_annotations(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wfdb = pytest.importorskip("wfdb", reason="needs pip install '.[records]'")
    records = []
    for seed in (1, 2):
        name = f"heart{seed}"
        ecg = np.rint(200 * heart(seed).ecg_mv[: 20 * RATE_HZ]).astype("<i2")
        ecg.tofile(tmp_path / f"{name}.dat")
        header = f"{name} 1 250 {len(ecg)}\n{name}.dat 16 200/mV 16 0 0 0 0 ECG\n"
        (tmp_path / f"{name}.hea").write_text(header)
        records.append(tmp_path / name)
        assert qrsd("detect", records[-1], "--out", out) == 0
        found = [int(line) for line in (out / f"{name}.txt").read_text().splitlines()]
        count = len(found)
        middle = (found[3] + found[4]) // 2  # of a pause between beats, so nobody finds it
        marked = np.array(sorted([*found[: -2 * seed], middle]))
        wfdb.wrann(name, "qrs", marked, ["N"] * len(marked), fs=250, write_dir=str(tmp_path))
    capsys.readouterr()
    compared = ("detect", *records, "--out", out, "--annotations", "qrs")
    assert qrsd(*compared, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert [(row["score"]["missed"], row["score"]["invented"]) for row in said["records"]] == [
        (1, 2),
        (1, 4),
    ]
    assert said["records"][1]["score"]["positive_predictivity_percent"] == pytest.approx(
        100 * (count - 4) / count
    )
    assert (said["gross"]["missed"], said["gross"]["invented"]) == (2, 6)
    qrsd(*compared)
    assert "gross, 2 records: Se " in capsys.readouterr().out
    assert qrsd("detect", *records, "--out", out, "--annotations", "atr") == 66
    assert "There are no annotations" in capsys.readouterr().err


def test_records_of_one_name_do_not_overwrite_each_other(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = write_heart(tmp_path / "Person_01" / "rec_1.csv", seed=1)
    second = write_heart(tmp_path / "Person_02" / "rec_1.csv", seed=2)
    assert qrsd("detect", first, second, "--out", out, "--jobs", "1") == 0
    assert {file.name for file in out.iterdir()} == {"Person_01_rec_1.txt", "Person_02_rec_1.txt"}
    assert f"{first} is one of several of its name" in capsys.readouterr().err


def test_an_unreadable_record_is_named_and_the_others_are_still_done(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = write_heart(tmp_path / "good.csv", seed=1)
    missing = tmp_path / "missing.csv"
    assert qrsd("detect", missing, good, "--out", out) == 66
    assert (out / "good.txt").is_file()
    assert f"qrsd: There is no file {missing}" in capsys.readouterr().err


def test_what_had_to_be_assumed_is_said_on_standard_error(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    qrsd("detect", write_heart(tmp_path / "one.csv", seed=1), "--out", out)
    assert "codes taken as gain 6, reference 2.42 V" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    record = write_heart(tmp_path / "one.csv", seed=1)
    with pytest.raises(ResultsNotWritable, match=r"file: .*; choose another --out") as caught:
        qrsd("detect", record, "--out", tmp_path / "file")
    assert exit_code(caught.value) == 73


def test_embed_writes_a_row_for_each_beat_and_the_cohort(tmp_path: Path, embedder: Path) -> None:
    paths = [str(write_heart(tmp_path / f"heart{seed}.csv", seed)) for seed in (1, 2)]
    assert qrsd("embed", *paths, "--model", embedder, "--out", tmp_path / "F.npz") == 0
    written = np.load(tmp_path / "F.npz", allow_pickle=False)
    analyses = [analyse(path) for path in paths]
    beats = [beat for one in analyses for beat in one.beats]
    assert written["record"].tolist() == [one.path for one in analyses for _ in one.beats]
    assert written["r_index"].tolist() == [beat.r_index for beat in beats]
    assert written["quality"].tolist() == [beat.quality.score for beat in beats]
    assert written["good"].tolist() == [beat.quality.good for beat in beats]
    expected = cosine_embeddings(np.array([beat.ecg_mv for beat in beats]))
    np.testing.assert_allclose(written["embedding"], expected, atol=1e-5)
    assert np.array_equal(written["cohort"], np.load(tmp_path / "cosines.cohort.npy"))
    assert written["model_sha256"] == file_sha256(embedder)


def test_embed_without_a_beat_or_a_cohort_writes_what_there_is(
    tmp_path: Path, classifier: Path
) -> None:
    record = write_heart(tmp_path / "short.csv", seed=1, seconds=0.5)
    assert qrsd("embed", record, "--model", classifier, "--out", tmp_path / "F.npz") == 65
    written = np.load(tmp_path / "F.npz", allow_pickle=False)
    assert written["embedding"].shape == (0, 3)
    assert "cohort" not in written


def test_every_command_teaches_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("detect", "embed", "identify", "verify"):
        with pytest.raises(SystemExit):
            qrsd(command, "--help")
        assert f"example:\n  qrsd {command} " in capsys.readouterr().out


@pytest.mark.parametrize("bad", [["--jobs", "0"], ["--jobs", "x"], ["--mains", "55"]])
def test_a_bad_option_is_refused(bad: list[str], out: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        qrsd("detect", "record", "--out", out, *bad)
    assert caught.value.code == 2
