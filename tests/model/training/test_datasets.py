"""How persons are split and how batches are dealt out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.training.datasets import BatchSampler, person_folds, purpose
from tests.model.training.crowd import crowd


@given(count=st.integers(2, 90), folds=st.integers(2, 5), seed=st.integers(0, 2**32 - 1))
def test_each_person_is_in_exactly_one_fold(count: int, folds: int, seed: int) -> None:
    persons = [f"P{number:02}" for number in range(count)]
    parts = person_folds(persons, folds, seed)
    assert sorted(name for part in parts for name in part) == persons
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_what_a_record_is_for_never_changes_and_three_of_five_are_to_train_with() -> None:
    # Whoever changes these gives the model that ships people to test with whom it has learnt.
    known = {name: purpose(name) for name in ("A00001", "A00015", "A00021")}
    assert known == {"A00001": "training", "A00015": "thresholds", "A00021": "test"}
    shares = Counter(purpose(f"A{number:05}") for number in range(1, 8529))
    assert shares["training"] / 8528 == pytest.approx(0.6, abs=0.02)
    assert shares["thresholds"] / 8528 == pytest.approx(0.2, abs=0.02)


def test_records_keep_the_order_in_which_they_were_made() -> None:
    beats = crowd(2, records=3)
    backwards = beats.where(np.ones(len(beats), dtype=bool))
    assert backwards.records_of("P1") == ["P1/r1", "P1/r2", "P1/r3"]


def test_a_batch_holds_so_many_beats_of_so_many_persons() -> None:
    sampler = BatchSampler(crowd(9), persons=4, beats_each=3, rng=np.random.default_rng(1))
    groups_mv, labels = sampler.draw()
    assert groups_mv.shape == (12, 3, 175)
    assert sorted(Counter(labels.tolist()).values()) == [3, 3, 3, 3]


def test_a_batch_takes_everybody_if_there_are_fewer_than_asked_for() -> None:
    sampler = BatchSampler(crowd(3), persons=32, beats_each=4, rng=np.random.default_rng(1))
    assert set(sampler.draw()[1].tolist()) == {0, 1, 2}


def test_a_persons_beats_come_from_as_many_records_as_there_are() -> None:
    beats = crowd(2, records=4, noise_mv=0)
    # the window's first sample says which record it is from
    marked = replace(beats, windows_mv=np.repeat(_record_number(beats.records), 175, axis=1))
    sampler = BatchSampler(marked, persons=2, beats_each=4, rng=np.random.default_rng(1))
    for _ in range(20):
        groups, labels = sampler.draw()
        assert np.all(groups == groups[:, :1]), "the beats to blend are of one record"
        for label in (0, 1):
            assert sorted(groups[labels == label, 0, 0]) == [1, 2, 3, 4]


def test_flawed_beats_are_never_drawn() -> None:
    beats = crowd(3)
    flawed = np.arange(len(beats)) % 2 == 0
    beats = replace(
        beats, good=~flawed, windows_mv=np.where(flawed[:, None], np.nan, beats.windows_mv)
    )
    sampler = BatchSampler(beats, persons=3, beats_each=4, rng=np.random.default_rng(1))
    assert all(np.isfinite(sampler.draw()[0]).all() for _ in range(20))


def _record_number(records: np.ndarray) -> np.ndarray:
    return np.array([float(record[-1]) for record in records])[:, None]
