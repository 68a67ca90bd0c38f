"""What the literature mostly reports: one group, its beats split at random.

Comparable with the literature, says nothing of other days: a test beat's neighbours of the same
minute were trained on. The same group split by record stands beside it.
"""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from model.tensor import normalise
from model.training.architecture import classifier, reference_branch
from model.training.datasets import Beats

PERSONS = 6
TRAINED = 0.8
EPOCHS = 15


def random_split(beats: Beats, seed: int) -> dict[str, float]:
    """Return the part of the test beats that are right, in percent, for both ways to split."""
    beats = _group(beats.where(beats.good))
    rng = np.random.default_rng(seed)
    at_random = rng.permutation(len(beats)) < TRAINED * len(beats)
    earliest = np.isin(beats.records, [beats.records_of(name)[0] for name in beats.names])
    return {
        "random_beats": _accuracy(beats, at_random, seed),
        "by_record": _accuracy(beats, earliest, seed),
    }


def _group(beats: Beats) -> Beats:
    """Return the six persons with the most beats of those with two records or more."""
    several = [name for name in beats.names if len(beats.records_of(name)) > 1]
    several.sort(key=lambda name: -int((beats.persons == name).sum()))
    return beats.of(several[:PERSONS])


def _accuracy(beats: Beats, trained: NDArray[np.bool_], seed: int) -> float:
    keras.utils.set_random_seed(seed)
    windows = normalise(beats.windows_mv)[..., None]
    labels = np.searchsorted(np.array(beats.names), beats.persons)
    network = classifier(reference_branch(), len(beats.names))
    network.compile("adam", "sparse_categorical_crossentropy")
    network.fit(windows[trained], labels[trained], epochs=EPOCHS, verbose=0)
    outputs = network.predict(windows[~trained], verbose=0)
    return float(100 * np.mean(outputs.argmax(axis=1) == labels[~trained]))
