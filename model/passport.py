"""The passport: what a model needs to be trusted, in a JSON file beside the .tflite.

    heart.tflite         the network
    heart.json           its passport: this file
    heart.cohort.npy     embeddings of the training's persons, which scores are compared with

A passport is believed only if the hashes in it are those of the files that lie there.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from model.calibration import Calibration
from model.entries import is_unit
from model.errors import (
    CohortUnusable,
    ModelAltered,
    ModelError,
    ModelMissing,
    ModelUnloadable,
    PassportFieldInvalid,
    PassportMismatch,
    PassportMissing,
    PassportSchemaUnknown,
    PassportUnreadable,
)
from model.fields import Fields
from model.tensor import NORMALISATION

SCHEMA = 3

Kind: TypeAlias = Literal["embedder", "classifier"]


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """What goes into the network and what comes out."""

    samples: int  # length of a beat window
    normalisation: str  # what is done to a window first; ``model.tensor.NORMALISATION``
    #: numbers that come out per beat: the embedding's size; of a classifier, one per label and, if
    #: it was trained with strangers, one more for whoever is none of them
    outputs: int
    #: the persons that a classifier tells apart, in the order of its outputs
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """Persons whom nobody enrols, of one device or several: what a chance likeness looks like."""

    file: str  # the .npy's name, in the model's folder
    sha256: str  # of the .npy, in hexadecimal
    embeddings: NDArray[np.float32]  # one unit vector per person, shape (persons, size), float32

    @classmethod
    def write(cls, path: Path, embeddings: NDArray[np.float32]) -> Self:
        """Write the .npy and return what the passport says of it."""
        np.save(path, embeddings.astype("<f4"), allow_pickle=False)
        return cls(path.name, file_sha256(path), embeddings)

    @classmethod
    def read(cls, path: Path, sha256: str, size: int) -> Self:
        """Read the .npy of a passport.

        Raises:
            CohortUnusable: it is not there, not the same file, or not (persons, size) numbers.
        """
        content = content_of(path, CohortUnusable)
        if content is None:
            raise CohortUnusable(f"{path}: the cohort named by the passport is not there")
        if (found := sha256_of(content)) != sha256:
            raise CohortUnusable(f"{path}: SHA-256 is {found}, the passport says {sha256}")
        embeddings = _array(path, content)
        if embeddings.ndim != 2 or embeddings.shape[1] != size or len(embeddings) < 2:
            raise CohortUnusable(
                f"{path}: shape is {embeddings.shape}, expected (persons, {size}) with 2 or more"
            )
        if not all(map(is_unit, embeddings)):  # no score that is none may pass for a high one
            raise CohortUnusable(f"{path}: a row of it is not a vector of length 1")
        return cls(path.name, sha256, embeddings)


@dataclass(frozen=True, slots=True)
class Passport:
    """All that is known of a model."""

    name: str  # the model's, for messages and people
    kind: Kind  # ``embedder`` (who is enrolled is in the gallery) or ``classifier`` (a fixed group)
    sha256: str  # of the .tflite, in hexadecimal
    created_utc: str  # ISO 8601
    #: ``FrontEnd.description()`` of the chain that cut the training's beats
    front_end: dict[str, Any]
    tensors: TensorSpec  # input and output
    calibration: Calibration  # from scores to decisions
    cohort: Cohort | None  # what scores are corrected by; None for a classifier
    #: data, licence, persons, seed: whatever says where the model comes from
    training: dict[str, Any]
    metrics: dict[str, Any]  # figures, each with the protocol that it was measured by

    @classmethod
    def load(cls, model_path: Path, content: bytes | None = None) -> Self:
        """Read the passport of a model and check it against the files beside it.

        Args:
            model_path: of the .tflite; its passport and cohort lie beside it.
            content: of the .tflite where the caller has read it, to check what it will run.

        Raises:
            ModelMissing: there is no such model.
            PassportError: the passport is not there, not readable, or speaks of other files.
        """
        if content is None:
            content = content_of(model_path, ModelUnloadable)
        if content is None:
            raise ModelMissing(f"{model_path}: no such model")
        passport = cls.from_json(read_json(passport_path(model_path)), model_path.parent)
        check_sha256(model_path, sha256_of(content), passport.sha256)
        return passport

    @classmethod
    def from_json(cls, fields: Fields, folder: Path) -> Self:
        """Build a passport from its JSON object; ``folder`` holds the cohort.

        Raises:
            PassportError: a field is missing or wrong, or the cohort cannot be used.
        """
        if (schema := fields.integer("schema")) != SCHEMA:
            raise PassportSchemaUnknown(
                f"{fields.file}: schema is {schema}, this version of qrsd reads {SCHEMA}; "
                "train the model again, or install the qrsd that it came with"
            )
        kind = cast(Kind, fields.choice("kind", ("embedder", "classifier")))
        tensors = _tensors(fields.object("tensors"), kind)
        cohort = None
        if kind == "embedder":
            named = fields.object("cohort")
            cohort_path = folder / named.text("file")
            cohort = Cohort.read(cohort_path, named.text("sha256"), tensors.outputs)
        return cls(
            name=fields.text("name"),
            kind=kind,
            sha256=fields.text("sha256"),
            created_utc=fields.text("created_utc"),
            front_end=fields.object("front_end").values,
            tensors=tensors,
            calibration=Calibration.from_json(fields.object("calibration")),
            cohort=cohort,
            training=fields.object("training").values,
            metrics=fields.object("metrics").values,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the passport as the JSON object that ``from_json`` reads."""
        cohort = self.cohort and {"file": self.cohort.file, "sha256": self.cohort.sha256}
        return {
            "schema": SCHEMA,
            "name": self.name,
            "kind": self.kind,
            "sha256": self.sha256,
            "created_utc": self.created_utc,
            "front_end": self.front_end,
            "tensors": asdict(self.tensors),
            "calibration": asdict(self.calibration),
            "cohort": cohort,
            "training": self.training,
            "metrics": self.metrics,
        }

    def save(self, model_path: Path) -> None:
        """Write the passport beside its model."""
        text = json.dumps(self.to_json(), indent=2, ensure_ascii=False, allow_nan=False)
        passport_path(model_path).write_text(text + "\n", encoding="utf-8")

    def check_front_end(self, running: dict[str, Any]) -> None:
        """Compare the chain of the training with the one that runs: ``FrontEnd.description()``.

        Raises:
            PassportMismatch: they disagree; the message names the fields and both values.
        """
        check_front_end(self.name, self.front_end, running)


