"""What is written as BDF+C is read back to the last bit, by ourselves and by other programs."""

from __future__ import annotations

import fcntl
import stat
from datetime import datetime
from pathlib import Path

import edfio
import numpy as np
import pyedflib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.recordings import durable_file, edf_annotations
from daemon.recordings.bdf_repair import repair, repair_folder
from daemon.recordings.bdf_writer import BdfWriter
from daemon.recordings.durable_file import DurableFile
from daemon.recordings.edf_file import EdfFile
from daemon.recordings.edf_header import eight, growing_count
from daemon.recordings.errors import MalformedRecording, RecordingNotWritten
from daemon.recordings.recorded import LOST, LOST_SAMPLES, THE_END, Annotation
from daemon.recordings.recording import read_recording
from daemon.recordings.signal_file import Reading
from drivers.frame import millivolts_per_count
from tests.daemon.recordings.recordings import BEGIN, LAYOUT, RATE_HZ, beats, noise, write_bdf


def opened(path: Path) -> EdfFile:
    return EdfFile(path, Reading())


def codes_of(file: EdfFile) -> np.ndarray:
    return np.column_stack(
        [np.concatenate([codes for codes, _ in file.codes(n)]) for n in range(len(file.names))]
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "recordings" / "one.bdf"


def test_codes_annotations_and_time_come_back(path: Path) -> None:
    codes, annotations = noise(10 * RATE_HZ), beats(10 * RATE_HZ)
    write_bdf(path, codes, annotations)
    file = opened(path)
    assert np.array_equal(codes_of(file), codes)
    assert [*file.annotations()] == annotations
    assert file.begin_utc == BEGIN
    assert (file.names, file.notes, file.rate_hz(0)) == (["Resp", "ECG"], [], RATE_HZ)


def test_only_its_owner_may_read_it(path: Path) -> None:
    write_bdf(path, noise(RATE_HZ), [])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_recording_is_never_overwritten(path: Path) -> None:
    write_bdf(path, noise(RATE_HZ), [])
    with pytest.raises(RecordingNotWritten, match="File exists"):
        BdfWriter(path, LAYOUT)


def test_edfio_reads_the_same(path: Path) -> None:
    codes = noise(1100)
    write_bdf(path, codes, [Annotation(10, "coffee \N{HOT BEVERAGE}"), Annotation(800, "b", 25)])
    read = edfio.read_bdf(path)
    assert datetime.combine(read.startdate, read.starttime) == BEGIN.replace(tzinfo=None)
    for number, signal in enumerate(read.signals):
        gain = LAYOUT.signals[number].gain
        assert np.array_equal(signal.digital[:1100], codes[:, number])
        assert signal.physical_dimension == "mV"
        mv = codes[:, number] * millivolts_per_count(gain, 2.42)
        np.testing.assert_allclose(signal.data[:1100], mv, atol=1e-6 * 2420 / gain)
    assert [(each.onset, each.duration, each.text) for each in read.annotations] == [
        (0.04, None, "coffee \N{HOT BEVERAGE}"),
        (3.2, 0.1, "b"),
        (4.4, None, THE_END),
    ]


def test_pyedflib_reads_the_same(path: Path) -> None:
    codes = noise(4 * RATE_HZ)
    write_bdf(path, codes, [Annotation(10, "coffee"), Annotation(800, "b", 25)])
    with pyedflib.EdfReader(str(path)) as read:
        assert read.filetype == pyedflib.FILETYPE_BDFPLUS
        assert read.getSignalLabels() == ["Resp", "ECG"]
        for number in range(2):
            assert np.array_equal(read.readSignal(number, digital=True), codes[:, number])
        onsets, durations, texts = read.readAnnotations()
    assert (onsets.tolist(), durations.tolist()) == ([0.04, 3.2], [-1, 0.1])
    assert texts.tolist() == ["coffee", "b"]


def test_a_file_that_grows_can_be_opened_as_far_as_it_is_synced(path: Path) -> None:
    codes = noise(7 * RATE_HZ)
    writer = BdfWriter(path, LAYOUT)
    for begin in range(0, len(codes), RATE_HZ):
        writer.write(codes[begin : begin + RATE_HZ], [Annotation(begin, "second")])
    with pyedflib.EdfReader(str(path)) as read:
        assert np.array_equal(read.readSignal(1, digital=True), codes[: 5 * RATE_HZ, 1])
    with pytest.warns(UserWarning, match="header indicates 5 data records, but file contains 7"):
        edfio.read_bdf(path)
    assert np.array_equal(codes_of(opened(path)), codes[: 5 * RATE_HZ])
    writer.close()


def test_annotations_that_do_not_fit_go_into_the_next_records(path: Path) -> None:
    many = [Annotation(at, f"word {at} {'x' * 50}") for at in range(0, RATE_HZ, 5)]
    codes = noise(3 * RATE_HZ)
    write_bdf(path, codes, many)
    file = opened(path)
    assert [each for each in file.annotations() if each.text != THE_END] == many
    assert np.array_equal(codes_of(file), codes)  # records that were added are none of it
    assert len(edfio.read_bdf(path).annotations) == len(many) + 1


def test_a_text_is_cut_where_a_record_could_not_hold_it(path: Path) -> None:
    write_bdf(path, noise(RATE_HZ), [Annotation(0, "\N{EURO SIGN}" * 1000)])
    [annotation] = opened(path).annotations()
    assert annotation.text == "\N{EURO SIGN}" * 66


def test_lost_samples_are_missing_and_a_real_rail_is_not(path: Path) -> None:
    codes = noise(2 * RATE_HZ)
    codes[100:110] = LOST
    codes[300, 1] = LOST  # a converter at the end of its range
    write_bdf(path, codes, [Annotation(100, LOST_SAMPLES, 10)])
    mv = read_recording(path, "ECG").ecg_mv
    assert np.flatnonzero(np.isnan(mv)).tolist() == list(range(100, 110))
    assert mv[300] == LOST * millivolts_per_count(6, 2.42)


def test_the_respiration_is_read_beside_the_ecg(path: Path) -> None:
    codes = noise(2 * RATE_HZ)
    write_bdf(path, codes, [])
    recording = read_recording(path, "ECG", with_respiration=True)
    assert recording.respiration_mv is not None
    for mv, number, gain in ((recording.ecg_mv, 1, 6), (recording.respiration_mv, 0, 4)):
        assert np.array_equal(np.rint(mv / millivolts_per_count(gain, 2.42)), codes[:, number])


@given(
    onset_s=st.integers(-10_000_000, 10_000_000).map(lambda number: number / 250),
    text=st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=40),
)
def test_every_annotation_is_read_as_it_was_written(onset_s: float, text: str) -> None:
    data = edf_annotations.encode_time(3.5) + edf_annotations.encode(onset_s, 0.25, text)
    assert edf_annotations.decode(data + b"\0\0") == (3.5, [(onset_s, 0.25, text)])


