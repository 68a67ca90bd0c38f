"""JSON becomes what a dataclass asks for, or a sentence names the field that does not fit."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.typed_json import typed


@dataclass(frozen=True)
class Lead:
    name: Literal["I", "II"]
    gain: int


@dataclass(frozen=True)
class Recording:
    leads: tuple[Lead, ...]
    size: tuple[int, float]
    notes: dict[str, str | None]
    checked: bool


recordings = st.builds(
    Recording,
    st.lists(st.builds(Lead)).map(tuple),
    st.tuples(st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
    st.dictionaries(st.text(), st.none() | st.text()),
    st.booleans(),
)


@given(recordings)
def test_a_dataclass_survives_json(recording: Recording) -> None:
    assert typed(Recording, json.loads(json.dumps(asdict(recording))), "it") == recording


@pytest.mark.parametrize(
    ("kind", "value", "complaint"),
    [
        (int, True, "it: True is not int"),
        (float, False, "it: False is not a number"),
        (float, float("inf"), "it: the number is too large"),
        (str | None, 3, "it: 3 is not str"),
        (tuple[int, int], [1], "it: 1 elements instead of 2"),
        (tuple[int, ...], [1, "a"], "it[1]: 'a' is not int"),
        (dict[str, int], {"a": None}, "it.a: None is not int"),
        (dict[str, int], {"\x1b[2J": None}, r"it.'\x1b[2J': None is not int"),
        (dict[str, int], {"a" * 500_000: None}, f"it.'{'a' * 63}: None is not int"),
        (Literal["I", "II"], "III", "it: 'III' is not one of I, II"),
        (Lead, {"name": "I"}, "it: gain missing"),
        (Lead, {"name": "I", "gain": "6"}, "it.gain: '6' is not int"),
    ],
)
def test_what_does_not_fit_is_named(kind: Any, value: object, complaint: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        typed(kind, value, "it")
    assert str(caught.value) == complaint


def test_a_whole_number_may_stand_for_a_float() -> None:
    assert isinstance(typed(float, 3, "it"), float)
