"""Turned templates are as good as ever to who has the seed, and no good to anybody else.

The embeddings are those of the 60 people whom the shipped model was trained on; another session of
a person is theirs with noise, such that telling them apart has an equal error rate of some percent.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from model.error_rates import Trials, equal_error_rate
from model.network import Network
from model.opening import DEFAULT_MODEL
from model.passport import Passport
from model.rotation import Rotation
from model.scores import corrected_cosine, cosine, unit
from tests.model.models import embedder

SEEDS = [bytes([number] * 32) for number in range(1, 9)]
NOISE = 2.2  # length of the noise on a vector of length 1

Vectors = NDArray[np.float32]


@pytest.fixture(scope="module")
def enrolled() -> Vectors:
    """One template for each of 60 people, shape (60, 48)."""
    cohort = Passport.load(DEFAULT_MODEL).cohort
    assert cohort is not None
    return cohort.embeddings


@pytest.fixture(scope="module")
def again(enrolled: Vectors) -> Vectors:
    """The same people another time, shape (60, 48)."""
    noise = np.random.default_rng(1).normal(size=enrolled.shape) * NOISE / enrolled.shape[1] ** 0.5
    return unit((enrolled + noise).astype(np.float32))


def trials(scores: NDArray[np.float64]) -> Trials:
    people = np.arange(len(scores))
    template_of, probe_of = (grid.ravel() for grid in np.meshgrid(people, people, indexing="ij"))
    return Trials(scores.ravel(), template_of, probe_of, np.ones(scores.size))


def test_lengths_and_angles_stay(enrolled: Vectors, again: Vectors) -> None:
    rotation = Rotation(SEEDS[0], enrolled.shape[1])
    one, other = rotation.turn(enrolled), rotation.turn(again)
    assert one.dtype == np.float32
    np.testing.assert_allclose(cosine(one, other), cosine(enrolled, again), atol=1e-6)
    np.testing.assert_allclose(rotation.turn_back(one), enrolled, atol=1e-6)


def test_the_matrix_of_a_seed_is_always_the_same() -> None:
    """Or a newer numpy would make every template useless."""
    turned = Rotation(SEEDS[0], 3).turn(np.eye(3, dtype=np.float32))
    np.testing.assert_allclose(
        turned,
        [
            [-0.942474, 0.070649, 0.326729],
            [-0.163826, 0.754365, -0.635685],
            [0.291383, 0.652643, 0.699395],
        ],
        atol=1e-6,
    )


@pytest.mark.parametrize("seed", SEEDS[:3])
def test_turning_costs_no_accuracy(enrolled: Vectors, again: Vectors, seed: bytes) -> None:
    """Every score and the equal error rate are what they were, cohort and all."""
    plain = corrected_cosine(enrolled, again, enrolled)
    rotation = Rotation(seed, enrolled.shape[1])
    turned = corrected_cosine(*(rotation.turn(part) for part in (enrolled, again, enrolled)))
    np.testing.assert_allclose(turned, plain, atol=2e-5)
    rate = equal_error_rate(trials(plain))
    assert 0.01 < rate < 0.1
    assert equal_error_rate(trials(turned)) == pytest.approx(rate, abs=1e-4)


def test_a_template_of_an_old_seed_is_worth_a_guess(enrolled: Vectors, again: Vectors) -> None:
    """Held against today's probes, old templates have an equal error rate of one half."""
    rates = []
    for old, new in pairwise(SEEDS):
        stolen = Rotation(old, enrolled.shape[1]).turn(enrolled)
        now = Rotation(new, enrolled.shape[1])
        scores = corrected_cosine(stolen, now.turn(again), now.turn(enrolled))
        rates.append(equal_error_rate(trials(scores)))
    assert np.mean(rates) == pytest.approx(0.5, abs=0.05)


def test_templates_of_two_galleries_do_not_tell_whether_they_are_of_one_person(
    enrolled: Vectors, again: Vectors
) -> None:
    """The cosines of mated and non-mated pairs have one distribution (ISO/IEC 30136)."""
    size = enrolled.shape[1]
    mated, non_mated = [], []
    for number in range(200):
        one, other = (Rotation(bytes([number, half] * 16), size) for half in (0, 1))
        pairs = cosine(one.turn(enrolled[:10]), other.turn(again[:10]))
        mated.append(pairs[0, 0])
        non_mated.append(pairs[1, 2])
    assert ks_2samp(mated, non_mated).pvalue > 0.01
    assert np.std(mated) == pytest.approx(size**-0.5, rel=0.2)  # as of random directions


def test_a_network_turns_its_embeddings_and_its_cohort_alike(tmp_path: Path) -> None:
    model = embedder(tmp_path)
    plain, turned = Network(model), Network(model, SEEDS[0])
    assert plain.passport.cohort is not None
    assert turned.passport.cohort is not None
    windows = np.random.default_rng(1).normal(size=(5, 175)).astype(np.float32)
    one, other = plain.run(windows), turned.run(windows)
    assert np.abs(one - other).max() > 0.1
    np.testing.assert_allclose(
        cosine(other, turned.passport.cohort.embeddings),
        cosine(one, plain.passport.cohort.embeddings),
        atol=1e-6,
    )
    assert turned.passport.sha256 == plain.passport.sha256
