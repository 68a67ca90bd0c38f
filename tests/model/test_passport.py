from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.front_end import FrontEnd
from model.errors import (
    CohortUnusable,
    ModelAltered,
    ModelMissing,
    PassportError,
    PassportFieldInvalid,
    PassportMismatch,
    PassportMissing,
    PassportSchemaUnknown,
    PassportUnreadable,
)
from model.fields import Fields
from model.passport import Cohort, Passport, file_sha256
from tests.model.models import classifier, embedder


def rewrite(model: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the JSON of a model's passport."""
    path = model.with_suffix(".json")
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def search(enrolled: int) -> dict[str, Any]:
    """Return tables for searches as a passport has them, for up to five beats."""
    rows = dict.fromkeys(("thresholds", "scales", "slopes", "intercepts"), [1.0] * 5)
    return {"enrolled": enrolled, **rows}


@pytest.mark.parametrize("make", [embedder, classifier])
def test_what_was_saved_is_loaded(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    passport = Passport.load(make(tmp_path))
    saved = (tmp_path / f"{passport.name}.json").read_text()
    passport.save(tmp_path / "again.tflite")
    assert (tmp_path / "again.json").read_text() == saved
    assert passport.front_end == FrontEnd.description()


def test_the_cohort_comes_with_it(tmp_path: Path) -> None:
    cohort = Passport.load(embedder(tmp_path)).cohort
    assert cohort is not None
    np.testing.assert_array_equal(cohort.embeddings, np.eye(4))
    assert cohort.embeddings.dtype == np.float32


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"nobody\.tflite: no such model"):
        Passport.load(tmp_path / "nobody.tflite")


def test_a_model_without_a_passport_is_refused(tmp_path: Path) -> None:
    model = embedder(tmp_path)
    model.with_suffix(".json").unlink()
    with pytest.raises(PassportMissing, match=r"cosines\.json: the model has no passport"):
        Passport.load(model)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", "\x00", "[" * 100_000], ids=lambda text: text[:2]
)
def test_a_passport_that_is_no_json_object_is_refused(tmp_path: Path, text: str) -> None:
    model = embedder(tmp_path)
    model.with_suffix(".json").write_text(text)
    with pytest.raises(PassportUnreadable, match=r"cosines\.json: "):
        Passport.load(model)


def test_a_passport_of_another_version_is_refused(tmp_path: Path) -> None:
    model = embedder(tmp_path)
    rewrite(model, lambda passport: passport.update(schema=1))
    with pytest.raises(PassportSchemaUnknown, match="schema is 1, this version of qrsd reads 3"):
        Passport.load(model)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda p: p.pop("name"), "name: is missing"),
        (lambda p: p.update(name=7), "name: 7 is not a text"),
        (lambda p: p.update(kind="oracle"), "kind: 'oracle' is not one of embedder, classifier"),
        (lambda p: p.update(front_end=[]), r"front_end: \[\] is not an object"),
        (lambda p: p["tensors"].update(samples=0), "tensors.samples: 0 is not a whole number"),
        (lambda p: p["tensors"].update(samples=True), "tensors.samples: True is not a whole"),
        (
            lambda p: p["tensors"].update(normalisation="min-max"),
            "tensors.normalisation: 'min-max'",
        ),
        (lambda p: p["tensors"].update(labels=["Ada"]), "tensors.labels: 1 labels, expected 0"),
        (lambda p: p["calibration"].pop("thresholds"), "calibration.thresholds: is missing"),
        (lambda p: p["calibration"].update(thresholds=[]), "calibration.thresholds: is empty"),
        (
            lambda p: p["calibration"].update(slopes=["a"]),
            "calibration.slopes: 'a' is not a finite",
        ),
        (
            lambda p: p["calibration"].update(slopes=[1]),
            "calibration.slopes: not as long as thresh",
        ),
        (lambda p: p["calibration"].update(fmr=float("nan")), "calibration.fmr: nan is not a fin"),
        (lambda p: p["calibration"].update(fpir=0), "calibration.fpir: 0.0 is not between 0 and 1"),
        (lambda p: p["calibration"].pop("searches"), "calibration.searches: is missing"),
        (
            lambda p: p["calibration"]["searches"].append(search(1)),
            r"calibration.searches: enrolled is not rising: \[1, 1\]",
        ),
        (
            lambda p: p["calibration"]["searches"][0].update(scales=[1]),
            "calibration.searches: a table of one has not the 5 entries",
        ),
        (lambda p: p.update(cohort=None), "cohort: None is not an object"),
    ],
)
def test_a_wrong_field_is_named_by_its_path(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], complaint: str
) -> None:
    model = embedder(tmp_path)
    rewrite(model, lambda passport: passport["calibration"].update(searches=[search(1)]))
    rewrite(model, change)
    with pytest.raises(PassportFieldInvalid, match=rf"cosines\.json: {complaint}"):
        Passport.load(model)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_no_value_of_any_field_gets_past_with_another_error(value: object) -> None:
    whole = {"schema": 1, "name": "a", "kind": "classifier", "sha256": "0", "created_utc": "now"}
    for name in (*whole, "tensors", "calibration"):
        with pytest.raises(PassportError):
            from_values({**whole, name: value})


