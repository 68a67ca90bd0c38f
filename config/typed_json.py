"""Parsed JSON or YAML to the types that a dataclass asks for, or a word on what does not fit."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from math import isfinite
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

LONGEST_KEY = 64  # of an object, that is shown as it is; SHA-256 has so many digits


def typed(kind: Any, value: object, name: str) -> Any:
    """Return ``value`` as a ``kind``: a scalar, Literal, union, tuple, dict or dataclass.

    Args:
        kind: the type asked for.
        value: what ``json.loads`` made of it.
        name: what the value is called in an error.

    Raises:
        ValueError: the value is something else; the message names it.
    """
    origin, parts = get_origin(kind), get_args(kind)
    if origin in _READERS:
        return _READERS[origin](parts, value, name)
    if is_dataclass(kind):
        return typed_fields(kind, _exactly(dict, value, name), name)
    if kind is float:
        return _finite(value, name)
    return value if kind is Any else _exactly(kind, value, name)


def typed_fields(kind: Any, values: dict[str, Any], name: str, but: tuple[str, ...] = ()) -> Any:
    """Build the dataclass ``kind``, taking the fields in ``but`` as they are.

    Keys that the dataclass does not have are left alone: a later version may add some. What is
    missing is as the dataclass has it by default.

    Raises:
        ValueError: a field is missing or of another type.
    """
    hints = _type_hints(kind)
    absent = [field for field in fields(kind) if field.name not in values]
    missing = [field.name for field in absent if field.default is MISSING]
    if missing:
        raise ValueError(f"{name}: {', '.join(missing)} missing")
    return kind(
        **{
            field.name: values[field.name]
            if field.name in but
            else typed(hints[field.name], values[field.name], f"{name}.{field.name}")
            for field in fields(kind)
            if field.name in values
        }
    )


_type_hints = cache(get_type_hints)


def _exactly(kind: Any, value: object, name: str) -> Any:
    if type(value) is not kind:  # not isinstance: True is no number
        wanted = "null" if kind is NoneType else kind.__name__
        raise ValueError(f"{name}: {value!r:.40} is not {wanted}")
    return value


def _finite(value: object, name: str) -> float:
    if type(value) not in (int, float):
        raise ValueError(f"{name}: {value!r:.40} is not a number")
    try:
        number = float(value)  # type: ignore[arg-type]
    except OverflowError:
        number = float("inf")
    if not isfinite(number):
        raise ValueError(f"{name}: the number is too large")
    return number


def _one_of(choices: tuple[object, ...], value: object, name: str) -> object:
    if value not in choices:
        raise ValueError(f"{name}: {value!r:.40} is not one of {', '.join(map(str, choices))}")
    return value


def _first_that_fits(kinds: tuple[Any, ...], value: object, name: str) -> object:
    if value is None and NoneType in kinds:
        return None
    kinds = tuple(kind for kind in kinds if kind is not NoneType)
    for kind in kinds[:-1]:
        try:
            return typed(kind, value, name)
        except ValueError:
            continue
    return typed(kinds[-1], value, name)


def _tuple(kinds: tuple[Any, ...], value: object, name: str) -> tuple[Any, ...]:
    parts = _exactly(list, value, name)
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(parts)
    if len(parts) != len(kinds):
        raise ValueError(f"{name}: {len(parts)} elements instead of {len(kinds)}")
    return tuple(
        typed(kind, part, f"{name}[{i}]")
        for i, (kind, part) in enumerate(zip(kinds, parts, strict=True))
    )


def _dict(kinds: tuple[Any, ...], value: object, name: str) -> dict[str, Any]:
    parts = _exactly(dict, value, name)
    return {key: typed(kinds[1], part, f"{name}.{_shown(key)}") for key, part in parts.items()}


def _shown(key: str) -> str:
    """Return a key that somebody else chose, for one line of a log."""
    return key if len(key) <= LONGEST_KEY and key.isprintable() else f"{key!r:.{LONGEST_KEY}}"


_READERS = {
    Literal: _one_of,
    Union: _first_that_fits,
    UnionType: _first_that_fits,
    tuple: _tuple,
    dict: _dict,
}
