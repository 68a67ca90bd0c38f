"""The commands on recordings: R peaks, embeddings, identities, and what a bad record does."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from daemon.commands.exit_codes import exit_code
from daemon.commands.records import explained
from daemon.errors import ResultsNotWritable
from daemon.offline.analysis import analyse
from drivers.frame import millivolts_per_count
from drivers.waveforms.hearts import Heart
from dsp.front_end import FrontEnd
from model.calibration import Calibration
from model.comparison import Verdict
from model.errors import EmbedderNeeded, GalleryMissing, ModelMissing, PassportMismatch
from model.gallery import Gallery
from model.passport import Cohort, Passport, TensorSpec, file_sha256
from model.scores import mean_direction
from model.template import Template
from model.tensor import NORMALISATION
from tests.daemon.commands.command import qrsd

RATE_HZ = 250
START_S = 3  # the detector's learning
NETWORKS = Path(__file__).parents[2] / "model" / "fixtures"  # each with a closed form


heart = cache(Heart)


def write_heart(
    path: Path, seed: int, start_s: float = 0, seconds: float = 20, *, sign: int = 1, turns: int = 1
) -> Path:
    """Write a synthetic heart as a table of raw codes, as a logger would have."""
    path.parent.mkdir(parents=True, exist_ok=True)
    span = slice(round(start_s * RATE_HZ), round((start_s + seconds) * RATE_HZ))
    codes = np.rint(sign * heart(seed).ecg_mv[span] / millivolts_per_count(6, 2.42)).astype(int)
    rows = [f"{4 * row}, {code}" for row, code in enumerate(np.tile(codes, turns))]
    path.write_text("\n".join(["timestamp, Channel 1", *rows]))
    return path


def true_r_indices(seed: int, seconds: float) -> np.ndarray:
    beats = np.floor(heart(seed).phase_rad[: round(seconds * RATE_HZ)] / (2 * np.pi))
    return np.flatnonzero(np.diff(beats) > 0) + 1


def write_passport(model: Path, cohort: Cohort | None, **changes: object) -> Path:
    classifier = cohort is None
    labels = ("Ada", "Ben", "Cleo") if classifier else ()
    fields: dict[str, object] = {
        "name": "closed form",
        "kind": "classifier" if classifier else "embedder",
        "sha256": file_sha256(model),
        "created_utc": "2024-05-01T12:00:00Z",
        "front_end": FrontEnd.description(),
        "tensors": TensorSpec(175, NORMALISATION, 3 if classifier else 4, labels),
        "calibration": Calibration(0.01, (0.47,), (20.0,), (-9.4,)),
        "cohort": cohort,
        "training": {},
        "metrics": {},
    }
    Passport(**(fields | changes)).save(model)  # type: ignore[arg-type]
    return model


@pytest.fixture
def embedder(tmp_path: Path) -> Path:
    """A network that returns four coefficients of a beat's cosine series."""
    model = tmp_path / "cosines.tflite"
    model.write_bytes((NETWORKS / "cosines.tflite").read_bytes())
    strangers = np.random.default_rng(1).normal(size=(20, 4))
    strangers /= np.linalg.norm(strangers, axis=1, keepdims=True)
    cohort = Cohort.write(tmp_path / "cosines.cohort.npy", strangers.astype(np.float32))
    return write_passport(model, cohort)


def enrol(gallery_path: Path, person: str, record: Path, model: Path) -> None:
    embeddings = cosine_embeddings(analyse(str(record)).windows_mv)
    template = mean_direction(embeddings).astype(np.float32)
    sha256 = file_sha256(model)
    with Gallery(gallery_path) as gallery:
        gallery.enrol(Template(person, template, 20, "2024-05-01T12:00:00Z", sha256, "recording"))


@pytest.fixture
def classifier(tmp_path: Path) -> Path:
    model = tmp_path / "softmax.tflite"
    model.write_bytes((NETWORKS / "softmax.tflite").read_bytes())
    return write_passport(model, None)


