"""The protocol: enrol the earliest record, probe the later ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model.scores import corrected_cosine, unit
from model.training.datasets import Others
from model.training.evaluate import (
    COHORT_PERSONS,
    cohort_templates,
    compare,
    figures,
    probes,
    templates,
)
from tests.model.training.crowd import crowd

COHORT = np.eye(8, dtype=np.float32)[4:]


def embeddings_of(beats) -> np.ndarray:
    """Give each person an axis of their own, a little tilted by the record."""
    vectors = np.zeros((len(beats), 8), dtype=np.float32)
    for row, (person, record) in enumerate(zip(beats.persons, beats.records, strict=True)):
        vectors[row, int(person[1:])] = 1
        vectors[row, 4 + int(person[1:])] = 0.1 * int(record[-1])
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_a_template_is_made_of_the_earliest_record_alone() -> None:
    beats = crowd(4, records=3)
    embeddings = embeddings_of(beats)
    enrolled = templates(beats, embeddings)
    for person, template in zip(beats.names, enrolled, strict=True):
        earliest = np.flatnonzero(beats.records == f"{person}/r1")[0]
        np.testing.assert_allclose(template, embeddings[earliest], atol=1e-6)


def test_the_cohort_is_of_all_devices_but_of_others_two_hundred_people_at_most() -> None:
    beats, others = crowd(3), Others(devices=(crowd(5), crowd(COHORT_PERSONS + 1, records=1)))

    def embed(windows_mv):
        return unit(windows_mv[:, :8].astype(np.float32))

    cohort = cohort_templates(beats, others, embed)
    assert len(cohort) == 3 + 5 + COHORT_PERSONS
    np.testing.assert_array_equal(cohort[:3], templates(beats, embed(beats.windows_mv)))


def test_every_stretch_of_consecutive_beats_of_later_records_is_a_probe() -> None:
    beats = crowd(3, records=3, beats=12)
    probed = probes(beats, embeddings_of(beats), 5)
    assert len(probed.persons) == 3 * 2 * (12 - 5 + 1)
    assert probed.other_day.all()


def test_a_probe_of_the_enrolments_day_is_told_apart() -> None:
    beats = crowd(2, records=3, beats=4)
    beats = replace(beats, days=np.where(beats.days == "2005-01-02", "2005-01-01", beats.days))
    probed = probes(beats, embeddings_of(beats), 1)
    assert probed.other_day.tolist() == 2 * [False, False, False, False, True, True, True, True]


def test_flawed_beats_take_no_part() -> None:
    beats = crowd(2, records=2, beats=6)
    flawed = np.arange(len(beats)) % 3 == 0
    embeddings = np.where(flawed[:, None], np.nan, embeddings_of(beats))
    beats = replace(beats, good=~flawed)
    assert np.isfinite(templates(beats, embeddings)).all()
    probed = probes(beats, embeddings, 2)
    assert np.isfinite(probed.embeddings).all()
    assert len(probed.persons) == 2 * 3


def test_a_record_that_is_too_short_for_a_stretch_gives_no_probe() -> None:
    beats = crowd(2, records=2, beats=4)
    assert len(probes(beats, embeddings_of(beats), 5).persons) == 0


def test_everybody_is_compared_with_every_probe_by_corrected_cosine() -> None:
    beats = crowd(3, records=2, beats=4)
    embeddings = embeddings_of(beats)
    compared = compare(beats, embeddings, COHORT, 1)
    expected = corrected_cosine(
        templates(beats, embeddings), probes(beats, embeddings, 1).embeddings, COHORT
    )
    np.testing.assert_allclose(compared.trials.scores, expected.ravel())
    assert compared.trials.mated.sum() == 12


def test_persons_on_axes_of_their_own_are_all_known_again() -> None:
    beats = crowd(4, records=2)
    compared = compare(beats, embeddings_of(beats), COHORT, 1)
    stated = figures(compared)
    assert stated["eer"]["percent"] == 0
    assert stated["rank_1"] == 100
    assert stated["rank_1_of"] == 4
    assert stated["across_days"]["persons"] == 4
    assert stated["mated_trials"] * 3 == stated["non_mated_trials"]


def test_without_a_second_day_there_is_no_figure_across_days() -> None:
    beats = crowd(3)
    beats = replace(beats, days=np.full(len(beats), ""))
    assert figures(compare(beats, embeddings_of(beats), COHORT, 1))["across_days"] is None


def test_chance_embeddings_are_wrong_half_the_time() -> None:
    beats = crowd(20, records=2, beats=10)
    rng = np.random.default_rng(0)
    embeddings = rng.standard_normal((len(beats), 8)).astype(np.float32)
    compared = compare(beats, embeddings, COHORT, 1)
    assert figures(compared)["eer"]["percent"] == pytest.approx(50, abs=10)
    assert compared.nearest_is_right.mean() < 0.2
