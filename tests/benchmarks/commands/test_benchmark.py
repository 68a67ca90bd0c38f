"""``qrsd benchmark qrs`` on synthetic records whose beats are known."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from benchmarks.qrs import peers
from benchmarks.qrs.errors import NothingToScore
from daemon.__main__ import main
from daemon.commands.exit_codes import exit_code
from daemon.errors import ExtraMissing
from tests.dsp.heartbeats import ecg, regular

SECONDS = 25


def write_record(folder: Path, name: str, signals: dict[str, np.ndarray], **marks: Any) -> Path:
    """Write a WFDB record at 250 Hz with annotations: ``sample``, ``symbol``, ``note``."""
    wfdb = pytest.importorskip("wfdb", reason="needs pip install '.[records]'")
    folder.mkdir(exist_ok=True)
    wfdb.wrsamp(
        name,
        fs=250,
        units=["mV"] * len(signals),
        sig_name=list(signals),
        p_signal=np.column_stack(list(signals.values())),
        fmt=["16"] * len(signals),
        write_dir=str(folder),
    )
    order = np.argsort(marks["sample"], kind="stable")
    sample, symbol = np.array(marks["sample"])[order], np.array(marks["symbol"])[order]
    notes = [marks["note"][at] for at in order] if "note" in marks else None
    wfdb.wrann(name, "atr", sample, symbol.tolist(), fs=250, aux_note=notes, write_dir=str(folder))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two records: one with its ECG in the signal MLII, one with flutter in the middle."""
    steady = regular(70, SECONDS)
    steady = steady[steady < (SECONDS - 0.5) * 250]
    flat = np.zeros(SECONDS * 250)
    heart = ecg(steady, SECONDS * 250)
    db = tmp_path / "db"
    labels = ["N"] * len(steady)
    write_record(db, "one", {"V5": flat, "MLII": heart}, sample=steady, symbol=labels)
    annotated = (steady < 10 * 250) | (steady > 15 * 250)
    write_record(
        db,
        "two",
        {"II": heart},
        sample=[*steady[annotated], 10 * 250, 12 * 250, 15 * 250],
        symbol=["N"] * int(annotated.sum()) + ["[", "!", "]"],
    )
    return db


def benchmark(folder: Path, *options: str | Path) -> int:
    arguments = ["benchmark", "qrs", "--db", folder, "--from", "3", "--jobs", "1", *options]
    return main([str(argument) for argument in arguments])


def test_every_known_beat_is_found_and_flutter_is_left_out(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert benchmark(folder, "--json", "-") == 0
    figures = json.loads(capsys.readouterr().out)
    one, two = figures["records"]["one"]["qrsd"], figures["records"]["two"]["qrsd"]
    assert one["beats"] > two["beats"] > 15
    assert figures["detectors"]["qrsd"]["error_rate_percent"] == 0
    assert abs(one["bias_ms"]) <= 4
    assert one["sd_ms"] <= 4
    in_passing = one["latency"]["in_passing"]
    assert 60 <= in_passing["median_ms"] <= 150
    assert in_passing["share_percent"] == 100
    assert one["latency"]["by_search_back"]["median_ms"] is None
    assert one["us_per_sample"] > one["detector_us_per_sample"] > 0


def test_an_annotation_without_a_heartbeat_counts_as_missed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beats = regular(60, 20)[2:-2]
    heart = ecg(np.delete(beats, 8), 20 * 250)
    db = folder.parent / "missing"
    write_record(db, "one", {"I": heart}, sample=beats, symbol=["N"] * len(beats))
    assert benchmark(db, "--json", "-", "--between-annotations") == 0
    score = json.loads(capsys.readouterr().out)["detectors"]["qrsd"]
    assert (score["missed"], score["invented"]) == (1, 0)


def test_tables_show_each_record_and_the_gross_result(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert benchmark(folder, "--ablate") == 0
    printed = capsys.readouterr().out
    for text in ("one", "two", "gross", "us a sample", "by search-back", "never decays"):
        assert text in printed


def test_peers_stand_beside_the_detector(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "require_peers", lambda: None)
    monkeypatch.setattr(peers, "PEERS", {"wfdb xqrs": peers.PEERS["wfdb xqrs"]})
    assert benchmark(folder, "--peers") == 0
    printed = capsys.readouterr().out
    assert "wfdb xqrs" in printed
    assert "1.000 x" in printed


@pytest.mark.benchmark
def test_all_peers_find_the_beats_of_a_plain_heart(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for library in ("biosppy", "neurokit2", "sleepecg"):
        pytest.importorskip(library, reason="needs pip install '.[benchmark]'")
    assert benchmark(folder, "--peers", "--json", "-") == 0
    detectors = json.loads(capsys.readouterr().out)["detectors"]
    assert set(detectors) == {"qrsd", *peers.PEERS}
    assert all(figures["f1_percent"] > 90 for figures in detectors.values())
    assert all(detectors[peer]["latency"] is None for peer in peers.PEERS)


@pytest.mark.benchmark
def test_the_picture_and_the_figures_are_written(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib", reason="needs pip install '.[benchmark]'")
    json_file, picture = tmp_path / "figures.json", tmp_path / "figures.png"
    assert benchmark(folder, "--json", json_file, "--picture", picture) == 0
    assert json.loads(json_file.read_text())["protocol"]["from_s"] == 3
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_side_by_side_is_the_same_as_one_by_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    errors = []
    for jobs in ("1", "2"):
        assert benchmark(folder, "--json", "-", "--jobs", jobs) == 0
        records = json.loads(capsys.readouterr().out)["records"]
        errors.append([(name, found["qrsd"]["bias_ms"]) for name, found in records.items()])
    assert errors[0] == errors[1]


@pytest.mark.parametrize(
    ("options", "complaint", "exit_code"),
    [
        (["--annotator", "qrs"], "holds no WFDB record (.hea) with annotations (.qrs)", 66),
        (["--from", "300"], "try --from 0", 66),
        (["--signal", "V9"], "no signal 'V9'", 65),
        (["--json", "/nowhere/figures.json"], "choose another file", 73),
    ],
)
def test_what_cannot_be_done_is_one_line_with_its_exit_code(
    folder: Path,
    options: list[str],
    complaint: str,
    exit_code: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert benchmark(folder, *options) == exit_code
    assert complaint in capsys.readouterr().err


def test_annotations_that_cannot_be_read_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "two.atr").write_bytes(b"\x01")
    assert benchmark(folder) == 65
    assert "two.atr cannot be read" in capsys.readouterr().err


def test_a_missing_library_is_named_with_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("biosppy", "neurokit2"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "sleepecg", None)
    words = r"sleepecg, which is not installed: \.venv/bin/pip install '\.\[benchmark\]'"
    with pytest.raises(ExtraMissing, match=words) as caught:
        peers.require_peers()
    assert exit_code(caught.value) == 69


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NothingToScore):
        importlib.import_module("benchmarks.qrs.records").find_records(tmp_path, "atr")
