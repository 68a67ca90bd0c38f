"""``qrsd digitize``, and what other commands say of a recording that was read from paper."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.paper.pages import Paper, draw, printed
from daemon.paper.errors import PageUnusable
from daemon.recordings.errors import RecordingNotWritten
from daemon.recordings.recording import OpenRecording, read_recording
from drivers.waveforms.hearts import Heart
from tests.daemon.commands.command import qrsd
from tests.daemon.hearts import write_heart

NOTE = "read from paper"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scan of ten seconds of a heart."""
    paper = Paper(dpi=150)
    file = tmp_path_factory.mktemp("pages") / "scan.png"
    cv2.imwrite(str(file), draw([printed(Heart(3).ecg_mv[:3000], paper)], paper))
    return file


@pytest.mark.parametrize("suffix", ["bdf", "hea", "csv"])
def test_a_page_becomes_a_recording_that_every_command_reads(
    tmp_path: Path, page: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / f"heart.{suffix}"
    assert qrsd("digitize", page, out) == 0
    told = capsys.readouterr()
    assert "25 mm/s and 10 mm/mV, quality" in told.out
    assert "note: " in told.err
    opened = OpenRecording(out)
    assert list(opened.file.names)[:2] == ["ECG", "Uncertainty"]
    recording = read_recording(out, signal=None)
    assert recording.duration_s == pytest.approx(10, abs=0.5 + (suffix == "bdf"))
    assert 0.5 < np.nanmax(recording.ecg_mv) < 3
    assert any(note.startswith(NOTE) for note in recording.notes)
    assert qrsd("detect", out, "--out", tmp_path / "beats") == 0
    with pytest.raises(RecordingNotWritten, match="give another name"):
        qrsd("digitize", page, out)


def test_verify_and_identify_say_that_paper_is_weaker_evidence(
    tmp_path: Path, page: Path, embedder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "heart.bdf"
    qrsd("digitize", page, out)
    plain = write_heart(tmp_path / "plain.csv", seed=3)
    capsys.readouterr()
    qrsd("verify", out, plain, "--model", embedder)
    assert capsys.readouterr().err.count(NOTE) == 1
    qrsd(
        "enroll", "Ada", "--record", plain, "--model", embedder, "--gallery", tmp_path / "g.sqlite"
    )
    capsys.readouterr()
    qrsd("identify", out, "--model", embedder, "--gallery", tmp_path / "g.sqlite")
    assert capsys.readouterr().err.count(NOTE) == 1


def test_a_converted_recording_still_says_that_it_was_paper(tmp_path: Path, page: Path) -> None:
    qrsd("digitize", page, tmp_path / "heart.csv")
    qrsd("convert", tmp_path / "heart.csv", tmp_path / "heart.edf")
    assert any(each.startswith(NOTE) for each in OpenRecording(tmp_path / "heart.edf").notes)


def test_what_was_read_is_told_in_json(
    tmp_path: Path, page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert qrsd("digitize", page, tmp_path / "heart.bdf", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["mm_per_s"], told["mm_per_mv"]) == (25, 10)
    assert told["duration_s"] == pytest.approx(10, abs=0.5)
    assert 0 < told["error_mv"] < 0.1
    assert told["notes"]


def test_a_format_that_is_not_written_is_told_before_the_page_is_read(tmp_path: Path) -> None:
    with pytest.raises(PageUnusable, match=r"one of the suffixes \.bdf, \.hea, \.csv"):
        qrsd("digitize", tmp_path / "none.png", tmp_path / "heart.edf")


def test_a_page_that_is_refused_leaves_no_recording(tmp_path: Path) -> None:
    cv2.imwrite(f"{tmp_path}/white.png", np.full((600, 900, 3), 255, np.uint8))
    with pytest.raises(PageUnusable, match="no millimetre paper is found"):
        qrsd("digitize", tmp_path / "white.png", tmp_path / "heart.csv")
    assert not (tmp_path / "heart.csv").exists()