@given(st.floats(-9_999_999, 9_999_999))
def test_eight_characters_hold_a_number(number: float) -> None:
    text = eight(number)
    assert len(text) <= 8
    assert float(text) == pytest.approx(number, rel=2e-5, abs=1e-5)


def test_files_of_others_are_read(tmp_path: Path) -> None:
    """Of 16 bits, in uV with an offset, discontinuous, by another library."""
    path = tmp_path / "other.edf"
    uv = 500 * np.sin(np.arange(2560) / 40) + 200
    edfio.Edf([edfio.EdfSignal(uv, 256, label="EEG Fpz", physical_dimension="uV")]).write(path)
    file = opened(path)
    assert file.rate_hz(0) == 256
    np.testing.assert_allclose(np.concatenate(list(file.blocks(0))), uv / 1000, atol=2e-5)


def test_a_discontinuous_file_has_gaps(path: Path) -> None:
    codes = noise(3 * RATE_HZ)
    write_bdf(path, codes, [])
    content = path.read_bytes().replace(b"BDF+C", b"BDF+D")
    path.write_bytes(content.replace(b"+2.123456\x14\x14", b"+6.123456\x14\x14"))
    mv = np.concatenate(list(opened(path).blocks(1)))
    expected = codes[:, 1] * millivolts_per_count(6, 2.42)
    assert np.array_equal(mv[: 2 * RATE_HZ], expected[: 2 * RATE_HZ])
    assert np.isnan(mv[2 * RATE_HZ : 6 * RATE_HZ]).all()
    assert np.array_equal(mv[6 * RATE_HZ :], expected[2 * RATE_HZ :])