def check_front_end(name: str, trained: dict[str, Any], running: dict[str, Any]) -> None:
    """Compare the chain that a model was trained behind with the one that runs.

    Raises:
        PassportMismatch: they disagree; the message names the fields and both values.
    """
    disagreements = [
        f"{field} is {running.get(field, 'unknown')!r} here, {value!r} in training"
        for field, value in (running | trained).items()
        for value in [trained.get(field, "unknown")]
        if running.get(field, "unknown") != value
    ]
    if disagreements:
        raise PassportMismatch(
            f"model {name!r} was trained behind another signal chain: "
            f"{'; '.join(disagreements)}; train it again or install the qrsd it came with"
        )


def _array(path: Path, content: bytes) -> NDArray[np.float32]:
    """Return the numbers of a .npy."""
    try:
        array = np.load(BytesIO(content), allow_pickle=False)
        if array.dtype.kind != "f":
            raise ValueError(f"they are {array.dtype}")
        numbers: NDArray[np.float32] = array.astype(np.float32)
    except Exception as error:  # numpy raises whatever it trips over, as for want of memory
        raise CohortUnusable(f"{path}: not an array of numbers: {error}") from error
    return numbers


def passport_path(model_path: Path) -> Path:
    """Return where a model's passport lies: the same name, ending in .json."""
    return model_path.with_suffix(".json")


def check_sha256(model_path: Path, found: str, expected: str) -> None:
    """Compare a model's hash with its passport's.

    Raises:
        ModelAltered: they differ.
    """
    if found != expected:
        raise ModelAltered(
            f"{model_path}: SHA-256 is {found}, its passport was written for "
            f"{expected}; put back the model and the passport that belong together"
        )


def content_of(path: Path, refusal: type[ModelError]) -> bytes | None:
    """Return what a file holds, None if there is none.

    Raises:
        ModelError: as the refusal: the system does not let us read it.
    """
    try:
        return path.read_bytes() if path.is_file() else None
    except OSError as error:
        raise refusal(f"{path}: cannot be read: {error.strerror}") from error


def file_sha256(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    return sha256_of(path.read_bytes())


def sha256_of(content: bytes) -> str:
    """Return the SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def read_json(path: Path) -> Fields:
    """Read a passport's JSON object.

    Raises:
        PassportError: it is not there, or not JSON.
    """
    content = content_of(path, PassportUnreadable)
    if content is None:
        raise PassportMissing(f"{path}: the model has no passport; copy it from where it was made")
    try:
        values = json.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise PassportUnreadable(f"{path}: not JSON: {error}") from error
    if not isinstance(values, dict):
        raise PassportUnreadable(f"{path}: a {type(values).__name__}, expected a JSON object")
    return Fields(values, str(path), PassportFieldInvalid)


def _tensors(fields: Fields, kind: Kind) -> TensorSpec:
    spec = TensorSpec(
        samples=fields.integer("samples"),
        normalisation=fields.choice("normalisation", (NORMALISATION,)),
        outputs=fields.integer("outputs"),
        labels=fields.texts("labels"),
    )
    expected = (spec.outputs, spec.outputs - 1) if kind == "classifier" else (0,)
    if len(spec.labels) not in expected:
        listed = " or ".join(map(str, expected))
        raise fields.invalid("labels", f"{len(spec.labels)} labels, expected {listed}")
    return spec
