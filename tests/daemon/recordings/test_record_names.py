"""No two records share the name of their results."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from daemon.recordings.record_names import reading_order, unique_names

folders = st.lists(st.sampled_from(["a", "b", "a_b"]), max_size=3)
files = st.sampled_from(["a", "b", "b.hea", "b.csv", "a_b"])


def test_a_record_alone_of_its_name_keeps_it() -> None:
    assert unique_names(["mitdb/100", "mitdb/101.hea", "log.csv"]) == {
        "mitdb/100": "100",
        "mitdb/101.hea": "101",
        "log.csv": "log",
    }


def test_those_that_share_one_take_as_many_folders_as_they_need() -> None:
    assert unique_names(["/d/a/x/rec_1", "/d/b/x/rec_1.hea", "/d/rec_2"]) == {
        "/d/a/x/rec_1": "a_x_rec_1",
        "/d/b/x/rec_1.hea": "b_x_rec_1",
        "/d/rec_2": "rec_2",
    }


def test_what_folders_cannot_tell_apart_is_numbered() -> None:
    assert unique_names(["/d/a.csv", "/d/a"]) == {"/d/a.csv": "d_a_1", "/d/a": "d_a_2"}


@given(st.lists(st.builds(lambda parts, file: "/".join(["", *parts, file]), folders, files)))
def test_whatever_the_paths_no_name_comes_twice(paths: list[str]) -> None:
    names = unique_names(paths)
    assert set(names) == set(paths)
    assert len(set(names.values())) == len(names)


def test_numbers_in_names_count_as_numbers() -> None:
    names = ["rec_10", "rec_2", "a", "rec_2b", "2"]
    assert sorted(names, key=reading_order) == ["2", "a", "rec_2", "rec_2b", "rec_10"]
