"""``qrsd rhythm`` on a made-up heart whose wide beats are known, told by a rule of thumb."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from daemon.errors import ResultsNotWritable
from daemon.offline import pieces
from model.rhythm import CAUTION
from tests.daemon.commands.bigeminy import KINDS, heart, write_bigeminy
from tests.daemon.commands.command import qrsd
from tests.model.beat_rule import BeatRule

NEAR = 15  # samples


@pytest.fixture(autouse=True)
def rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "BeatNetwork", BeatRule)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bigeminy(tmp_path_factory.mktemp("hearts") / "one.csv")


def read(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_beats_and_episodes_are_where_they_were_made(record: Path, tmp_path: Path) -> None:
    outs = ("--beats-out", tmp_path / "beats", "--rhythm-out", tmp_path / "rhythm")
    assert qrsd("rhythm", record, *outs) == 0
    places = heart()[1]
    beats = read(tmp_path / "beats" / "one.csv")
    assert list(beats[0]) == ["sample", "label", "abnormal"]
    samples = np.array([int(row["sample"]) for row in beats])
    assert np.all(np.diff(samples) > 0)
    nearest = np.abs(samples[:, None] - places).argmin(axis=0)
    labels = [beats[at]["label"] for at in nearest]
    settled = slice(20, len(KINDS) - 1)  # the last beat's window is cut off
    assert "".join(labels[settled]) == KINDS[settled]
    for row in beats:
        assert (row["abnormal"] == "") == (row["label"] == "Q")
        if row["abnormal"]:
            assert (float(row["abnormal"]) > 0.5) == (row["label"] == "V")
    episodes = read(tmp_path / "rhythm" / "one.csv")
    assert [row["kind"] for row in episodes] == ["bigeminy", "ventricular_run"]
    for row, begins, ends in zip(episodes, ("NVNVNV", "VVV"), ("NVNN", "VVV"), strict=True):
        first, last = KINDS.index(begins), KINDS.index(ends, KINDS.index(begins))
        assert abs(int(row["onset"]) - places[first]) < 2 * 250
        assert int(row["end"]) - int(row["onset"]) >= 0
        assert abs(int(row["end"]) - places[last + len(ends) - 1]) < 2 * 250


def test_the_words_are_with_the_episodes(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert qrsd("rhythm", record) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert CAUTION in printed
    assert "bigeminy" in printed
    assert qrsd("rhythm", record, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["caution"] == CAUTION
    [row] = told["records"]
    assert row["beats"]["V"] == KINDS.count("V")
    judged = sum(row["beats"].values()) - row["beats"]["Q"]
    assert row["abnormal_share"] == pytest.approx(KINDS.count("V") / judged)
    assert [each["kind"] for each in row["episodes"]] == ["bigeminy", "ventricular_run"]
    with pytest.raises(SystemExit):
        qrsd("rhythm", "--help")
    assert CAUTION in " ".join(capsys.readouterr().out.split())


def test_records_of_one_name_do_not_overwrite_each_other(
    record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("ada", "bob"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "one.csv").write_text(record.read_text())
    records = (tmp_path / "ada" / "one.csv", tmp_path / "bob" / "one.csv")
    assert qrsd("rhythm", *records, "--beats-out", tmp_path / "out", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["gross"]["beats"]["V"] == 2 * KINDS.count("V")
    assert told["gross"]["abnormal_share"] == told["records"][0]["abnormal_share"]
    written = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert written == ["ada_one.csv", "bob_one.csv"]


def test_no_table_is_written_over_a_record_or_another_table(record: Path, tmp_path: Path) -> None:
    before = record.read_bytes()
    with pytest.raises(ResultsNotWritable, match=r"one.csv is a record; choose another folder"):
        qrsd("rhythm", record, "--beats-out", record.parent)
    with pytest.raises(ResultsNotWritable, match=r"one.csv: File exists; choose another folder"):
        qrsd("rhythm", record, "--beats-out", record)
    assert record.read_bytes() == before
    with pytest.raises(ResultsNotWritable, match="choose two folders"):
        qrsd("rhythm", record, "--beats-out", tmp_path, "--rhythm-out", tmp_path / "x" / "..")


def test_the_newest_of_what_was_recorded(
    record: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    (recordings / "2026-11-28T105539Z.csv").write_bytes(record.read_bytes())
    tables = tmp_path / "tables"
    assert qrsd("rhythm", "--last", "0.5min", "--rhythm-out", tables, "--json") == 0
    [told] = json.loads(capsys.readouterr().out)["records"]
    assert told["duration_s"] == 30
    assert [each["kind"] for each in told["episodes"]] == ["ventricular_run"]
    before_s = len(heart()[0]) / 250 - 30
    [run] = read(tables / "recordings.csv")
    assert int(run["onset"]) == pytest.approx(
        heart()[1][KINDS.index("VVV")] - before_s * 250, abs=NEAR
    )
    for wrong in ((record, "--last", "1h"), ()):
        with pytest.raises(SystemExit):
            qrsd("rhythm", *wrong)


def test_a_picture_is_drawn(record: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs pip install '.[benchmark]'")
    assert qrsd("rhythm", record, "--picture", tmp_path / "one.png") == 0
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


def test_without_a_good_beat_it_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flat = tmp_path / "flat.csv"
    flat.write_text("\n".join(["timestamp, Channel 1, Channel 2", *["0, 0, 5"] * 5000]))
    assert qrsd("rhythm", flat, tmp_path / "nowhere.csv") in (65, 66)
    said = capsys.readouterr()
    assert "no good beat" in said.err
    assert "nowhere.csv" in said.err
    assert "no episodes" in said.out
