"""Reading a recording: the right signal, in mV, at 250 Hz, or one clear sentence why not."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from daemon.commands.exit_codes import exit_code
from daemon.recordings.errors import (
    MalformedRecording,
    RecordingNotFound,
    RecordsExtraMissing,
    SignalNotFound,
)
from daemon.recordings.recording import read_recording
from daemon.recordings.resampling import to_250_hz

wfdb = pytest.importorskip("wfdb", reason="needs pip install '.[records]'")


def write_record(folder: Path, signals_mv: np.ndarray, rate_hz: float, units: str = "mV") -> Path:
    """Write a two-channel record with the reference library, at 2000 codes a unit."""
    wfdb.wrsamp(
        "heart",
        fs=rate_hz,
        units=[units, units],
        sig_name=["Lead I", "Lead II"],
        p_signal=signals_mv,
        fmt=["16", "16"],
        adc_gain=[2000.0, 2000.0],
        baseline=[0, 0],
        write_dir=str(folder),
    )
    return folder / "heart"


def sine_mv(frequency_hz: float, rate_hz: float, seconds: float) -> np.ndarray:
    return np.sin(2 * np.pi * frequency_hz * np.arange(round(seconds * rate_hz)) / rate_hz)


@pytest.mark.parametrize("rate_hz", [128, 257.5, 360, 500, 1000])
@pytest.mark.parametrize("frequency_hz", [1, 17, 40])
def test_a_sine_comes_out_sample_for_sample_as_its_closed_form(
    rate_hz: float, frequency_hz: float
) -> None:
    resampled = to_250_hz(sine_mv(frequency_hz, rate_hz, 8), rate_hz)
    expected = sine_mv(frequency_hz, 250, 8)
    assert len(resampled) == len(expected)
    middle = slice(250, -250)  # the filter sees past the ends
    np.testing.assert_allclose(resampled[middle], expected[middle], atol=2e-3)


def test_at_250_hz_nothing_is_touched() -> None:
    mv = sine_mv(17, 250, 2)
    assert np.array_equal(to_250_hz(mv, 250.0), mv)


def test_an_electrode_offset_does_not_ring() -> None:
    resampled = to_250_hz(np.full(3600, 300.0), 360)
    np.testing.assert_allclose(resampled, 300.0, atol=1e-9)


def test_missing_samples_stay_missing_and_spoil_none_of_their_neighbours() -> None:
    mv = sine_mv(1, 500, 4)
    mv[1000:1100] = np.nan
    resampled = to_250_hz(mv, 500)
    assert np.array_equal(np.flatnonzero(np.isnan(resampled)), np.arange(500, 550))
    rest = ~np.isnan(resampled)
    rest[:50] = rest[-50:] = False
    np.testing.assert_allclose(resampled[rest], sine_mv(1, 250, 4)[rest], atol=0.02)


@pytest.mark.parametrize("spelling", ["heart", "heart.hea"])
@pytest.mark.parametrize("signal", ["1", "Lead II", "lead ii"])
def test_what_wfdb_wrote_is_read_back_whatever_the_spelling(
    tmp_path: Path, spelling: str, signal: str
) -> None:
    signals_mv = np.column_stack((sine_mv(1, 250, 4), sine_mv(2, 250, 4)))
    write_record(tmp_path, signals_mv, 250)
    recording = read_recording(tmp_path / spelling, signal)
    np.testing.assert_allclose(recording.ecg_mv, signals_mv[:, 1], atol=0.5 / 2000)
    assert recording.name == f"{tmp_path.name}/heart"
    assert recording.duration_s == 4


def test_microvolts_and_volts_become_millivolts(tmp_path: Path) -> None:
    signals = np.column_stack((sine_mv(1, 250, 4), sine_mv(1, 250, 4)))
    for units, mv_per_unit in (("uV", 1e-3), ("V", 1e3)):
        recording = read_recording(write_record(tmp_path, signals, 250, units))
        np.testing.assert_allclose(recording.ecg_mv.max(), mv_per_unit, rtol=1e-3)


def test_a_signal_that_is_no_voltage_is_refused(tmp_path: Path) -> None:
    record = write_record(tmp_path, np.ones((1000, 2)), 250, "mmHg")
    with pytest.raises(MalformedRecording, match="is in mmHg, not in mV"):
        read_recording(record)


def test_invalid_samples_are_not_a_number(tmp_path: Path) -> None:
    signals_mv = np.column_stack((sine_mv(1, 250, 4), sine_mv(2, 250, 4)))
    signals_mv[100:200, 0] = np.nan
    recording = read_recording(write_record(tmp_path, signals_mv, 250))
    assert np.array_equal(np.flatnonzero(np.isnan(recording.ecg_mv)), np.arange(100, 200))


def test_a_record_without_one_valid_sample_is_refused(tmp_path: Path) -> None:
    signals_mv = np.column_stack((np.full(1000, np.nan), np.ones(1000)))
    record = write_record(tmp_path, signals_mv, 250)
    with pytest.raises(MalformedRecording, match="not one valid sample"):
        read_recording(record)


@pytest.mark.parametrize("signal", ["2", "-1", "V5"])
def test_an_unknown_signal_is_told_which_there_are(tmp_path: Path, signal: str) -> None:
    record = write_record(tmp_path, np.ones((1000, 2)), 250)
    with pytest.raises(SignalNotFound, match=r"0 \(Lead I\), 1 \(Lead II\)"):
        read_recording(record, signal)


def test_what_is_not_there_is_named_and_has_its_exit_code(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("no ECG")
    for path, reason in (
        (tmp_path / "absent", "no recording"),
        (tmp_path / "absent.csv", "no file"),
        (tmp_path, "is a folder"),
        (tmp_path / "notes.md", "is no recording"),
    ):
        with pytest.raises(RecordingNotFound, match=reason) as caught:
            read_recording(path)
        assert exit_code(caught.value) == 66


def test_a_header_without_its_data_file_is_named(tmp_path: Path) -> None:
    record = write_record(tmp_path, np.ones((1000, 2)), 250)
    record.with_suffix(".dat").unlink()
    with pytest.raises(RecordingNotFound, match="data file that is missing"):
        read_recording(record)


@pytest.mark.parametrize(
    "header", ["", "# nothing", "heart", "heart 1\nheart.dat", "heart 1 0 100\nheart.dat 16"]
)
def test_a_broken_header_is_malformed(tmp_path: Path, header: str) -> None:
    (tmp_path / "heart.hea").write_text(header)
    (tmp_path / "heart.dat").write_bytes(b"")
    with pytest.raises((MalformedRecording, SignalNotFound)) as caught:
        read_recording(tmp_path / "heart")
    assert exit_code(caught.value) == 65


def test_a_data_file_cut_short_is_read_to_there_and_that_is_said(tmp_path: Path) -> None:
    record = write_record(tmp_path, np.ones((1000, 2)), 250)
    data = record.with_suffix(".dat")
    data.write_bytes(data.read_bytes()[:1001])
    recording = read_recording(record)
    np.testing.assert_allclose(recording.ecg_mv, np.ones(250))
    assert any("250 frames of 1000 are there" in note for note in recording.notes)


def test_what_may_not_be_read_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = write_record(tmp_path, np.ones((1000, 2)), 250)

    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)  # as root, who runs some of the tests, reads all
    with pytest.raises(RecordingNotFound, match=r"heart\.hea cannot be read: Permission denied"):
        read_recording(record)


def test_without_the_wfdb_package_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = write_record(tmp_path, np.ones((1000, 2)), 250)
    monkeypatch.setitem(sys.modules, "wfdb", None)
    with pytest.raises(RecordsExtraMissing, match=r"\.venv/bin/pip install '\.\[records\]'"):
        read_recording(record)


def test_a_record_of_ecg_id_agrees_with_the_reference_library(shared_data) -> None:
    path = shared_data("ecg-id") / "Person_01" / "rec_1"
    reference = wfdb.rdrecord(str(path), channels=[0])
    recording = read_recording(path)
    assert len(recording.ecg_mv) == 5000
    # A zero-phase resampler moves nothing: every second sample, but for what lies above 125 Hz.
    difference = recording.ecg_mv - reference.p_signal[::2, 0]
    assert np.std(difference) < 0.15 * np.std(reference.p_signal)
    lag = np.argmax(np.correlate(recording.ecg_mv, reference.p_signal[::2, 0], "full")) - 4999
    assert lag == 0


def test_the_folder_that_one_is_in_is_no_recording() -> None:
    with pytest.raises(RecordingNotFound, match="is a folder"):
        read_recording(Path("."))
