from __future__ import annotations

from daemon.recordings.reading_order import reading_order


def test_numbers_in_names_count_as_numbers() -> None:
    names = ["rec_10", "rec_2", "a", "rec_2b", "2"]
    assert sorted(names, key=reading_order) == ["2", "a", "rec_2", "rec_2b", "rec_10"]
