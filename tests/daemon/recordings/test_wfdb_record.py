"""WFDB records as real devices write them: headers that the reference library trips over."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from daemon.recordings import resampling, wfdb_record
from daemon.recordings.errors import MalformedRecording, RecordingNotFound
from daemon.recordings.recording import read_recording
from daemon.recordings.resampling import resampled_blocks, to_250_hz

pytest.importorskip("wfdb", reason="needs pip install '.[records]'")

SAMPLES = np.arange(-1000, 1000, dtype="<i2")


def write(folder: Path, header: str | bytes, samples: np.ndarray = SAMPLES) -> Path:
    (folder / "rec.hea").write_bytes(header.encode() if isinstance(header, str) else header)
    samples.astype("<i2").tofile(folder / "rec.dat")
    return folder / "rec"


def one_signal(first: str = "rec 1 250 2000", gain: str = "200(0)/mV") -> str:
    return f"{first}\nrec.dat 16 {gain} 16 0 0 0 0 ECG\n"


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("micro", ["\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}", "u"])
def test_a_microvolt_is_one_in_any_encoding(tmp_path: Path, micro: str, encoding: str) -> None:
    if micro == "\N{GREEK SMALL LETTER MU}" and encoding == "latin-1":
        pytest.skip("Latin-1 has no Greek letters")
    header = one_signal(gain=f"1(0)/{micro}V").encode(encoding)
    np.testing.assert_allclose(read_recording(write(tmp_path, header)).ecg_mv, SAMPLES / 1000)


@pytest.mark.parametrize(
    "unit", ["microV", "uVolts", "Microvolt", "?V", "\N{LATIN SMALL LETTER AE}V"]
)
def test_a_microvolt_is_one_in_any_spelling(tmp_path: Path, unit: str) -> None:
    recording = read_recording(write(tmp_path, one_signal(gain=f"1(0)/{unit}")))
    np.testing.assert_allclose(recording.ecg_mv, SAMPLES / 1000)


@pytest.mark.parametrize(
    ("first", "note"),
    [
        ("rec 1 250 2000 10:00:00 16/03/199", "date"),
        ("rec 1 250 2000 10:00:00 2006", "date"),
        ("rec 1 250 2000 25h 1/1/2000", "date"),
        ("rec 1 250 2000 10:00:00 03/31/2006", "date"),
        ("rec 1 250 2000 24:00:00 01/01/2006", "date"),
        ("rec 1 250 -2000", "length"),
        ("rec 1 250 99999999999999", "2000 frames of 99999999999999"),
        ("rec 1 250 0", "length"),
        ("rec 1 250", "length"),
        ("rec 1", "rate"),
    ],
)
def test_what_is_not_needed_is_done_without_and_said(tmp_path: Path, first: str, note: str) -> None:
    recording = read_recording(write(tmp_path, one_signal(first)))
    np.testing.assert_allclose(recording.ecg_mv, SAMPLES / 200)
    assert any(note in said for said in recording.notes)


def test_a_missing_gain_is_said(tmp_path: Path) -> None:
    recording = read_recording(write(tmp_path, one_signal(gain="0")))
    np.testing.assert_allclose(recording.ecg_mv, SAMPLES / 200)
    assert any("no gain: 200 steps/mV" in note for note in recording.notes)


@pytest.mark.parametrize("in_frame", [2, 10, 250])
def test_each_sample_of_a_frame_counts(tmp_path: Path, in_frame: int) -> None:
    frames = SAMPLES.reshape(-1, in_frame)
    breath = np.zeros((len(frames), 1), dtype="<i2")
    header = (
        f"rec 2 {250 // in_frame} {len(frames)}\nrec.dat 16x{in_frame} 200/mV 16 0 0 0 0 ECG\n"
        "rec.dat 16x1 100/NU 16 0 0 0 0 RESP\n"
    )
    recording = read_recording(write(tmp_path, header, np.hstack([frames, breath]).ravel()))
    np.testing.assert_allclose(recording.ecg_mv, SAMPLES / 200)


def test_segments_are_joined_and_what_they_lack_is_missing(tmp_path: Path) -> None:
    for name, signal in (("one", "ECG"), ("two", "RESP"), ("three", "ECG")):
        header = f"{name} 1 250 2000\n{name}.dat 16 200/mV 16 0 0 0 0 {signal}\n"
        (tmp_path / f"{name}.hea").write_text(header)
        SAMPLES.tofile(tmp_path / f"{name}.dat")
    (tmp_path / "layout.hea").write_text("layout 1 250 0\n~ 0 200/mV 16 0 0 0 0 ECG\n")
    segments = "layout 0\none 2000\n~ 500\ntwo 2000\nthree 2000\n"
    (tmp_path / "rec.hea").write_text(f"rec/5 1 250 6500\n{segments}")
    ecg_mv = read_recording(tmp_path / "rec").ecg_mv
    assert np.array_equal(np.flatnonzero(np.isnan(ecg_mv)), np.arange(2000, 4500))
    np.testing.assert_allclose(ecg_mv[~np.isnan(ecg_mv)], np.tile(SAMPLES, 2) / 200)


def test_of_two_signals_of_one_name_the_number_tells(tmp_path: Path) -> None:
    line = "rec.dat 16 200/mV 16 0 0 0 0 ECG\n"
    both = np.column_stack([np.zeros_like(SAMPLES), SAMPLES]).ravel()
    record = write(tmp_path, f"rec 2 250 2000\n{line}{line}", both)
    np.testing.assert_allclose(read_recording(record, "1").ecg_mv, SAMPLES / 200)


@pytest.mark.parametrize(
    ("segments", "complaint"),
    [
        ("one 2000\n~ 99999999999", "segments of 100000001999 frames"),
        ("one 2000\n~ -1", "segments of"),
        ("one 2000\nfast 2000", "segment fast has 500 frames/s; expected 250"),
        ("one 2000\nrest", "a line lacks a field"),
        ("one 2000\n../one 2000", r"\.\./one stands where a record of its folder"),
        ("/one 2000\none 2000", "/one stands where a record of its folder"),
        ("one 2000\n. 2000", r"\. stands where a record of its folder"),
        ("one 2000\nfast 7.5", "'7.5' stands where a number belongs"),
    ],
)
def test_impossible_segments_are_one_clear_line(
    tmp_path: Path, segments: str, complaint: str
) -> None:
    for name, rate_hz in (("one", 250), ("fast", 500)):
        header = f"{name} 1 {rate_hz} 2000\n{name}.dat 16 200/mV 16 0 0 0 0 ECG\n"
        (tmp_path / f"{name}.hea").write_text(header)
        SAMPLES.tofile(tmp_path / f"{name}.dat")
    (tmp_path / "rec.hea").write_text(f"rec/2 1 250 4000\n{segments}\n")
    with pytest.raises(MalformedRecording, match=complaint):
        read_recording(tmp_path / "rec")


@pytest.mark.parametrize(
    "data",
    [
        "rec.1.dat",
        "with/rec.dat",
        "../rec.dat",
        "{folder}/rec.dat",
        "Ger\N{LATIN SMALL LETTER A WITH DIAERESIS}t.dat",
    ],
)
def test_names_with_dots_and_folders_are_names(tmp_path: Path, data: str) -> None:
    folder = tmp_path / "here"
    (folder / "with").mkdir(parents=True)
    data = data.format(folder=tmp_path)
    zeros = "zeros.2.dat 16 200/mV 16 0 0 0 0 RESP\n"  # each file holds two of the four signals
    ecg = f"{data} 16 200/mV 16 0 0 0 0 ECG\n"
    (folder / "rec.1.hea").write_text(f"rec.1 4 250 2000\n{zeros}{zeros}{ecg}{ecg}")
    np.zeros(4000, dtype="<i2").tofile(folder / "zeros.2.dat")
    np.repeat(SAMPLES, 2).tofile(folder / data)
    for record in ("rec.1", "rec.1.hea"):
        np.testing.assert_allclose(read_recording(folder / record, "3").ecg_mv, SAMPLES / 200)


@pytest.mark.parametrize("rate", ["0.001", "1000000000", "1e9", "0", "nan", "49"])
def test_an_impossible_rate_is_one_clear_line(tmp_path: Path, rate: str) -> None:
    with pytest.raises(MalformedRecording, match="Hz"):
        read_recording(write(tmp_path, one_signal(f"rec 1 {rate} 2000")))


@pytest.mark.parametrize(
    ("first", "complaint"),
    [
        ('rec 1 25" 2000', "'25\"' stands where a number belongs"),
        ("rec 1 250 2000.0", "'2000.0' stands where a number belongs"),
        ("rec one 250 2000", "'one' stands where a number belongs"),
    ],
)
def test_what_is_no_number_is_named(tmp_path: Path, first: str, complaint: str) -> None:
    with pytest.raises(MalformedRecording, match=complaint):
        read_recording(write(tmp_path, one_signal(first)))
    with pytest.raises(MalformedRecording, match="'200-' stands where a number belongs"):
        read_recording(write(tmp_path, one_signal(gain="200-")))


def test_a_rate_in_scientific_notation_is_a_rate(tmp_path: Path) -> None:
    assert len(read_recording(write(tmp_path, one_signal("rec 1 5e2 2000"))).ecg_mv) == 1000


def test_a_pipe_for_data_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    record = write(tmp_path, one_signal())
    (tmp_path / "rec.dat").unlink()
    os.mkfifo(tmp_path / "rec.dat")
    with pytest.raises(RecordingNotFound, match="no regular file"):
        read_recording(record)


def test_blocks_are_read_as_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = write(tmp_path, one_signal())
    whole = read_recording(record).ecg_mv
    monkeypatch.setattr(wfdb_record, "BLOCK_SAMPLES", 77)
    assert np.array_equal(read_recording(record).ecg_mv, whole)


@pytest.mark.parametrize("rate_hz", [100, 128, 257.5, 360, 500, 333.333])
def test_a_signal_resampled_in_blocks_is_that_resampled_at_once(
    monkeypatch: pytest.MonkeyPatch, rate_hz: float
) -> None:
    monkeypatch.setattr(resampling, "BLOCK_SAMPLES", 10_000)
    signal = np.cumsum(np.random.default_rng(1).normal(0, 0.01, 64_321))
    signal[30_000:30_100] = np.nan
    blocks = list(resampled_blocks(np.array_split(signal, 30), rate_hz))
    assert len(blocks) > 1
    whole = to_250_hz(signal, rate_hz)
    joined = np.concatenate(blocks)
    assert len(joined) == len(whole)
    assert np.array_equal(np.isnan(joined), np.isnan(whole))
    np.testing.assert_allclose(joined, whole, atol=2e-3)  # the level differs, and phases by 1e-4


@pytest.mark.parametrize("signal", ["A", "B"])
def test_a_record_is_as_long_as_its_shortest_data_file(tmp_path: Path, signal: str) -> None:
    described = "rec.dat 16 200/mV 16 0 0 0 0 A\nb.dat 24 200/mV 24 0 0 0 0 B\n"
    record = write(tmp_path, "rec 2 250 2000\n" + described)
    (tmp_path / "b.dat").write_bytes(bytes(3 * 1200 + 2))
    recording = read_recording(record, signal)
    assert len(recording.ecg_mv) == 1200
    assert recording.notes == ("its data end early: 1200 frames of 2000 are there",)


def test_a_segment_that_ends_early_leaves_the_others_where_they_are(tmp_path: Path) -> None:
    for name, there in (("a", 1500), ("b", 2000)):
        SAMPLES[:there].tofile(tmp_path / f"{name}.dat")
        header = one_signal(f"{name} 1 250 2000").replace("rec.dat", f"{name}.dat")
        (tmp_path / f"{name}.hea").write_text(header)
    (tmp_path / "rec.hea").write_text("rec/2 1 250 4000\na 2000\nb 2000\n")
    recording = read_recording(tmp_path / "rec")
    expected = np.concatenate([SAMPLES[:1500], np.full(500, np.nan), SAMPLES]) / 200
    np.testing.assert_allclose(recording.ecg_mv, expected)
    assert "its data end early: 1500 frames of 2000 are there" in recording.notes


def test_compressed_data_of_unknown_length_are_refused(tmp_path: Path) -> None:
    record = write(tmp_path, one_signal("rec 1 250").replace(" 16 200", " 516 200"))
    with pytest.raises(MalformedRecording, match="no length, which compressed data do not tell"):
        read_recording(record)
