"""Folders of recordings: who is who, and which record came first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.training.records import find_records, gather_beats
from daemon.offline.analysis import Analysis
from daemon.recordings.errors import RecordingNotFound
from dsp.segmenter import WINDOW_SAMPLES
from dsp.signals import BeatQuality, BeatWindow, RPeak


def put_header(path: Path, day: str | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    comment = f"# Age: 30\n# ECG date: {day}\n" if day else ""
    path.with_suffix(".hea").write_text(f"{path.name} 1 500 10000\n{comment}")


def found(*data: Path) -> list[tuple[str, str, str]]:
    return [(each.person, Path(each.path).name, each.day) for each in find_records(data)]


def test_a_person_is_a_folder_and_a_record_is_a_header(tmp_path: Path) -> None:
    put_header(tmp_path / "set/Ada/rec_1")
    put_header(tmp_path / "set/Bob/rec_1")
    assert found(tmp_path / "set") == [("Ada", "rec_1", ""), ("Bob", "rec_1", "")]


def test_records_come_in_the_order_of_their_days_then_of_their_numbers(tmp_path: Path) -> None:
    put_header(tmp_path / "set/Ada/rec_10", "07.12.2004")
    put_header(tmp_path / "set/Ada/rec_2", "07.12.2004")
    put_header(tmp_path / "set/Ada/rec_1", "15.03.2005")
    assert found(tmp_path / "set") == [
        ("Ada", "rec_2", "2004-12-07"),
        ("Ada", "rec_10", "2004-12-07"),
        ("Ada", "rec_1", "2005-03-15"),
    ]


def test_a_csv_file_is_a_person_and_so_is_a_folder_of_them(tmp_path: Path) -> None:
    (tmp_path / "set/Bob").mkdir(parents=True)
    for name in ("Ada.csv", "Bob/morning.csv", "Bob/noon.csv"):
        (tmp_path / "set" / name).touch()
    assert found(tmp_path / "set") == [
        ("Ada", "Ada.csv", ""),
        ("Bob", "morning.csv", ""),
        ("Bob", "noon.csv", ""),
    ]


def test_single_persons_may_be_named_as_well(tmp_path: Path) -> None:
    put_header(tmp_path / "Ada/rec_1")
    (tmp_path / "Bob.csv").touch()
    assert [person for person, _, _ in found(tmp_path / "Ada", tmp_path / "Bob.csv")] == [
        "Ada",
        "Bob",
    ]


def test_a_folder_without_recordings_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "empty/README").mkdir(parents=True)
    with pytest.raises(RecordingNotFound, match="empty holds no recordings"):
        find_records([tmp_path / "empty"])


def test_a_folder_that_does_not_exist_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(RecordingNotFound, match="nowhere is missing"):
        find_records([tmp_path / "nowhere"])


def test_beats_know_whose_and_from_when_they_are(tmp_path: Path) -> None:
    put_header(tmp_path / "set/Ada/rec_1", "07.12.2004")
    put_header(tmp_path / "set/Bob/rec_1")
    records = find_records([tmp_path / "set"])
    good, bad = BeatQuality(1.0, ()), BeatQuality(0.0, ("flat",))
    peak = RPeak(70, 1.0, None, False)
    analyses = [
        Analysis(records[0].path, 9.0, (), (peak, beat(1.0, good), beat(2.0, bad))),
        Analysis(records[1].path, 9.0, (), (beat(3.0, good),)),
    ]
    beats = gather_beats(records, analyses)
    assert beats.persons.tolist() == ["Ada", "Ada", "Bob"]
    assert beats.days.tolist() == ["2004-12-07", "2004-12-07", ""]
    assert beats.good.tolist() == [True, False, True]
    np.testing.assert_array_equal(beats.windows_mv[:, 0], [1, 2, 3])
    assert beats.names == ("Ada", "Bob")


def beat(level_mv: float, quality: BeatQuality) -> BeatWindow:
    return BeatWindow(70, None, (level_mv,) * WINDOW_SAMPLES, quality)