def cosine_embeddings(windows_mv: np.ndarray) -> np.ndarray:
    """What the embedder makes of beats, by its closed form."""
    beats = windows_mv - windows_mv.mean(axis=1, keepdims=True)
    beats /= beats.std(axis=1, keepdims=True)
    turn = 2 * np.pi * np.arange(175)[:, None] / 175
    coefficients = beats @ np.cos(turn * np.arange(1, 5))
    return coefficients / np.linalg.norm(coefficients, axis=1, keepdims=True)


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


def test_verify_says_by_its_exit_code_whether_two_records_are_one_persons(
    tmp_path: Path, embedder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = write_heart(tmp_path / "first.csv", seed=3)
    later = write_heart(tmp_path / "later.csv", seed=3, start_s=100)
    other = write_heart(tmp_path / "other.csv", seed=5)
    quiet = write_heart(tmp_path / "quiet.csv", seed=3, seconds=1)
    codes = [
        qrsd("verify", first, second, "--model", embedder, "--json")
        for second in (later, other, quiet)
    ]
    same, different, undecided = map(json.loads, capsys.readouterr().out.splitlines())
    assert codes == [0, 1, 3]
    assert [same["same"], different["same"], undecided["same"]] == [True, False, None]
    assert same["ln_likelihood_ratio"] == pytest.approx(20 * same["score"] - 9.4)
    assert same["probability"] == pytest.approx(1 / (1 + np.exp(9.4 - 20 * same["score"])))
    assert different["score"] < 0.47 < same["score"]
    assert undecided["score"] is undecided["ln_likelihood_ratio"] is None


def test_a_single_good_beat_is_enough_for_a_verdict(
    tmp_path: Path, embedder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = write_heart(tmp_path / "first.csv", seed=3)
    short = write_heart(tmp_path / "short.csv", seed=3, start_s=0.5, seconds=2.1)
    assert qrsd("verify", first, short, "--model", embedder, "--json") == 0
    assert json.loads(capsys.readouterr().out)["beats"] == 1


@pytest.mark.parametrize(
    ("same", "ln_ratio", "words"),
    [
        (
            True,
            np.log(312),
            "the same person: the signals are 310 times as likely if they are one ",
        ),
        (True, 9.9, "the same person: the signals are 1000 times or more as likely if they are on"),
        (False, -np.log(2), "different persons: the signals are 2 times as likely if they are two"),
        (None, None, "undecided: there is no good beat in one of the recordings, or in neither"),
    ],
)
def test_a_verdict_is_explained(same: bool | None, ln_ratio: float | None, words: str) -> None:
    known = ln_ratio is not None
    verdict = Verdict(same, 2.0 if known else None, ln_ratio, 0.6 if known else None, 7)
    assert explained(verdict).startswith(words)


def test_verify_of_an_unreadable_record_has_that_errors_exit_code(
    tmp_path: Path, embedder: Path
) -> None:
    record = write_heart(tmp_path / "one.csv", seed=1)
    assert qrsd("verify", record, tmp_path / "missing.csv", "--model", embedder) == 66


def test_verify_needs_an_embedder(tmp_path: Path, classifier: Path) -> None:
    record = write_heart(tmp_path / "one.csv", seed=1)
    with pytest.raises(EmbedderNeeded, match="knows only the group it was trained on"):
        qrsd("verify", record, record, "--model", classifier)


def test_a_model_that_is_missing_or_trained_otherwise_is_refused_before_listening(
    tmp_path: Path, embedder: Path
) -> None:
    with pytest.raises(ModelMissing):
        qrsd("verify", "one", "other", "--model", tmp_path / "missing.tflite")
    cohort = Passport.load(embedder).cohort
    write_passport(embedder, cohort, front_end={**FrontEnd.description(), "lowpass_hz": 100.0})
    with pytest.raises(PassportMismatch, match="lowpass_hz"):
        qrsd("verify", "one", "other", "--model", embedder)


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
