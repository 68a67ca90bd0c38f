"""``qrsd evaluate attacks`` on a generated heart, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from daemon.errors import ResultsNotWritable
from daemon.recordings.errors import RecordingNotFound
from drivers.frame import millivolts_per_count
from drivers.waveforms.hearts import Heart
from tests.daemon.commands.command import qrsd

SAMPLES = 20 * 250
MUSCLE_MV = 0.01


def write_person(folder: Path, seed: int) -> Path:
    """Write two recordings of twenty seconds of a synthetic heart with muscles."""
    folder.mkdir(parents=True)
    heart = Heart(seed).ecg_mv
    for record in (0, 1):
        muscle_mv = np.random.default_rng(record).normal(0, MUSCLE_MV, SAMPLES)
        ecg_mv = heart[2 * record * SAMPLES :][:SAMPLES] + muscle_mv
        codes = np.rint(ecg_mv / millivolts_per_count(6, 2.42)).astype(int)
        rows = [f"{4 * row}, {code}" for row, code in enumerate(codes)]
        (folder / f"rec_{record}.csv").write_text("\n".join(["timestamp, Channel 1", *rows]))
    return folder


def test_loops_are_told_and_a_fresh_recording_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_person(tmp_path / "people" / "Ada", 5)
    figures, page = tmp_path / "figures.json", tmp_path / "page.md"
    assert (
        qrsd(
            "evaluate",
            "attacks",
            tmp_path / "people",
            "--json",
            figures,
            "--table",
            page,
            "--jobs",
            "1",
        )
        == 0
    )
    measured = json.loads(figures.read_text())
    assert (measured["persons"], measured["data"]) == (1, ["people"])
    assert measured["bona_fide"]["bpcer"]["percent"] == 0
    attacks = measured["attacks"]
    for loop in ("three beats, over and over", "ten beats, over and over"):
        assert attacks[loop]["apcer"]["percent"] == 0
        assert attacks[loop]["accepted_at_end"]["percent"] == 0
    assert attacks["the whole recording, once"]["apcer"]["percent"] == 100
    assert attacks["flat line"]["apnrr"]["percent"] == 100
    for name in attacks:
        assert f"| {name} |" in page.read_text()
    assert "BPCER" in capsys.readouterr().out


def test_nobody_is_judged_whom_the_thresholds_were_set_on(tmp_path: Path) -> None:
    write_person(tmp_path / "people" / "Person_07", 7)
    with pytest.raises(RecordingNotFound, match="give others"):
        qrsd("evaluate", "attacks", tmp_path / "people")


def test_a_place_that_cannot_be_written_to_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(ResultsNotWritable, match="choose another file"):
        qrsd("evaluate", "attacks", tmp_path, "--json", tmp_path / "missing" / "figures.json")
