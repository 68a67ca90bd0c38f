"""Training one fold's network: the only part of the evaluation that needs TensorFlow.

It is kept from the others' processes: the TFLite runtime of the service cannot build an
interpreter where TensorFlow, which has one of its own, is loaded.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from benchmarks.identity.plan import FoldJob, Trained
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


def train_fold(job: FoldJob, model_path: Path) -> Trained:
    """Train, convert and write one fold's model, with passport and cohort beside it."""
    recipe = Recipe(steps=job.steps)
    network = train_embedder(job.known, recipe, job.seed, others=job.others)
    converted = to_tflite(network, job.known.where(job.known.good).windows_mv)
    write_model(converted, model_path.parent, model_path.stem)
    cohort = cohort_templates(job.known, job.others, partial(embed, network))
    passport = Passport(
        name=f"seed {job.seed}, fold {job.number}",
        kind="embedder",
        sha256=file_sha256(model_path),
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        front_end=FrontEnd.description(),
        tensors=TensorSpec(WINDOW_SAMPLES, NORMALISATION, EMBEDDING),
        calibration=UNCALIBRATED,
        cohort=Cohort.write(model_path.with_suffix(".cohort.npy"), cohort),
        training={"persons": list(job.known.names), "seed": job.seed},
        metrics={},
    )
    passport.save(model_path)
    return Trained(embed(network, job.unseen.windows_mv), cohort)
