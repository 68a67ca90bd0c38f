"""The passport of a network that tells the kinds of beats: NAME.json beside NAME.tflite."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from model.beat_history import FIGURES, INPUTS, SEQUENCE
from model.errors import ModelMissing, PassportFieldInvalid, PassportSchemaUnknown
from model.fields import Fields
from model.passport import check_sha256, passport_path, read_json, sha256_of

SCHEMA = "beat_kinds 1"
#: The kinds that a network tells apart, in the order of its outputs. ``Q`` is none of its matter.
TOLD_KINDS = ("N", "S", "V", "F")

Logits = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Decision:
    """From a network's logits to what is told of beats; set on patients it never saw."""

    biases: tuple[float, ...]  # added to the logits before the largest counts, one for each kind
    slope: float  # of the line from the logits' odds to the logarithm of the true ones
    offset: float  # of that line

    def kinds(self, logits: Logits) -> NDArray[np.int64]:
        """Return places in ``TOLD_KINDS``, shape (n,), from logits, shape (n, 4)."""
        kinds: NDArray[np.int64] = np.argmax(logits + np.array(self.biases), axis=1)
        return kinds

    def ln_odds(self, logits: Logits) -> NDArray[np.float64]:
        """Return the logarithm of the odds that each beat is not normal, shape (n,)."""
        return self.slope * ln_odds_abnormal(logits) + self.offset

    def abnormal(self, logits: Logits) -> NDArray[np.float64]:
        """Return the probability that each beat is not normal, shape (n,)."""
        probability: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(self.ln_odds(logits), -50, 50)))
        return probability


def ln_odds_abnormal(logits: Logits) -> NDArray[np.float64]:
    """Return the logarithm of the odds that a beat is not normal, before calibration, (n,)."""
    against = logits[:, 1:] - logits[:, :1]
    odds: NDArray[np.float64] = np.logaddexp.reduce(against.astype(np.float64), axis=1)
    return odds


@dataclass(frozen=True, slots=True)
class BeatPassport:
    """All that is known of such a network."""

    name: str  # the model's, for messages and people
    sha256: str  # of the .tflite, in hexadecimal
    created_utc: str  # ISO 8601
    front_end: dict[str, Any]  # ``FrontEnd.description()`` of the chain that cut its beats
    decision: Decision
    training: dict[str, Any]  # architecture, data, licence, patients, seed
    metrics: dict[str, Any]  # figures, with the protocol that they were measured by

    @classmethod
    def load(cls, model_path: Path, content: bytes) -> Self:
        """Read the passport of a model whose content is given.

        Raises:
            PassportError: it is not there, not readable, or speaks of another file.
        """
        fields = read_json(passport_path(model_path))
        if (schema := fields.text("schema")) != SCHEMA or fields.values.get("inputs") != _inputs():
            raise PassportSchemaUnknown(
                f"{fields.file}: schema {schema!r} or the figures of a beat are not those of this "
                "version of qrsd; train the model again, or install the qrsd that it came with"
            )
        passport = cls(
            name=fields.text("name"),
            sha256=fields.text("sha256"),
            created_utc=fields.text("created_utc"),
            front_end=fields.object("front_end").values,
            decision=_decision(fields.object("decision")),
            training=fields.object("training").values,
            metrics=fields.object("metrics").values,
        )
        check_sha256(model_path, sha256_of(content), passport.sha256)
        return passport

    def save(self, model_path: Path) -> None:
        """Write the passport beside its model."""
        values = {"schema": SCHEMA, "inputs": _inputs()} | asdict(self)
        text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False)
        passport_path(model_path).write_text(text + "\n", encoding="utf-8")


def read_model(model_path: Path) -> bytes:
    """Return a .tflite's content.

    Raises:
        ModelMissing: there is no such model.
    """
    if not model_path.is_file():
        raise ModelMissing(f"{model_path}: no such model")
    return model_path.read_bytes()


def _inputs() -> dict[str, Any]:
    """Return what a network is given, which must be what it was trained with."""
    return {"numbers": INPUTS, "beats": SEQUENCE, "figures": list(FIGURES)}


def _decision(fields: Fields) -> Decision:
    biases = fields.numbers("biases")
    if len(biases) != len(TOLD_KINDS):
        raise PassportFieldInvalid(
            f"{fields.file}: {fields.path}biases: {len(biases)} numbers, expected {len(TOLD_KINDS)}"
        )
    return Decision(biases, fields.number("slope"), fields.number("offset"))