def from_values(values: dict[str, Any]) -> Passport:
    return Passport.from_json(Fields(values, "a.json", PassportFieldInvalid), Path())


def test_an_altered_model_is_refused(tmp_path: Path) -> None:
    model = embedder(tmp_path)
    model.write_bytes(model.read_bytes() + b"\0")
    with pytest.raises(ModelAltered, match=f"SHA-256 is {file_sha256(model)}, its passport was"):
        Passport.load(model)


def test_a_missing_or_altered_cohort_is_refused(tmp_path: Path) -> None:
    model = embedder(tmp_path)
    cohort = tmp_path / "cosines.cohort.npy"
    cohort.write_bytes(cohort.read_bytes() + b"\0")
    with pytest.raises(CohortUnusable, match=r"SHA-256 is [0-9a-f]{64}, the passport says"):
        Passport.load(model)
    cohort.unlink()
    with pytest.raises(CohortUnusable, match="is not there"):
        Passport.load(model)


@pytest.mark.parametrize(
    ("array", "complaint"),
    [
        (np.eye(3), r"shape is \(3, 3\), expected \(persons, 4\)"),
        (np.ones((1, 4)), r"shape is \(1, 4\)"),
        (np.array([["a"] * 4] * 2), "not an array of numbers"),
        (np.array([{}, {}]), "not an array of numbers"),
        (np.eye(4, dtype=complex), "not an array of numbers: they are complex128"),
        (np.diag([1, 1, 1, np.nan]), "a row of it is not a vector of length 1"),
        (np.diag([1, 1, 1, np.inf]), "a row of it is not a vector of length 1"),
        (np.diag([1, 1, 1, 0.0]), "a row of it is not a vector of length 1"),
    ],
)
def test_a_cohort_that_is_no_table_of_embeddings_is_refused(
    tmp_path: Path, array: np.ndarray, complaint: str
) -> None:
    path = tmp_path / "cohort.npy"
    np.save(path, array)
    with pytest.raises(CohortUnusable, match=complaint):
        Cohort.read(path, file_sha256(path), 4)


@pytest.mark.parametrize(
    "shape",
    ["(999999999999, 4)", "(-1, 4)", "(4, 5)", "(4,", "4" * 5000],
    ids=lambda text: text[:9],
)
def test_a_cohort_whose_header_lies_is_refused(tmp_path: Path, shape: str) -> None:
    path = tmp_path / "cohort.npy"
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    path.write_bytes(b"\x93NUMPY\x01\0" + len(header).to_bytes(2, "little") + header + bytes(64))
    with pytest.raises(CohortUnusable, match="not an array of numbers"):
        Cohort.read(path, file_sha256(path), 4)


def test_a_cohort_that_is_an_archive_or_no_file_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cohort.npy"
    with path.open("wb") as file:
        np.savez(file, np.eye(4))
    with pytest.raises(CohortUnusable, match="not an array of numbers"):
        Cohort.read(path, file_sha256(path), 4)
    with pytest.raises(CohortUnusable, match="cannot be read: File name too long"):
        Cohort.read(tmp_path / ("a" * 300), "0" * 64, 4)


def test_a_front_end_that_disagrees_is_named_with_both_values(tmp_path: Path) -> None:
    passport = Passport.load(embedder(tmp_path))
    passport.check_front_end(FrontEnd.description())
    with pytest.raises(PassportMismatch, match=r"notch_q is 30\.0 here, 8\.0 in training"):
        passport.check_front_end(FrontEnd.description() | {"notch_q": 30.0})
    with pytest.raises(PassportMismatch, match="wavelet is 'db6' here, 'unknown' in training"):
        passport.check_front_end(FrontEnd.description() | {"wavelet": "db6"})
