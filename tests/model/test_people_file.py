"""Everything that is held on a person, as JSON and back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from model.errors import ExportInvalid, PersonExists
from model.gallery import Gallery
from model.people_file import from_json, to_json
from tests.model.galleries import MODEL, names, template


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
            '[{"embedding": [1, 1]}]}]}',
            r"people\[0\].templates\[0\].embedding: is not a vector of length 1",
        ),
    ],
)
def test_what_is_no_export_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ExportInvalid, match=complaint):
        from_json(text, "people.json")
