"""The losses against numpy, term by term as the papers write them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp

pytestmark = pytest.mark.train
tf = pytest.importorskip("tensorflow", reason="needs the [train] extra")

LABELS = np.array([0, 0, 1, 1, 2, 2])


@pytest.fixture
def embeddings() -> np.ndarray:
    vectors = np.random.default_rng(0).standard_normal((6, 4))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_arcface_adds_its_margin_to_the_angle_to_ones_own_centre(embeddings: np.ndarray) -> None:
    from model.training.losses import MARGIN_RAD, SCALE, arcface

    centres = np.random.default_rng(1).standard_normal((3, 4)).astype(np.float32)
    directions = centres / np.linalg.norm(centres, axis=1, keepdims=True)
    expected = []
    for embedding, label in zip(embeddings, LABELS, strict=True):
        angles = np.arccos(directions @ embedding)
        angles[label] += MARGIN_RAD
        logits = SCALE * np.cos(angles)
        expected.append(logsumexp(logits) - logits[label])
    loss = float(arcface(tf.constant(embeddings), tf.constant(centres), tf.constant(LABELS)))
    assert loss == pytest.approx(np.mean(expected), rel=1e-4)


def test_arcface_has_a_finite_slope_where_an_embedding_meets_its_centre() -> None:
    from model.training.losses import arcface

    centres = tf.Variable(np.eye(3, dtype=np.float32))
    with tf.GradientTape() as tape:
        loss = arcface(tf.eye(3), centres, tf.constant([0, 1, 2]))
    assert np.isfinite(tape.gradient(loss, centres).numpy()).all()


def test_supervised_contrastive_is_the_mean_over_positives_of_equation_2(
    embeddings: np.ndarray,
) -> None:
    from model.training.losses import TEMPERATURE, supervised_contrastive

    terms = []
    for anchor in range(6):
        others = [j for j in range(6) if j != anchor]
        logits = embeddings @ embeddings[anchor] / TEMPERATURE
        positives = [j for j in others if LABELS[j] == LABELS[anchor]]
        terms.append(np.mean([logsumexp(logits[others]) - logits[j] for j in positives]))
    loss = float(supervised_contrastive(tf.constant(embeddings), tf.constant(LABELS)))
    assert loss == pytest.approx(np.mean(terms), rel=1e-4)
