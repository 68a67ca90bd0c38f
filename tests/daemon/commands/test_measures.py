"""``qrsd hrv``, ``intervals`` and ``features``: figures of recordings, against what made them."""

from __future__ import annotations

import csv
import json
import stat
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from daemon.commands.exit_codes import exit_code
from daemon.errors import ResultsNotWritable
from daemon.offline.analysis import analyse
from daemon.offline.beat_table import COLUMNS
from daemon.offline.labels import LABELS
from drivers.frame import millivolts_per_count
from drivers.waveforms.hearts import Heart, draw_anatomy
from dsp.beat_features import NAMES, beat_features
from dsp.hrv import NEEDS
from tests.daemon.commands.command import qrsd

RATE_HZ = 250
MV_PER_CODE = millivolts_per_count(6, 2.42)
BREATHING_PER_MIN = 15


@cache
def heart() -> Heart:
    anatomy = draw_anatomy(np.random.default_rng(4))
    return Heart(4, replace(anatomy, breathing_hz=BREATHING_PER_MIN / 60))


def write_heart(path: Path, seconds: float, *, respiration: bool = True) -> Path:
    """Write a heart in the loggers' layout, with channel 1 or with zeros in its place."""
    count = round(seconds * RATE_HZ)
    chest = heart().respiration_mv[:count] if respiration else np.zeros(count)
    codes = np.rint(np.array([chest, heart().ecg_mv[:count]]).T / MV_PER_CODE).astype(int)
    rows = [f"{4 * i}, {first}, {second}" for i, (first, second) in enumerate(codes.tolist())]
    path.write_text("\n".join(["timestamp, Channel 1, Channel 2", *rows]))
    return path


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_heart(tmp_path_factory.mktemp("hearts") / "long.csv", 200)


