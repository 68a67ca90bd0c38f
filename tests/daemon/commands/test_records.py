"""The commands on recordings: R peaks, embeddings, identities, and what a bad record does."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from daemon.commands import records
from daemon.commands.records import unique_names
from drivers.frame import millivolts_per_count
from drivers.waveforms.hearts import Heart

RATE_HZ = 250
START_S = 3  # the detector's learning


def qrsd(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser("qrsd")
    records.add_parsers(parser.add_subparsers(required=True))
    args = parser.parse_args([str(argument) for argument in arguments])
    code = args.run(args)
    assert isinstance(code, int)
    return code


def write_heart(path: Path, seed: int, start_s: float = 0, seconds: float = 20) -> Path:
    """Write a synthetic heart as a table of raw codes, as a logger would have."""
    path.parent.mkdir(parents=True, exist_ok=True)
    span = slice(round(start_s * RATE_HZ), round((start_s + seconds) * RATE_HZ))
    codes = np.rint(Heart(seed).ecg_mv[span] / millivolts_per_count(6, 2.42)).astype(int)
    rows = [f"{4 * row}, {code}" for row, code in enumerate(codes)]
    path.write_text("\n".join(["timestamp, Channel 1", *rows]))
    return path


def true_r_indices(seed: int, seconds: float) -> np.ndarray:
    beats = np.floor(Heart(seed).phase_rad[: round(seconds * RATE_HZ)] / (2 * np.pi))
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


def test_side_by_side_is_the_same_as_one_by_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [write_heart(tmp_path / f"heart{seed}.csv", seed) for seed in range(3)]
    printed = []
    for jobs in ("1", "2"):
        assert qrsd("detect", *paths, "--out", tmp_path / "out", "--jobs", jobs, "--json") == 0
        printed.append(json.loads(capsys.readouterr().out)["records"])
    assert printed[0] == printed[1]
    assert [row["record"] for row in printed[0]] == [str(path) for path in paths]


def test_unique_names_take_as_many_folders_as_they_need() -> None:
    names = unique_names(["/d/a/x/rec_1", "/d/b/x/rec_1.hea", "/d/rec_2", "/e/a.csv", "/e/a"])
    assert names == {
        "/d/a/x/rec_1": "a_x_rec_1",
        "/d/b/x/rec_1.hea": "b_x_rec_1",
        "/d/rec_2": "rec_2",
        "/e/a.csv": "e_a_1",
        "/e/a": "e_a_2",
    }


def test_every_command_teaches_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("detect",):
        with pytest.raises(SystemExit):
            qrsd(command, "--help")
        assert f"example:\n  qrsd {command} " in capsys.readouterr().out


@pytest.mark.parametrize("bad", [["--jobs", "0"], ["--jobs", "x"], ["--mains", "55"]])
def test_a_bad_option_is_refused(bad: list[str], out: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        qrsd("detect", "record", "--out", out, *bad)
    assert caught.value.code == 2
