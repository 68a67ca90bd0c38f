"""Who tests was never learnt from: members later in time, strangers as other persons."""

from __future__ import annotations

import numpy as np
import pytest

from model.training.errors import TooLittleData
from model.training.group_data import (
    split_at_random,
    split_by_person,
    split_by_time,
    usable_members,
    usable_strangers,
)
from tests.model.training.crowd import crowd


def test_each_members_first_beats_are_learnt_and_the_last_fifth_tests() -> None:
    beats = crowd(3, records=5, beats=12)  # 60 beats each, a record is a fifth
    parts = split_by_time(beats)
    assert len(parts.learn) + len(parts.calibrate) + len(parts.test) == len(beats)
    for name in beats.names:
        assert parts.learn.records_of(name) == [f"{name}/r1", f"{name}/r2", f"{name}/r3"]
        assert parts.calibrate.records_of(name) == [f"{name}/r4"]
        assert parts.test.records_of(name) == [f"{name}/r5"]


def test_a_random_split_takes_as_many_of_everybody_from_all_over() -> None:
    beats = crowd(3, records=5, beats=12)
    parts = split_at_random(beats, seed=1)
    assert [len(part) for part in (parts.learn, parts.calibrate, parts.test)] == [108, 36, 36]
    for name in beats.names:
        assert (parts.test.persons == name).sum() == 12
        assert len(parts.test.records_of(name)) > 1


def test_strangers_are_split_by_person() -> None:
    beats = crowd(10, records=1)
    parts = split_by_person(beats, seed=1)
    names = [set(part.names) for part in (parts.learn, parts.calibrate, parts.test)]
    assert [len(each) for each in names] == [6, 2, 2]
    assert set().union(*names) == set(beats.names)


def test_a_member_is_no_stranger_and_neither_is_who_has_too_few_beats() -> None:
    beats = crowd(13, records=1)
    beats = beats.where((beats.persons != "P12") | (np.arange(len(beats)) % 12 < 9))
    assert len(usable_strangers(beats, ["P0", "P1"]).names) == 10
    with pytest.raises(TooLittleData, match="9 strangers have 10 good beats or more, and 10 are"):
        usable_strangers(beats, ["P0", "P1", "P2"])


def test_a_member_with_too_few_good_beats_is_named() -> None:
    beats = crowd(2, records=5)
    beats.good[0] = False
    with pytest.raises(TooLittleData, match="P0 has 59 good beats, and 60 are needed"):
        usable_members(beats, leave_out=())
    with pytest.raises(TooLittleData, match="2 persons or more"):
        usable_members(beats, leave_out=["P0"])
