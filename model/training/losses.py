"""The embedder's losses: ArcFace, and a supervised contrastive loss.

Sources: J. Deng et al., "ArcFace", CVPR 2019; P. Khosla et al., "Supervised Contrastive Learning",
NeurIPS 2020.
"""

from __future__ import annotations

import math

import tensorflow as tf

SCALE = 16.0
MARGIN_RAD = 0.2
TEMPERATURE = 0.1


def arcface(embeddings: tf.Tensor, centres: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Return the softmax loss of cosines to every person's centre, with a margin to one's own.

    Args:
        embeddings: unit vectors, shape (n, d).
        centres: one direction per person, of any length, shape (persons, d).
        labels: whose each embedding is, shape (n,).
    """
    cosines = tf.matmul(embeddings, tf.math.l2_normalize(centres, axis=1), transpose_b=True)
    own = tf.one_hot(labels, tf.shape(centres)[0], on_value=MARGIN_RAD, off_value=0.0)
    # acos has no finite slope at +-1
    angles = tf.acos(tf.clip_by_value(cosines, -1 + 1e-6, 1 - 1e-6)) + own
    logits = SCALE * tf.cos(tf.minimum(angles, math.pi))
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return tf.reduce_mean(losses)


def supervised_contrastive(embeddings: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Return how much nearer than everybody else's beats each beat's own person's are.

    Args:
        embeddings: unit vectors, shape (n, d).
        labels: shape (n,); every label occurs at least twice.
    """
    logits = tf.matmul(embeddings, embeddings, transpose_b=True) / TEMPERATURE
    itself = tf.eye(tf.shape(labels)[0], dtype=tf.bool)
    same = tf.logical_and(labels[:, None] == labels[None, :], tf.logical_not(itself))
    others = tf.where(itself, tf.float32.min, logits)
    log_probability = logits - tf.reduce_logsumexp(others, axis=1, keepdims=True)
    positives = tf.cast(same, tf.float32)
    of_own = tf.reduce_sum(positives * log_probability, axis=1)
    return -tf.reduce_mean(of_own / tf.reduce_sum(positives, axis=1))