@pytest.mark.parametrize("content", [b"", b"0       ", b"\xffBIOSEMI" + b" " * 600])
def test_what_is_no_such_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.bdf").write_bytes(content)
    with pytest.raises(MalformedRecording, match=r"bad\.bdf is no EDF or BDF file"):
        opened(tmp_path / "bad.bdf")


def cut(path: Path, size: int, count: int) -> None:
    """Leave a file as a kill does: so long, so many records counted."""
    content = bytearray(path.read_bytes()[:size])
    content[236:244] = growing_count(count)
    path.write_bytes(content)


@pytest.mark.parametrize(("more", "kept"), [(0, 4), (1799, 4), (1800, 5), (3601, 6)])
def test_whole_records_of_a_torn_file_are_kept(path: Path, more: int, kept: int) -> None:
    codes = noise(10 * RATE_HZ)
    write_bdf(path, codes, beats(10 * RATE_HZ))
    cut(path, 1024 + 4 * 1800 + more, count=4)
    said = repair(path)
    assert said == f"{path} was not finished: its {kept} s are kept"
    assert repair(path) is None
    with pyedflib.EdfReader(str(path)) as read:
        assert read.datarecords_in_file == kept
    file = opened(path)
    assert np.array_equal(codes_of(file), codes[: kept * RATE_HZ])
    assert [*file.annotations()] == beats(kept * RATE_HZ)


def test_a_record_that_never_came_to_the_disk_is_no_whole_one(path: Path) -> None:
    write_bdf(path, noise(10 * RATE_HZ), [])
    content = bytearray(path.read_bytes())
    content[1024 + 7 * 1800 : 1024 + 8 * 1800] = bytes(1800)
    path.write_bytes(content)
    cut(path, len(content), count=5)
    repair(path)
    assert path.stat().st_size == 1024 + 7 * 1800


def test_what_cannot_be_repaired_keeps_no_other_from_it(path: Path) -> None:
    path.with_name("a.bdf").mkdir(parents=True)  # which even root cannot open
    write_bdf(path, noise(2 * RATE_HZ), [])
    cut(path, 1024 + 1800, count=1)
    first, second = repair_folder(path.parent)
    assert first.startswith(f"left as it is: {path.with_name('a.bdf')}")
    assert second == f"{path} was not finished: its 1 s are kept"


def test_a_file_that_is_being_written_is_left_alone(path: Path) -> None:
    writer = BdfWriter(path, LAYOUT)
    writer.write(noise(RATE_HZ), [])
    assert repair_folder(path.parent) == []
    writer.close()
    assert repair_folder(path.parent) == []


@pytest.mark.parametrize("begun", [0, 5, 700, 1024])
@pytest.mark.parametrize("lost", [False, True])
def test_a_header_that_was_begun_is_removed(path: Path, begun: int, lost: bool) -> None:
    write_bdf(path, noise(RATE_HZ), [])
    header = path.read_bytes()[:begun]
    path.write_bytes(bytes(begun) if lost else header)
    repair(path)
    assert not path.exists()


def test_a_small_file_of_somebody_elses_is_left(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"my notes")
    assert repair(path) is None
    assert path.read_bytes() == b"my notes"


def test_a_file_that_ends_within_its_header_says_so(tmp_path: Path) -> None:
    (tmp_path / "torn.bdf").write_bytes(b"\xffBIOSEMI" + b" " * 92)
    with pytest.raises(MalformedRecording, match="it ends within the header"):
        opened(tmp_path / "torn.bdf")


def test_a_file_that_a_repair_takes_away_before_it_is_locked_is_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def repaired_first(descriptor: int, how: int) -> None:
        monkeypatch.undo()
        repair_folder(tmp_path)
        fcntl.flock(descriptor, how)

    monkeypatch.setattr(durable_file.fcntl, "flock", repaired_first)
    with DurableFile(tmp_path / "one.bdf") as file:
        file.append(b"kept")
    assert (tmp_path / "one.bdf").read_bytes() == b"kept"
