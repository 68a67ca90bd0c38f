"""Tiny models with passports, and beats whose embeddings are known, for the tests of model/."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsp.front_end import FrontEnd
from dsp.signals import BeatQuality
from model.calibration import Calibration
from model.passport import Cohort, Passport, TensorSpec, file_sha256
from model.tensor import NORMALISATION

FIXTURES = Path(__file__).parent / "fixtures"
GOOD = BeatQuality(1.0, ())
NOISY = BeatQuality(0.4, ("noisy",))

#: With one axis per stranger a unit vector's cosines with the cohort are its own components.
AXES = np.eye(4, dtype=np.float32)

CALIBRATION = Calibration(
    fmr=0.01,
    thresholds=(0.8, 0.7, 0.6, 0.5, 0.3),
    slopes=(2.0, 2.0, 2.0, 2.0, 4.0),
    intercepts=(-1.0, -1.0, -1.0, -1.0, -1.5),
)


def embedder(folder: Path) -> Path:
    """Put ``cosines.tflite`` with a passport and a cohort into a folder, and return its path."""
    model = Path(shutil.copy(FIXTURES / "cosines.tflite", folder))
    passport = Passport(
        name="cosines",
        kind="embedder",
        sha256=file_sha256(model),
        created_utc="2026-01-01T00:00:00Z",
        front_end=FrontEnd.description(),
        tensors=TensorSpec(175, NORMALISATION, 4),
        calibration=CALIBRATION,
        cohort=Cohort.write(folder / "cosines.cohort.npy", AXES),
        training={"data": "none", "licence": "MIT"},
        metrics={},
    )
    passport.save(model)
    return model


def classifier(folder: Path) -> Path:
    """Put ``softmax.tflite`` with a passport for three people into a folder."""
    model = Path(shutil.copy(FIXTURES / "softmax.tflite", folder))
    passport = Passport(
        name="softmax",
        kind="classifier",
        sha256=file_sha256(model),
        created_utc="2026-01-01T00:00:00Z",
        front_end=FrontEnd.description(),
        tensors=TensorSpec(175, NORMALISATION, 3, ("Ada", "Bob", "Cy")),
        calibration=Calibration(0.01, (float(np.log(0.7)),), (10.0,), (2.0,)),
        cohort=None,
        training={},
        metrics={},
    )
    passport.save(model)
    return model


def towards(*components: float) -> NDArray[np.float32]:
    """Return the unit vector in a direction."""
    vector = np.array(components, dtype=np.float32)
    scaled: NDArray[np.float32] = vector / np.linalg.norm(vector)
    return scaled
