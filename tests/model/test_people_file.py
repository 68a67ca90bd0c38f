"""Everything that is held on a person, as JSON and back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from model.errors import ExportInvalid, PersonExists
from model.gallery import Gallery
from model.people_file import from_json, to_json
from tests.model.galleries import MODEL, NOW, names, template


def test_it_comes_back_bit_for_bit(gallery: Gallery, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for person in ("Ada", "Ada", "Bob"):
        gallery.enrol(template(person, *rng.normal(size=64)))
    exported = json.dumps(to_json(gallery.people()))
    with Gallery(tmp_path / "other.sqlite") as other:
        other.add(from_json(exported, "people.json"))
        assert to_json(other.people()) == json.loads(exported)
        for mine, theirs in zip(gallery.templates(MODEL), other.templates(MODEL), strict=True):
            assert mine.embedding.tobytes() == theirs.embedding.tobytes()


def test_if_one_is_refused_nobody_is_added(gallery: Gallery, tmp_path: Path) -> None:
    gallery.enrol(template("Bob"))
    with Gallery(tmp_path / "other.sqlite") as other:
        other.enrol(template("Ada"))
        other.enrol(template("Bob"))
        with pytest.raises(PersonExists, match="'Bob'"):
            gallery.add(other.people())
    assert names(gallery) == ["Bob"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "people.json: not JSON"),
        ("[]", "people.json: not a JSON object"),
        ("{}", "people.json: format: is missing"),
        ('{"format": "qrsd people", "schema": 2}', "schema: 2, this version of qrsd reads 1"),
        ('{"format": "qrsd people", "schema": 1, "people": [3]}', "people: 3 in it is not an"),
        (
            '{"format": "qrsd people", "schema": 1, "people": [{"name": "Ada", "templates": '
            '[{"model_sha256": "' + "a" * 64 + '", "embedding": [1, 1]}]}]}',
            r"people\[0\].templates\[0\].embedding: is not a vector of length 1",
        ),
    ],
)
def test_what_is_no_export_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ExportInvalid, match=complaint):
        from_json(text, "people.json")


def exported(**changed: object) -> str:
    """Return an export of one template, with fields of it or its person changed."""
    person: dict[str, object] = {"name": "Ada", "created_utc": NOW, "consent_utc": None}
    of_template = {
        "embedding": [0.6, 0.8],
        "beats": 20,
        "created_utc": NOW,
        "model_sha256": MODEL,
        "source": "ads1292r",
    }
    for name, value in changed.items():
        (of_template if name in of_template else person)[name] = value
    person["templates"] = [of_template]
    return json.dumps({"format": "qrsd people", "schema": 1, "people": [person]})


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"embedding": [0.6, 0.8, 0.0]}, "embedding: 3 numbers, its model makes 2"),
        ({"embedding": [1.0] + [0.0] * 2000, "model_sha256": "b" * 64}, "embedding: 2001 numbers"),
        ({"embedding": [0.6, 0.7]}, "embedding: is not a vector of length 1"),
        ({"embedding": [float("nan"), 1]}, "embedding: nan is not a finite number"),
        ({"embedding": [1e200, 1]}, "embedding: is not a vector of length 1"),
        ({"beats": 10**30}, "beats: 1000000000000000000000000000000 is above 1000"),
        ({"beats": True}, "beats: True is not a whole number"),
        ({"created_utc": "yesterday"}, "created_utc: 'yesterday' is not a date and time"),
        ({"created_utc": "0001-01-01T00:00:00Z"}, "created_utc: '0001-01-01.* is before 1970"),
        ({"created_utc": "2026-01-01\x1b12:00"}, "created_utc: .* is not a date and time"),
        ({"consent_utc": "\x1b[2J"}, "consent_utc: .* is not a date and time"),
        ({"model_sha256": "../../x"}, "model_sha256: .* is not 64 hexadecimal digits"),
        ({"source": "\x1b[2J"}, "source: .* is not one of"),
        ({"name": "\x1b[2J"}, "name: .* is not a name"),
        ({"name": "A\u200bda"}, "name: .* is not a name"),
    ],
)
def test_what_a_gallery_cannot_hold_is_refused_by_the_fields_name(
    changed: dict[str, object], complaint: str
) -> None:
    assert len(from_json(exported(), "people.json", {MODEL: 2})) == 1
    with pytest.raises(ExportInvalid, match=complaint) as caught:
        from_json(exported(**changed), "people.json", {MODEL: 2})
    assert str(caught.value).isprintable()


def test_lengths_that_differ_within_a_file_are_refused() -> None:
    both = json.loads(exported())
    both["people"] += json.loads(exported(name="Bob", embedding=[1.0, 0.0, 0.0]))["people"]
    with pytest.raises(ExportInvalid, match=r"people\[1\].*3 numbers, its model makes 2"):
        from_json(json.dumps(both), "people.json")


def test_brackets_without_end_are_no_json() -> None:
    with pytest.raises(ExportInvalid, match="not JSON"):
        from_json("[" * 10**6, "people.json")
