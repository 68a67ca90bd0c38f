"""What files say of units, and what the user says of files."""

from __future__ import annotations

from pathlib import Path

import edfio
import numpy as np
import pytest

from daemon.recordings.errors import MalformedRecording
from daemon.recordings.recording import read_recording
from daemon.recordings.signal_file import Reading, voltage_unit


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("ECG[mV]", "mv"),
        ("ECG mV (lead I)", "mv"),
        ("mV_filtered", "mv"),
        ("ecgInMillivolts", "mv"),
        ("ecgmV", "mv"),
        ("EcgMicroVolt", "uv"),
        ("ecg_microVolts_raw", "uv"),
        ("voltage_uv_ch1", "uv"),
        ("valueUv", "uv"),
        ("ECG_V", "v"),
        ("V", "v"),
        ("V5", None),
        ("Lead V (chest)", None),
        ("III, IV", None),
        ("2.5 uV/bit", None),
        ("10uV", None),
        ("kV", None),
        ("conv", None),
    ],
)
def test_a_unit_is_found_anywhere_in_a_heading(text: str, unit: str | None) -> None:
    assert voltage_unit(text) == unit


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("utf-8", "latin-1"),
        ("iso8859_7", "latin-1"),
        ("cp1253", "latin-1"),
        ("cp437", "latin-1"),
        ("shift_jis", "latin-1"),
        ("gbk", "latin-1"),
    ],
)
def test_a_micro_sign_is_one_in_another_code_page(written: str, read: str) -> None:
    micro = "\N{MICRO SIGN}" if written == "cp437" else "\N{GREEK SMALL LETTER MU}"
    assert voltage_unit(f"ECG ({micro}V)".encode(written).decode(read)) == "uv"


@pytest.fixture(params=["table", "wfdb", "edf"])
def says_250_hz_and_mv(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    mv = np.round(np.sin(np.arange(1000) / 7), 2)
    if request.param == "table":
        lines = (f"{4 * row},{value}\n" for row, value in enumerate(mv))
        (tmp_path / "rec.csv").write_text("ms,ecg_mV\n" + "".join(lines))
        return tmp_path / "rec.csv"
    if request.param == "wfdb":
        pytest.importorskip("wfdb", reason="needs pip install '.[records]'")
        (tmp_path / "rec.hea").write_text("rec 1 250 1000\nrec.dat 16 100/mV 16 0 0 0 0 ECG\n")
        np.rint(mv * 100).astype("<i2").tofile(tmp_path / "rec.dat")
        return tmp_path / "rec"
    signal = edfio.EdfSignal(mv, 250, physical_dimension="mV", physical_range=(-1, 1))
    edfio.Edf([signal]).write(tmp_path / "rec.edf")
    return tmp_path / "rec.edf"


def test_the_user_s_word_counts_and_that_the_file_says_other_is_noted(
    says_250_hz_and_mv: Path,
) -> None:
    as_said = read_recording(says_250_hz_and_mv)
    assert not any("as told" in note for note in as_said.notes)
    agreed = read_recording(says_250_hz_and_mv, "0", Reading(rate_hz=250.3, unit="mV"))
    assert not any("though" in note for note in agreed.notes)
    told = read_recording(says_250_hz_and_mv, "0", Reading(rate_hz=125, unit="uV"))
    assert "read at 125 Hz as told, though the file says 250 Hz" in told.notes
    assert "taken as uV as told, though the file says mV" in told.notes
    assert told.duration_s == 2 * as_said.duration_s
    assert np.ptp(told.ecg_mv) == pytest.approx(np.ptp(as_said.ecg_mv) / 1000, rel=0.02)


def test_a_gain_says_nothing_of_voltages(says_250_hz_and_mv: Path) -> None:
    with pytest.raises(MalformedRecording, match="--gain does not apply"):
        read_recording(says_250_hz_and_mv, "0", Reading(gain=12))


def test_a_rate_that_only_the_user_says_is_no_contradiction(tmp_path: Path) -> None:
    pytest.importorskip("wfdb", reason="needs pip install '.[records]'")
    (tmp_path / "rec.hea").write_text("rec 1\nrec.dat 16\n")
    np.arange(1000, dtype="<i2").tofile(tmp_path / "rec.dat")
    recording = read_recording(tmp_path / "rec", "0", Reading(rate_hz=500))
    assert len(recording.ecg_mv) == 500
    assert not any("rate" in note or "Hz" in note for note in recording.notes)
