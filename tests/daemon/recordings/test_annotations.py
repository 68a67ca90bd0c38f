"""Annotations that the reference library wrote, on the grid of the signal chain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from daemon.recordings.annotations import read_annotations, read_texts
from daemon.recordings.errors import MalformedRecording, RecordingNotFound

wfdb = pytest.importorskip("wfdb", reason="needs pip install '.[records]'")

MARKED = {"+": 10, "N": 360, "V": 720, "[": 1080, "]": 2160, "~": 2400, "A": 3601}


def annotate(folder: Path, name: str, suffix: str = "atr", fs: float | None = 360) -> Path:
    wfdb.wrann("rec", suffix, np.array([*MARKED.values()]), [*MARKED], fs=fs, write_dir=str(folder))
    (folder / f"rec.{suffix}").rename(folder / f"{name}.{suffix}")
    return folder / name


@pytest.mark.parametrize("name", ["rec", "rec.1"])
@pytest.mark.parametrize("spelling", ["", ".hea"])
def test_annotations_are_on_the_grid_of_250_hz(tmp_path: Path, name: str, spelling: str) -> None:
    record = annotate(tmp_path, name)
    annotations = read_annotations(f"{record}{spelling}", "atr")
    assert annotations.symbols.tolist() == [*MARKED]
    assert annotations.indices.tolist() == [7, 250, 500, 750, 1500, 1667, 2501]
    assert annotations.beats.tolist() == [250, 500, 2501]
    assert annotations.flutter == ((750, 1500),)


@pytest.mark.parametrize("suffix", ["", "../atr", "a" * 300, "a\0r", "."])
def test_what_is_no_suffix_of_a_file_is_refused(tmp_path: Path, suffix: str) -> None:
    record = annotate(tmp_path, "rec")
    with pytest.raises(RecordingNotFound, match=r"is no suffix|There are no annotations"):
        read_annotations(record, suffix)


def test_a_rhythm_lasts_until_the_next(tmp_path: Path) -> None:
    wfdb.wrann(
        "rec",
        "atr",
        np.array([360, 720, 1440]),
        ["+", "N", "+"],
        fs=360,
        aux_note=["(AFIB", "", "(N\0"],
        write_dir=str(tmp_path),
    )
    first, last = read_annotations(tmp_path / "rec", "atr").rhythms
    assert first == ("(AFIB", 250, 1000)
    assert last[:2] == ("(N", 1000)
    assert last[2] > 10**12


def test_of_beats_alone_no_rhythm_is_known(tmp_path: Path) -> None:
    wfdb.wrann("rec", "atr", np.array([360, 720]), ["N", "V"], fs=360, write_dir=str(tmp_path))
    assert read_annotations(tmp_path / "rec", "atr").rhythms == ()


@pytest.mark.parametrize("first", ["rec.1 1 500 2000", "rec.1 1 500 0 9:00:00 2006"])
def test_the_header_gives_the_rate_where_the_annotations_do_not(tmp_path: Path, first: str) -> None:
    record = annotate(tmp_path, "rec.1", "qrs", fs=None)
    (tmp_path / "rec.1.hea").write_text(f"{first}\nrec.1.dat 16 200/mV 16 0 0 0 0 ECG\n")
    (tmp_path / "rec.1.dat").write_bytes(bytes(4000))
    assert read_annotations(record, "qrs").beats.tolist() == [180, 360, 1800]


def test_flutter_without_an_end_lasts(tmp_path: Path) -> None:
    wfdb.wrann("rec", "atr", np.array([100]), ["["], fs=250, write_dir=str(tmp_path))
    ((begin, end),) = read_annotations(tmp_path / "rec", "atr").flutter
    assert begin == 100
    assert end > 250 * 86400


def test_what_is_missing_or_no_annotation_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RecordingNotFound, match=r"no annotations .*rec\.atr"):
        read_annotations(tmp_path / "rec", "atr")
    (tmp_path / "rec.atr").write_bytes(b"\xff")
    with pytest.raises(MalformedRecording, match=r"rec\.atr cannot be read as annotations"):
        read_annotations(tmp_path / "rec", "atr")


def test_texts_of_a_finer_clock_than_the_record_s_keep_their_time(tmp_path: Path) -> None:
    (tmp_path / "rec.hea").write_text("rec 1 250 5000\nrec.dat 16 200/mV 16 0 0 0 0 ECG\n")
    wfdb.wrann(
        "rec", "atr", np.array([1500]), ['"'], fs=1000, aux_note=["coffee"], write_dir=str(tmp_path)
    )
    assert read_texts(tmp_path / "rec") == [(1.5, "coffee", 0.0)]
