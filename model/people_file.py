"""Enrolled people as JSON, to be shown to them or carried to another machine.

    {"format": "qrsd people", "schema": 1, "people": [
        {"name": "Ada", "created_utc": "...", "consent_utc": null, "templates": [
            {"embedding": [0.1, ...], "beats": 20, "created_utc": "...", "model_sha256": "...",
             "source": "ads1292r"}]}]}

Embeddings come back bit for bit: a float32 and its shortest decimal for a float64 are the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import numpy as np

from model.entries import MOST_NUMBERS, is_unit
from model.errors import ExportInvalid, NameInvalid
from model.fields import Fields
from model.names import check_name
from model.template import MOST_BEATS, SOURCES, Person, Template

FORMAT = "qrsd people"
SCHEMA = 1
SHA256 = re.compile("[0-9a-f]{64}")
FIRST_YEAR = 1970  # which a computer without a clock believes it to be


def to_json(people: Iterable[Person]) -> dict[str, Any]:
    """Return everything that is held on these people as a JSON object."""
    return {"format": FORMAT, "schema": SCHEMA, "people": [_person(person) for person in people]}


def from_json(text: str, where: str, numbers_of: Mapping[str, int] | None = None) -> list[Person]:
    """Read what ``to_json`` gave; complaints say ``where`` it was, and which field is wrong.

    ``numbers_of`` tells how many numbers the embeddings of the models have that we know.

    Raises:
        ExportInvalid: it is not that.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ExportInvalid(f"{where}: not JSON: {error}") from error
    if not isinstance(values, dict):
        raise ExportInvalid(f"{where}: not a JSON object")
    return from_values(values, where, numbers_of)


def from_values(
    values: dict[str, Any], where: str, numbers_of: Mapping[str, int] | None = None
) -> list[Person]:
    """Read the object that ``to_json`` gave, as ``from_json`` does.

    Raises:
        ExportInvalid: it is not that.
    """
    fields = Fields(values, where, ExportInvalid)
    fields.choice("format", (FORMAT,))
    if (schema := fields.integer("schema")) != SCHEMA:
        raise fields.invalid("schema", f"{schema}, this version of qrsd reads {SCHEMA}")
    known = dict(numbers_of or {})
    return [_read_person(person, known) for person in fields.objects("people")]


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


def _read_person(fields: Fields, numbers_of: dict[str, int]) -> Person:
    try:
        name = check_name(fields.text("name"))
    except NameInvalid as error:
        raise fields.invalid("name", str(error)) from error
    templates = [_read_template(each, name, numbers_of) for each in fields.objects("templates")]
    agreed = fields.values.get("consent_utc") is not None  # qrsd 0.1 did not ask
    consent_utc = _utc(fields, "consent_utc") if agreed else None
    return Person(name, _utc(fields, "created_utc"), tuple(templates), consent_utc)


def _read_template(fields: Fields, person: str, numbers_of: dict[str, int]) -> Template:
    model = fields.text("model_sha256")
    if not SHA256.fullmatch(model):
        raise fields.invalid("model_sha256", f"{model!r:.40} is not 64 hexadecimal digits")
    numbers = np.array(fields.numbers("embedding"))
    if len(numbers) > MOST_NUMBERS or len(numbers) != numbers_of.setdefault(model, len(numbers)):
        expected = numbers_of.get(model, MOST_NUMBERS)
        raise fields.invalid("embedding", f"{len(numbers)} numbers, its model makes {expected}")
    if not is_unit(numbers):
        raise fields.invalid("embedding", "is not a vector of length 1")
    if (beats := fields.integer("beats")) > MOST_BEATS:
        raise fields.invalid("beats", f"{beats!r:.40} is above {MOST_BEATS}")
    return Template(
        person=person,
        embedding=numbers.astype(np.float32),
        beats=beats,
        created_utc=_utc(fields, "created_utc"),
        model_sha256=model,
        source=fields.choice("source", SOURCES),
    )


def _utc(fields: Fields, name: str) -> str:
    """Return a field that is a date and time, ISO 8601, since computers keep time."""
    text = fields.text(name)
    try:
        year = datetime.fromisoformat(text).year
    except ValueError as error:
        raise fields.invalid(name, f"{text!r:.40} is not a date and time") from error
    if year < FIRST_YEAR:
        raise fields.invalid(name, f"{text!r:.40} is before {FIRST_YEAR}")
    if not (text.isascii() and text.isprintable()):  # Python takes anything between the two
        raise fields.invalid(name, f"{text!r:.40} is not a date and time")
    return text
