"""Enrolled people as JSON, to be shown to them or carried to another machine.

    {"format": "qrsd people", "schema": 1, "people": [
        {"name": "Ada", "created_utc": "...", "consent_utc": null, "templates": [
            {"embedding": [0.1, ...], "beats": 20, "created_utc": "...", "model_sha256": "...",
             "source": "ads1292r"}]}]}

Embeddings come back bit for bit: a float32 and its shortest decimal for a float64 are the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from model.errors import ExportInvalid
from model.fields import Fields
from model.template import Person, Template

FORMAT = "qrsd people"
SCHEMA = 1


def to_json(people: Iterable[Person]) -> dict[str, Any]:
    """Return everything that is held on these people as a JSON object."""
    return {"format": FORMAT, "schema": SCHEMA, "people": [_person(person) for person in people]}


def from_json(text: str, where: str) -> list[Person]:
    """Read what ``to_json`` gave.

    Args:
        text: the file's content.
        where: its name, for complaints.

    Raises:
        ExportInvalid: it is not that; the message names the field.
    """
    try:
        values = json.loads(text)
    except ValueError as error:
        raise ExportInvalid(f"{where}: not JSON: {error}") from error
    if not isinstance(values, dict):
        raise ExportInvalid(f"{where}: not a JSON object")
    fields = Fields(values, where, ExportInvalid)
    fields.choice("format", (FORMAT,))
    if (schema := fields.integer("schema")) != SCHEMA:
        raise fields.invalid("schema", f"{schema}, this version of qrsd reads {SCHEMA}")
    return [_read_person(person) for person in fields.objects("people")]


def _person(person: Person) -> dict[str, Any]:
    templates = [
        {
            "embedding": template.embedding.tolist(),
            "beats": template.beats,
            "created_utc": template.created_utc,
            "model_sha256": template.model_sha256,
            "source": template.source,
        }
        for template in person.templates
    ]
    return {
        "name": person.name,
        "created_utc": person.created_utc,
        "consent_utc": person.consent_utc,
        "templates": templates,
    }


def _read_person(fields: Fields) -> Person:
    name = fields.text("name")
    templates = [_read_template(template, name) for template in fields.objects("templates")]
    agreed = fields.values.get("consent_utc") is not None  # qrsd 0.1 did not ask
    consent_utc = fields.text("consent_utc") if agreed else None
    return Person(name, fields.text("created_utc"), tuple(templates), consent_utc)


def _read_template(fields: Fields, person: str) -> Template:
    embedding = np.array(fields.numbers("embedding"), dtype=np.float32)
    if abs(np.linalg.norm(embedding) - 1) > 1e-3:
        raise fields.invalid("embedding", "is not a vector of length 1")
    return Template(
        person=person,
        embedding=embedding,
        beats=fields.integer("beats"),
        created_utc=fields.text("created_utc"),
        model_sha256=fields.text("model_sha256"),
        source=fields.text("source"),
    )