def test_the_figures_are_those_of_the_heart(long: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert qrsd("hrv", long, "--json") == 0
    [row] = json.loads(capsys.readouterr().out)["records"]
    anatomy = heart().anatomy
    assert row["heart_rate_bpm"] == pytest.approx(anatomy.heart_rate_bpm, rel=0.02)
    assert row["sdnn_ms"] == pytest.approx(1000 * anatomy.rr_sd_s, rel=0.3)
    assert row["corrections"]["share"] < 0.02
    assert row["vlf_ms2"] is None
    assert row["reasons"]["vlf_ms2"].startswith("needs 300 s without a break, there are 19")
    assert row["needs"]["vlf_ms2"]["seconds"] == 300
    assert len(row["breathing"]) == 3
    for minute in row["breathing"]:
        assert minute["impedance"]["rate_per_min"] == pytest.approx(BREATHING_PER_MIN, abs=1.5)
        assert minute["fused"]["rate_per_min"] == pytest.approx(BREATHING_PER_MIN, abs=1.5)


@pytest.mark.parametrize("method", ["welch", "lomb"])
def test_the_table_has_every_figure_or_why_not(
    long: Path, capsys: pytest.CaptureFixture[str], method: str
) -> None:
    assert qrsd("hrv", long, "--method", method) == 0
    printed = capsys.readouterr().out
    assert set(LABELS) == set(NEEDS)
    for label in LABELS.values():
        assert label in printed
    assert "needs 300 s" in printed
    assert method in printed


def test_with_channel_1_silent_breathing_is_that_of_the_ecg(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = write_heart(tmp_path / "silent.csv", 70, respiration=False)
    assert qrsd("hrv", record, "--signal", "Channel 2", "--json") == 0
    [minute] = json.loads(capsys.readouterr().out)["records"][0]["breathing"]
    assert minute["impedance"] == {"rate_per_min": None, "quality": None}
    assert minute["fused"]["rate_per_min"] == pytest.approx(BREATHING_PER_MIN, abs=1.5)


def test_a_recording_without_a_beat_has_no_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tmp_path / "flat.csv"
    record.write_text("\n".join(["timestamp, Channel 1", *(f"{4 * i}, 5" for i in range(2500))]))
    for command in ("hrv", "intervals"):
        assert qrsd(command, record, "--json") == 65
        captured = capsys.readouterr()
        [row] = json.loads(captured.out)["records"]
        assert row["rr_ms" if command == "intervals" else "mean_rr_ms"] is None
        assert "it is flat" in captured.err


def test_intervals_are_those_of_the_waves(long: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert qrsd("intervals", long, "--json") == 0
    [row] = json.loads(capsys.readouterr().out)["records"]
    anatomy = heart().anatomy
    rr_ms = 60_000 / anatomy.heart_rate_bpm
    p, q, _, _, t = anatomy.waves
    per_rad = rr_ms / (2 * np.pi)
    assert len(row["strips"]) == 20
    assert row["rr_ms"] == pytest.approx(rr_ms, rel=0.02)
    onset_ms = (q.angle_rad - 2.5 * q.width_rad) * per_rad
    tangent_ms = (t.angle_rad + 2 * t.width_rad) * per_rad  # of its steepest point, on the level
    assert row["qt_ms"] == pytest.approx(tangent_ms - onset_ms, abs=30)
    p_onset_ms = (p.angle_rad - 2.5 * p.width_rad) * per_rad
    assert row["pr_ms"] == pytest.approx(onset_ms - p_onset_ms, abs=30)
    assert qrsd("intervals", long) == 0
    assert "QTc (Bazett), ms" in capsys.readouterr().out


def test_features_are_a_row_for_each_beat(
    tmp_path: Path, long: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "beats.csv"
    assert qrsd("features", long, "--out", table) == 0
    with table.open(newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
        assert tuple(reader.fieldnames or ()) == COLUMNS
    beats = analyse(str(long), None).beats
    assert [int(row["r_index"]) for row in rows] == [beat.r_index for beat in beats]
    expected = beat_features(beats[50].ecg_mv)
    assert [float(rows[50][name]) for name in NAMES] == pytest.approx(
        [*expected.values()], abs=1e-5
    )
    assert float(rows[50]["qt_ms"]) > 250


def test_parquet_says_what_csv_says(tmp_path: Path, long: Path) -> None:
    tables = [tmp_path / "beats.csv", tmp_path / "beats.parquet"]
    for table in tables:
        assert qrsd("features", long, long, "--out", table) == 0
        assert stat.S_IMODE(table.stat().st_mode) == 0o600
    with tables[0].open(newline="") as file:
        expected = list(csv.DictReader(file))
    read = pyarrow.parquet.read_table(tables[1])
    assert read.column_names == list(COLUMNS)
    texts = [
        {name: "" if value is None else str(value) for name, value in row.items()}
        for row in read.to_pylist()
    ]
    assert texts == expected
    assert texts[0]["rr_ms"] == ""


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_without_a_beat_there_is_no_table(tmp_path: Path, suffix: str) -> None:
    flat = tmp_path / "flat.csv"
    flat.write_text(
        "timestamp, Channel 1, Channel 2\n" + "".join(f"{4 * n},0,0\n" for n in range(5000))
    )
    table, old = tmp_path / f"beats{suffix}", tmp_path / f"old{suffix}"
    old.write_text("of another day")
    for out in (table, old):
        assert qrsd("features", flat, tmp_path / "none.csv", "--out", out) != 0
    assert not table.exists()
    assert old.read_text() == "of another day"


def test_a_table_that_cannot_be_written_is_named_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(ResultsNotWritable, match="nowhere") as caught:
        qrsd("features", tmp_path / "no.csv", "--out", tmp_path / "nowhere" / "beats.csv")
    assert exit_code(caught.value) == 73
    with pytest.raises(SystemExit) as refused:  # no CSV in a file that is called otherwise
        qrsd("features", tmp_path / "no.csv", "--out", tmp_path / "beats.xlsx")
    assert refused.value.code == 2
    assert not (tmp_path / "beats.xlsx").exists()


def test_columns_and_figures_are_documented() -> None:
    told = (Path(__file__).parents[3] / "docs" / "hrv.md").read_text()
    for name in (*NEEDS, *COLUMNS):
        if not name.startswith("mfcc_"):
            assert f"`{name}`" in told
