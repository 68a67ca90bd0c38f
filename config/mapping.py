"""Plain values on to options dataclasses, with the path of whatever does not fit.

Each part of qrsd owns a frozen dataclass that checks itself; here a tree of plain values, as YAML
and JSON give it, becomes a tree of them. What is not given keeps the dataclass's default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from difflib import get_close_matches
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from config.errors import SettingInvalid
from config.typed_json import typed
from config.yaml_values import Doubtful

Options = TypeVar("Options")


def build(
    kind: type[Options], given: Mapping[str, Any], path: str = "", default: Options | None = None
) -> Options:
    """Make the options ``kind`` out of plain values.

    Args:
        kind: a dataclass whose fields have defaults.
        given: values by field name; tables for fields that are dataclasses themselves.
        path: where ``given`` stands in the settings, for errors: ``chip.``.
        default: what is not given stays as it is here; None for the fields' own defaults.

    Raises:
        SettingInvalid: names are not known, or values do not fit; it has a problem for each.
    """
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, value in given.items():
        try:
            if name not in hints:
                raise SettingInvalid(f"{path}{name!s:.40}: {_unknown(str(name), hints)}")
            values[name] = _build_value(hints[name], value, f"{path}{name}", _default(kind, name))
        except SettingInvalid as error:
            problems += error.problems
    if problems:
        raise SettingInvalid(*problems)
    try:
        return kind(**values) if default is None else replace(cast(Any, default), **values)
    except (ValueError, TypeError) as error:
        raise SettingInvalid(f"{path}{error}") from error


def leaves(kind: type[Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the path and the type of each setting below ``kind`` that is not a table."""
    for field in fields(kind):
        hint = get_type_hints(kind)[field.name]
        if is_dataclass(hint):
            yield from leaves(cast(type[Any], hint), f"{path}{field.name}.")
        else:
            yield f"{path}{field.name}", hint


def _build_value(hint: Any, value: object, path: str, default: object) -> Any:
    _check_plain(value, path)
    if is_dataclass(hint):
        return build(cast(type[Any], hint), _table(value, path), f"{path}.", default)
    element = _element_of(hint)
    if is_dataclass(element):
        if not isinstance(value, list):
            raise SettingInvalid(f"{path}: {value!r:.40} is not a list")
        return _build_entries(cast(type[Any], element), value, path)
    try:
        return typed(hint, value, path)
    except ValueError as error:
        advice = "; quote it if it is text" if hint is str else ""  # as YAML takes `no` for False
        raise SettingInvalid(f"{error}{advice}") from error


def _build_entries(element: type[Any], entries: list[Any], path: str) -> tuple[Any, ...]:
    built: list[Any] = []
    problems: list[str] = []
    for i, entry in enumerate(entries):
        try:
            built.append(build(element, _table(entry, f"{path}[{i}]"), f"{path}[{i}]."))
        except SettingInvalid as error:
            problems += error.problems
    if problems:
        raise SettingInvalid(*problems)
    return tuple(built)


def _default(kind: Any, name: str) -> Any:
    """Return what a section is without settings, which need not be its dataclass's defaults."""
    field = kind.__dataclass_fields__[name]
    return field.default if field.default_factory is MISSING else field.default_factory()


def _check_plain(value: object, path: str) -> None:
    """Refuse what may be meant otherwise, and what no name, path or address has in it."""
    if isinstance(value, Doubtful):
        raise SettingInvalid(f"{path}: {value.why}")
    if isinstance(value, str) and any(letter < " " for letter in value):
        raise SettingInvalid(f"{path}: {value!r:.60} has a control character in it")
    if isinstance(value, list):
        for i, each in enumerate(value):
            _check_plain(each, f"{path}[{i}]")


def _table(value: object, path: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SettingInvalid(f"{path}: {value!r:.40} is not a table of settings")
    return value


def _element_of(hint: Any) -> Any:
    """Return the element type of ``tuple[X, ...]``, else None."""
    return get_args(hint)[0] if get_origin(hint) is tuple else None


def _unknown(name: str, hints: Mapping[str, Any]) -> str:
    near = get_close_matches(name, hints, n=1)
    if near:
        return f"no such setting; did you mean {near[0]}?"
    return f"no such setting; there are {', '.join(hints)}"
