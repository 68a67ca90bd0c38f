"""Made-up persons for the tests of training: few, with beats that need no recording."""

from __future__ import annotations

import numpy as np

from model.training.datasets import Beats

SAMPLES = 175


def crowd(persons: int, records: int = 2, beats: int = 12, noise_mv: float = 0.05) -> Beats:
    """Return persons ``P0``, ``P1``... whose beats are each one shape of their own, with noise.

    Record ``P0/r1`` was made on the first of the month, ``P0/r2`` on the second, and so on.
    """
    rng = np.random.default_rng(5)
    time = np.linspace(0, 1, SAMPLES)
    harmonics = np.sin(2 * np.pi * np.arange(1, 9)[:, None] * time)
    shapes = rng.standard_normal((persons, 8)) @ harmonics
    rows = [(p, r) for p in range(persons) for r in range(1, records + 1) for _ in range(beats)]
    whose = np.array([person for person, _ in rows])
    windows = shapes[whose] + noise_mv * rng.standard_normal((len(rows), SAMPLES))
    return Beats(
        windows_mv=windows,
        persons=np.array([f"P{person}" for person, _ in rows]),
        records=np.array([f"P{person}/r{record}" for person, record in rows]),
        days=np.array([f"2005-01-{record:02}" for _, record in rows]),
        good=np.ones(len(rows), dtype=bool),
    )
