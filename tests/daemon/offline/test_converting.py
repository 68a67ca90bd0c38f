"""A recording keeps its codes and its words whatever it is converted to, and others can read it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from errno import ENOSPC
from pathlib import Path

import edfio
import numpy as np
import pytest

from daemon.offline.converting import convert
from daemon.recordings.csv_writer import CsvWriter
from daemon.recordings.edf_file import EdfFile
from daemon.recordings.errors import MalformedRecording, RecordingNotWritten
from daemon.recordings.origin import origin
from daemon.recordings.recorded import LOST, LOST_SAMPLES, R_PEAK, Annotation
from daemon.recordings.recording import read_recording
from daemon.recordings.signal_file import Reading
from daemon.recordings.wfdb_writer import WfdbWriter
from drivers.frame import millivolts_per_count
from drivers.waveforms.hearts import Heart
from tests.daemon.recordings.recordings import LAYOUT, RATE_HZ, noise, write_bdf

wfdb = pytest.importorskip("wfdb", reason="needs pip install '.[records]'")

WORDS = [
    Annotation(1, "Lead off"),
    Annotation(200, R_PEAK),
    Annotation(420, f"{R_PEAK} (noisy)"),
    Annotation(1900, "Marker: caf\N{LATIN SMALL LETTER E WITH ACUTE}"),
]
LOST_ONES = Annotation(600, LOST_SAMPLES, 300)


@pytest.fixture
def codes() -> np.ndarray:
    made = noise(9 * RATE_HZ + 50)
    made[made == LOST] += 1  # which WFDB has no room for
    made[LOST_ONES.sample : LOST_ONES.sample + LOST_ONES.samples] = LOST
    return made


@pytest.fixture
def record(tmp_path: Path, codes: np.ndarray) -> Path:
    write_bdf(tmp_path / "one.bdf", codes, [*WORDS, LOST_ONES])
    return tmp_path / "one.bdf"


def opened(path: Path) -> EdfFile:
    return EdfFile(path, Reading())


def codes_of(file: EdfFile) -> np.ndarray:
    return np.column_stack(
        [np.concatenate([codes for codes, _ in file.codes(n)]) for n in range(len(file.names))]
    )


def words_of(file: EdfFile) -> list[Annotation]:
    return [each for each in file.annotations() if each.text != "Recording ends"]


@pytest.fixture
def faster_beside(tmp_path: Path) -> Path:
    """Return an EDF file with a signal of another kind at a higher rate, and words by seconds."""
    ecg, motion = Heart(1).ecg_mv[:2500], np.zeros(5000)
    edfio.Edf(
        [
            edfio.EdfSignal(ecg, 250, label="ECG", physical_dimension="mV"),
            edfio.EdfSignal(
                motion, 500, label="Motion", physical_dimension="g", physical_range=(-1, 1)
            ),
        ],
        annotations=[
            edfio.EdfAnnotation(at_s, None, text)
            for at_s, text in ((1.0, R_PEAK), (1.5, "coffee"), (1.8, R_PEAK))
        ],
    ).write(tmp_path / "other.edf")
    return tmp_path / "other.edf"


def test_words_stay_where_they_are_beside_a_faster_signal(
    faster_beside: Path, tmp_path: Path
) -> None:
    convert(str(faster_beside), tmp_path / "two.bdf", 50)
    assert [(each.sample, each.text) for each in words_of(opened(tmp_path / "two.bdf"))] == [
        (250, R_PEAK),
        (375, "coffee"),
        (450, R_PEAK),
    ]


def test_rr_intervals_are_right_beside_a_faster_signal(faster_beside: Path, tmp_path: Path) -> None:
    convert(str(faster_beside), tmp_path / "rr.txt", 50)
    assert (tmp_path / "rr.txt").read_text() == "800\n"


def test_to_wfdb(record: Path, tmp_path: Path, codes: np.ndarray) -> None:
    assert convert(str(record), tmp_path / "two.hea", 50) == []
    read = wfdb.rdrecord(str(tmp_path / "two"), physical=False)
    assert np.array_equal(read.d_signal, codes)
    assert (read.sig_name, read.fmt, read.fs) == (["Resp", "ECG"], ["24", "24"], RATE_HZ)
    assert str(read.base_datetime) == "2026-11-28 10:55:39.123000"
    assert read.checksum == [int(total) % 65536 for total in codes.sum(axis=0)]
    mv = wfdb.rdrecord(str(tmp_path / "two")).p_signal
    assert np.flatnonzero(np.isnan(mv[:, 1])).tolist() == list(range(600, 900))
    expected = codes * [millivolts_per_count(gain, 2.42) for gain in (4, 6)]
    np.testing.assert_allclose(mv[:600], expected[:600], rtol=1e-12)


def test_to_wfdb_the_words(record: Path, tmp_path: Path) -> None:
    convert(str(record), tmp_path / "two.hea", 50)
    read = wfdb.rdann(str(tmp_path / "two"), "atr")
    assert read.sample.tolist() == [1, 200, 420, 600, 1900]
    assert read.symbol == ['"', "N", "Q", '"', '"']
    notes = ["Lead off", "", "noisy", "Lost samples; 1.2 s", WORDS[-1].text]
    told = [note.strip("\0").encode("latin-1").decode() for note in read.aux_note]
    assert told == notes


def test_from_wfdb_back(record: Path, tmp_path: Path, codes: np.ndarray) -> None:
    convert(str(record), tmp_path / "two.hea", 50)
    convert(str(tmp_path / "two.hea"), tmp_path / "three.bdf", 50)
    back = opened(tmp_path / "three.bdf")
    assert LOST_ONES in words_of(back)
    assert all(word in words_of(back) for word in WORDS)


def test_to_a_table_and_back(record: Path, tmp_path: Path, codes: np.ndarray) -> None:
    convert(str(record), tmp_path / "two.csv", 50)
    for number, gain in enumerate((4, 6)):
        read_mv = read_recording(tmp_path / "two.csv", ("Resp", "ECG")[number]).ecg_mv
        back = np.rint(read_mv / millivolts_per_count(gain, 2.42))
        assert np.array_equal(np.where(np.isnan(back), LOST, back), codes[:, number])
    lines = (tmp_path / "two.csv").read_text().splitlines()
    assert "timestamp, Channel 1, Channel 2, Channel 3" in lines
    assert f"800, {codes[200, 0]}, {codes[200, 1]}, 1" in lines  # the R peak at 0.8 s
    assert "# 7.600000 s: Marker: caf\N{LATIN SMALL LETTER E WITH ACUTE}" in lines


@pytest.mark.parametrize("lost", [LOST_ONES, Annotation(0, LOST_SAMPLES, 300)])
def test_the_words_of_a_table_are_found_again(
    tmp_path: Path, codes: np.ndarray, lost: Annotation
) -> None:
    """Also those of one whose first samples, and the rows of these, are lost."""
    codes[lost.sample : lost.sample + lost.samples] = LOST
    words = [*WORDS[lost.sample == 0 and 2 :], lost]
    write_bdf(tmp_path / "one.bdf", codes, words)
    convert(str(tmp_path / "one.bdf"), tmp_path / "two.csv", 50)
    convert(str(tmp_path / "two.csv"), tmp_path / "back.bdf", 50)
    back = opened(tmp_path / "back.bdf")
    shift = 300 if lost.sample == 0 else 0
    expected = [replace(each, sample=each.sample - shift) for each in words]
    assert sorted(words_of(back), key=str) == sorted(expected, key=str)
    assert np.array_equal(codes_of(back)[:, 1], codes[shift:, 1])


@pytest.mark.parametrize("name", ["a.hea", "a.csv", "a.bdf"])
def test_codes_signals_and_gains_come_back(
    record: Path, tmp_path: Path, codes: np.ndarray, name: str
) -> None:
    convert(str(record), tmp_path / name, 50)
    convert(str(tmp_path / name), tmp_path / "back.bdf", 50)
    back = opened(tmp_path / "back.bdf")
    assert [back.recorded_signal(number) for number in range(2)] == list(LAYOUT.signals)
    assert back.names == ["Resp", "ECG"]
    assert np.array_equal(codes_of(back), codes)


def test_what_no_code_is_high_enough_for_is_said(tmp_path: Path) -> None:
    table = ["time_s,ecg_mV", *(f"{i / 250:.3f},{403 + i % 2}" for i in range(2500))]
    (tmp_path / "one.csv").write_text("\n".join(table))
    notes = convert(str(tmp_path / "one.csv"), tmp_path / "two.bdf", 50)  # to 403.3 mV
    assert notes[-1] == "beyond the range of such a chip, and cut off there: 1250 samples"


def write_table(path: Path, of_row: Callable[[int], str]) -> None:
    rows = (f"{row / 250:.3f},{of_row(row)}" for row in range(2500))
    path.write_text("\n".join(["time_s,ecg_mV,resp_mV", *rows]))


def test_what_one_signal_lacks_is_said_to_be_left_out(tmp_path: Path) -> None:
    write_table(tmp_path / "one.csv", lambda row: f"{row % 7}," + "1" * (row >= 500))
    notes = convert(str(tmp_path / "one.csv"), tmp_path / "two.bdf", 50)
    assert notes[-1] == "left out of all signals, since one lacks them: 500 samples"
    assert words_of(opened(tmp_path / "two.bdf"))[0] == Annotation(0, LOST_SAMPLES, 250)


@pytest.mark.parametrize("suffix", [".bdf", ".edf", ".csv"])
def test_what_would_be_lost_as_a_whole_is_refused(tmp_path: Path, suffix: str) -> None:
    write_table(tmp_path / "one.csv", lambda row: "1," if row % 2 else ",1")
    with pytest.raises(MalformedRecording, match="no sample of all its signals in mV"):
        convert(str(tmp_path / "one.csv"), tmp_path / f"two{suffix}", 50)
    assert [path.name for path in tmp_path.iterdir()] == ["one.csv"]


@pytest.mark.parametrize("name", ["a.hea", "a.csv", "a.edf"])
def test_what_made_it_and_when_stay_known(record: Path, tmp_path: Path, name: str) -> None:
    """Above all that it is simulated."""
    convert(str(record), tmp_path / name, 50)
    convert(str(tmp_path / name), tmp_path / "back.bdf", 50)
    for path in (tmp_path / name, tmp_path / "back.bdf"):
        assert origin(str(path)).source == LAYOUT.source
        assert origin(str(path)).begin == LAYOUT.begin_utc


def test_to_edf_of_16_bits(record: Path, tmp_path: Path, codes: np.ndarray) -> None:
    convert(str(record), tmp_path / "two.edf", 50)
    read = edfio.read_edf(tmp_path / "two.edf")
    for number, gain in enumerate((4, 6)):
        mv = codes[:, number] * millivolts_per_count(gain, 2.42)
        measured = codes[:, number] != LOST
        step = 2 * 2420 / gain / 65534
        found = read.signals[number].data[: len(codes)]
        np.testing.assert_allclose(found[measured], mv[measured], atol=0.6 * step)
    assert [each.text for each in read.annotations][:3] == ["Lead off", R_PEAK, "R peak (noisy)"]
    missing = np.isnan(np.concatenate(list(opened(tmp_path / "two.edf").blocks(1))))
    assert np.flatnonzero(missing).tolist() == list(range(600, 900))


@pytest.mark.parametrize("gap", [LOST_ONES, Annotation(600, "Lead off")])
def test_rr_intervals_leave_gaps_out(tmp_path: Path, gap: Annotation) -> None:
    peaks = [Annotation(at, R_PEAK) for at in (100, 300, 500, 1000, 1201)]
    write_bdf(tmp_path / "one.bdf", noise(1500), [*peaks, gap])
    notes = convert(str(tmp_path / "one.bdf"), tmp_path / "rr.txt", 50)
    assert (tmp_path / "rr.txt").read_text() == "800\n800\n804\n"
    assert notes[-1] == "R peaks as annotated: 5, from 0.4 to 4.8 s"


def test_rr_intervals_of_a_table_are_the_detectors(tmp_path: Path) -> None:
    heart = Heart(1)
    codes = np.rint(heart.ecg_mv[: 20 * RATE_HZ] / millivolts_per_count(6, 2.42)).astype(int)
    rows = [f"{4 * row}, {code}" for row, code in enumerate(codes)]
    (tmp_path / "one.csv").write_text("\n".join(["timestamp, Channel 1", *rows]))
    notes = convert(str(tmp_path / "one.csv"), tmp_path / "rr.txt", 50)
    beats = np.floor(heart.phase_rad[: 20 * RATE_HZ] / (2 * np.pi))
    true_ms = 4 * np.diff(np.flatnonzero(np.diff(beats) > 0))
    rr_ms = np.array((tmp_path / "rr.txt").read_text().split(), float)
    assert abs(np.median(rr_ms) - np.median(true_ms)) < 10
    assert "qrsd's detector's" in notes[-1]


def test_a_record_that_grows_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    writer = WfdbWriter(tmp_path / "grows.hea", LAYOUT, 1)
    codes = noise(3 * RATE_HZ)
    codes[codes == LOST] += 1
    writer.write(codes, [Annotation(10, R_PEAK)])
    read = wfdb.rdrecord(str(tmp_path / "grows"), physical=False)
    assert np.array_equal(read.d_signal, codes)
    assert wfdb.rdann(str(tmp_path / "grows"), "atr").sample.tolist() == [10]
    writer.close()
    assert wfdb.rdheader(str(tmp_path / "grows")).sig_len == 3 * RATE_HZ


def test_what_cannot_be_is_said(record: Path, tmp_path: Path) -> None:
    with pytest.raises(
        MalformedRecording, match=r"one of the suffixes \.bdf, \.edf, \.hea, \.csv, \.txt"
    ):
        convert(str(record), tmp_path / "two.xyz", 50)
    with pytest.raises(RecordingNotWritten, match="give another name, or move it away"):
        convert(str(record), record, 50)
    with pytest.raises(RecordingNotWritten, match="ASCII letters, digits"):
        convert(str(record), tmp_path / "my two.hea", 50)
    assert list(tmp_path.iterdir()) == [record]


def test_annotations_of_others_are_not_overwritten(record: Path, tmp_path: Path) -> None:
    (tmp_path / "two.atr").write_bytes(b"theirs")
    with pytest.raises(RecordingNotWritten, match=r"two\.atr is there already"):
        convert(str(record), tmp_path / "two.hea", 50)
    assert (tmp_path / "two.atr").read_bytes() == b"theirs"


def test_nothing_is_converted_to_nothing(record: Path, tmp_path: Path) -> None:
    record.write_bytes(record.read_bytes()[:1024])
    with pytest.raises(MalformedRecording, match="holds not one sample"):
        convert(str(record), tmp_path / "two.csv", 50)
    assert list(tmp_path.iterdir()) == [record]


@pytest.mark.parametrize("suffix", [".bdf", ".hea", ".csv"])
def test_half_of_a_conversion_is_not_left(
    record: Path, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[object] = []

    def full(descriptor: int) -> None:
        if synced:
            raise OSError(ENOSPC, "No space left on device")
        synced.append(descriptor)  # the header still had room

    monkeypatch.setattr("daemon.recordings.durable_file.os.fdatasync", full)
    with pytest.raises(RecordingNotWritten, match="No space left"):
        convert(str(record), (tmp_path / "two").with_suffix(suffix), 50)
    assert [path.name for path in tmp_path.iterdir() if path.stem == "two"] == []


def test_a_word_with_line_breaks_is_no_row_of_a_table(tmp_path: Path) -> None:
    with closing(CsvWriter(tmp_path / "one.csv", LAYOUT)) as writer:
        writer.write(noise(RATE_HZ), [Annotation(3, "Marker: a\n0, 1, 2, 3\x1b")])
    words = (tmp_path / "one.csv").read_text().splitlines()[-1]
    assert words == "# 0.012000 s: Marker: a 0, 1, 2, 3 "


@pytest.mark.parametrize(("suffix", "passes"), [(".csv", 1), (".edf", 2)])
def test_how_far_it_is_is_told_each_minute(tmp_path: Path, suffix: str, passes: int) -> None:
    write_bdf(tmp_path / "two.bdf", noise(130 * RATE_HZ), [])
    told: list[float] = []
    convert(str(tmp_path / "two.bdf"), tmp_path / f"two{suffix}", 50, told.append)
    assert told == passes * [0, 60, 120]
