"""Models with a closed form whose scores are those of synthetic hearts, and galleries of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from daemon.offline.analysis import analyse
from dsp.front_end import FrontEnd
from model.calibration import Calibration
from model.gallery import Gallery
from model.passport import Cohort, Passport, TensorSpec, file_sha256
from model.scores import mean_direction
from model.template import Template
from model.tensor import NORMALISATION
from tests.model.models import FIXTURES


def write_passport(model: Path, cohort: Cohort | None, **changes: object) -> Path:
    classifier = cohort is None
    labels = ("Ada", "Ben", "Cleo") if classifier else ()
    fields: dict[str, object] = {
        "name": "closed form",
        "kind": "classifier" if classifier else "embedder",
        "sha256": file_sha256(model),
        "created_utc": "2024-05-01T12:00:00Z",
        "front_end": FrontEnd.description(),
        "tensors": TensorSpec(175, NORMALISATION, 3 if classifier else 4, labels),
        "calibration": Calibration(0.01, (0.47,), (20.0,), (-9.4,)),
        "cohort": cohort,
        "training": {},
        "metrics": {},
    }
    Passport(**(fields | changes)).save(model)  # type: ignore[arg-type]
    return model


def embedder_of_hearts(folder: Path) -> Path:
    """Put a network that returns four coefficients of a beat's cosine series into a folder."""
    model = Path(shutil.copy(FIXTURES / "cosines.tflite", folder))
    strangers = np.random.default_rng(1).normal(size=(20, 4))
    strangers /= np.linalg.norm(strangers, axis=1, keepdims=True)
    cohort = Cohort.write(folder / "cosines.cohort.npy", strangers.astype(np.float32))
    return write_passport(model, cohort)


def enrol(gallery_path: Path, person: str, record: Path, model: Path) -> None:
    embeddings = cosine_embeddings(analyse(str(record)).windows_mv)
    template = mean_direction(embeddings).astype(np.float32)
    sha256 = file_sha256(model)
    with Gallery(gallery_path) as gallery:
        gallery.enrol(Template(person, template, 20, "2024-05-01T12:00:00Z", sha256, "recording"))


def cosine_embeddings(windows_mv: np.ndarray) -> np.ndarray:
    """What the embedder makes of beats, by its closed form."""
    beats = windows_mv - windows_mv.mean(axis=1, keepdims=True)
    beats /= beats.std(axis=1, keepdims=True)
    turn = 2 * np.pi * np.arange(175)[:, None] / 175
    coefficients = beats @ np.cos(turn * np.arange(1, 5))
    return coefficients / np.linalg.norm(coefficients, axis=1, keepdims=True)
