"""Folders of recordings: who is who, and which record came first."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.recordings.errors import RecordingNotFound
from daemon.recordings.person_folders import find_records


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


def test_a_header_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    put_header(tmp_path / "set/Ada/rec_1")
    (tmp_path / "set/Ada/rec_2.hea").symlink_to("fetched/later")
    with pytest.raises(RecordingNotFound, match=r"rec_2\.hea cannot be read: No such file"):
        found(tmp_path / "set")


def test_records_come_in_the_order_of_their_days_then_of_their_numbers(tmp_path: Path) -> None:
    put_header(tmp_path / "set/Ada/rec_10", "07.12.2004")
    put_header(tmp_path / "set/Ada/rec_2", "07.12.2004")
    put_header(tmp_path / "set/Ada/rec_1", "15.03.2005")
    assert found(tmp_path / "set") == [
        ("Ada", "rec_2", "2004-12-07"),
        ("Ada", "rec_10", "2004-12-07"),
        ("Ada", "rec_1", "2005-03-15"),
    ]


def test_a_csv_file_is_a_person_and_so_is_a_folder_of_tables(tmp_path: Path) -> None:
    (tmp_path / "set/Bob").mkdir(parents=True)
    for name in ("Ada.csv", "Bob/morning.csv", "Bob/noon.txt", "Bob/one.BDF", "LICENSE.txt"):
        (tmp_path / "set" / name).touch()
    assert found(tmp_path / "set") == [
        ("Ada", "Ada.csv", ""),
        ("Bob", "morning.csv", ""),
        ("Bob", "noon.txt", ""),
        ("Bob", "one.BDF", ""),
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
