"""An embedder that has learnt nothing, for tests of what is done with one."""

from __future__ import annotations

import numpy as np

from model.training.architecture import (
    EMBEDDING,
    LEARNT,
    LINEAR,
    KerasModel,
    embedder,
    learnt_branch,
)


def untrained_embedder() -> KerasModel:
    """Return an embedder with weights by chance."""
    rng = np.random.default_rng(4)
    matrix = rng.standard_normal((175, LINEAR)) / 50
    compensation = rng.standard_normal((LEARNT + LINEAR, EMBEDDING))
    return embedder(learnt_branch(), matrix, np.zeros(LINEAR), compensation)
