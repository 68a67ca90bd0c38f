"""Training one fold's network: the only part of the evaluation that needs TensorFlow.

It is kept from the others' processes: the TFLite runtime of the service cannot build an
interpreter where TensorFlow, which has one of its own, is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.identity.plan import FoldJob
from dsp.front_end import FrontEnd
from dsp.segmenter import WINDOW_SAMPLES
from model.calibration import Calibration
from model.passport import Cohort, Passport, TensorSpec, file_sha256
from model.tensor import NORMALISATION
from model.training.architecture import EMBEDDING
from model.training.evaluate import cohort_templates
from model.training.export import to_tflite, write_model
from model.training.train import Recipe, embed, train_embedder

#: Until the other folds have given one.
UNCALIBRATED = Calibration(fmr=0.01, thresholds=(0.0,), slopes=(1.0,), intercepts=(0.0,))


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A fold's network."""

    model_path: Path  # the converted one, with passport and cohort beside it
    #: what the network made of the unseen beats before conversion, shape (n, d)
    embeddings: NDArray[np.float32]
    cohort: NDArray[np.float32]  # before conversion


def train_fold(job: FoldJob, on_step: Callable[[], None]) -> Trained:
    """Train, convert and write one fold's model."""
    recipe = Recipe(steps=job.steps)
    network = train_embedder(job.known, recipe, job.seed, on_step, job.others)
    converted = to_tflite(network, job.known.where(job.known.good).windows_mv)
    job.folder.mkdir(parents=True)
    model_path = write_model(converted, job.folder, "fold")
    cohort = cohort_templates(job.known, job.others, partial(embed, network))
    passport = Passport(
        name=f"seed {job.seed}, fold {job.number}",
        kind="embedder",
        sha256=file_sha256(model_path),
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        front_end=FrontEnd.description(),
        tensors=TensorSpec(WINDOW_SAMPLES, NORMALISATION, EMBEDDING),
        calibration=UNCALIBRATED,
        cohort=Cohort.write(job.folder / "fold.cohort.npy", cohort),
        training={"persons": list(job.known.names), "seed": job.seed},
        metrics={},
    )
    passport.save(model_path)
    return Trained(model_path, embed(network, job.unseen.windows_mv), cohort)
