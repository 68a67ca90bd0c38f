"""The linear discriminant, against what it is defined by."""

from __future__ import annotations

import numpy as np
import pytest

import model.training.discriminant as discriminant_module
from model.training.discriminant import RIDGE, discriminant, session_compensation


@pytest.fixture
def people() -> tuple[np.ndarray, np.ndarray]:
    """Six people who differ in the first two numbers of five; the first is the noisier one."""
    rng = np.random.default_rng(1)
    persons = np.repeat(np.array(list("ABCDEF")), 200)
    centres = np.repeat(rng.standard_normal((6, 5)) * [3, 3, 0, 0, 0], 200, axis=0)
    return centres + rng.standard_normal(centres.shape) * [3, 1, 1, 1, 1], persons


def test_it_looks_where_persons_differ_and_their_own_beats_do_not(
    people: tuple[np.ndarray, np.ndarray],
) -> None:
    matrix, _ = discriminant(*people, outputs=2)
    assert np.argmax(np.abs(matrix[:, 0])) == 1
    assert np.abs(matrix[0, 0]) < 0.3 * np.abs(matrix[1, 0])


def test_its_outputs_are_centred_uncorrelated_and_of_deviation_1_within_a_person(
    people: tuple[np.ndarray, np.ndarray],
) -> None:
    beats, persons = people
    matrix, offset = discriminant(beats, persons, outputs=2)
    outputs = beats @ matrix + offset
    np.testing.assert_allclose(outputs.mean(axis=0), 0, atol=1e-9)
    within = np.mean([np.cov(outputs[persons == p].T, bias=True) for p in "ABCDEF"], axis=0)
    np.testing.assert_allclose(within, np.eye(2), atol=3 * RIDGE)


def test_there_are_as_many_directions_as_persons_less_one(
    people: tuple[np.ndarray, np.ndarray],
) -> None:
    beats, persons = people
    three = np.isin(persons, list("ABC"))
    matrix, _ = discriminant(beats[three], persons[three], outputs=4)
    assert matrix.shape == (5, 4)
    assert np.all(matrix[:, :2].any(axis=0))
    assert not matrix[:, 2:].any()


@pytest.fixture
def sessions() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eight people of four recordings each, whose recordings differ in the first number of five.

    They differ from each other as much in the first as in the second number, and the single beats
    differ in all alike.
    """
    rng = np.random.default_rng(2)
    records = np.char.add(
        np.repeat(np.array(list("ABCDEFGH")), 80), np.tile(np.repeat(list("1234"), 20), 8)
    )
    persons = np.array([record[0] for record in records])
    of_person = np.repeat(rng.standard_normal((8, 5)) * [2, 2, 0, 0, 0], 80, axis=0)
    of_record = np.repeat(rng.standard_normal((32, 5)) * [2, 0, 0, 0, 0], 20, axis=0)
    return of_person + of_record + rng.standard_normal(of_person.shape), persons, records


def test_what_changes_from_recording_to_recording_tells_little_of_a_person(
    sessions: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    matrix = session_compensation(*sessions, outputs=2)
    assert np.argmax(np.abs(matrix[:, 0])) == 1
    assert np.abs(matrix[0, 0]) < 0.3 * np.abs(matrix[1, 0])


def test_compensated_recordings_of_a_person_differ_by_1_in_each_direction_but_for_the_ridge(
    sessions: tuple[np.ndarray, np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discriminant_module, "SESSION_RIDGE", 0.0)
    monkeypatch.setattr(discriminant_module, "BEAT_SHARE", 0.0)
    embeddings, persons, records = sessions
    outputs = embeddings @ session_compensation(*sessions, outputs=3)
    spreads = [
        np.cov(
            [outputs[records == f"{person}{number}"].mean(axis=0) for number in range(1, 5)],
            rowvar=False,
            bias=True,
        )
        for person in np.unique(persons)
    ]
    np.testing.assert_allclose(np.mean(spreads, axis=0), np.eye(3), atol=1e-9)
