"""What the network makes of the beats of recordings, as arrays with a row for each beat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from daemon.offline.hearing import Heard
from model.network import Network
from model.tensor import normalise


def embed(recordings: Sequence[Heard], network: Network) -> dict[str, Any]:
    """Return what ``qrsd embed`` writes, by the names that it has there."""
    beats = [(heard.path, beat) for heard in recordings for beat in heard.beats]
    none = np.empty((0, network.passport.tensors.outputs), np.float32)
    outputs = [network.run(normalise(heard.windows_mv)) for heard in recordings]
    arrays: dict[str, Any] = {
        "record": np.array([path for path, _ in beats], dtype=np.str_),
        "r_index": np.array([beat.r_index for _, beat in beats], dtype=np.int64),
        "quality": np.array([beat.quality.score for _, beat in beats], dtype=np.float64),
        "good": np.array([beat.quality.good for _, beat in beats], dtype=np.bool_),
        "embedding": np.concatenate([none, *outputs]),
        "model_sha256": np.array(network.passport.sha256),
    }
    if network.passport.cohort is not None:
        arrays["cohort"] = network.passport.cohort.embeddings
    return arrays
