"""JSON Schemas of messages, requests and answers, made from the types themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from inspect import Parameter, getdoc, getsource, signature
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from daemon.wire.answers import ANSWERS, Refusal
from daemon.wire.messages import KINDS, SCHEMA, Stamp

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SCALARS = {int: "integer", float: "number", str: "string", bool: "boolean", NoneType: "null"}
_UTC = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"


def messages_schema() -> dict[str, Any]:
    """Return the schema of the headers; that of topic T is at ``#/$defs/T``."""
    common = object_schema(Stamp)
    common["properties"] |= {
        "schema": {"const": SCHEMA},
        "utc": {"type": "string", "pattern": _UTC},
    }
    common["required"].insert(0, "schema")
    topics = {}
    for topic, kind in KINDS.items():
        topics[topic] = object_schema(kind) | {"allOf": [{"$ref": "#/$defs/common"}]}
        if fields(kind)[-1].metadata:  # it travels as the third frame
            topics[topic]["properties"]["count"] = {"type": "integer", "minimum": 0}
            topics[topic]["required"].append("count")
    return {"$schema": _DIALECT, "title": "qrsd messages", "$defs": {"common": common, **topics}}


def control_schema(commands: Mapping[str, Callable[..., Any]]) -> dict[str, Any]:
    """Return the schema of requests and answers, at ``#/$defs/COMMAND`` and ``COMMAND_answer``."""
    defs: dict[str, Any] = {"refusal": _answer(Refusal, ok=False)}
    for name, command in commands.items():
        hints = get_type_hints(command)
        known = signature(command).parameters
        properties = {"command": {"const": name}} | {each: schema_of(hints[each]) for each in known}
        required = [each for each, one in known.items() if one.default is Parameter.empty]
        defs[name] = {
            "type": "object",
            "properties": properties,
            "required": ["command", *required],
            "additionalProperties": False,
        }
        defs[f"{name}_answer"] = _answer(ANSWERS[name], ok=True)
    return {"$schema": _DIALECT, "title": "qrsd control socket", "$defs": defs}


def _answer(kind: type[Any], *, ok: bool) -> dict[str, Any]:
    schema = object_schema(kind)
    schema["properties"] = {"ok": {"const": ok}, **schema["properties"]}
    schema["required"].insert(0, "ok")
    return schema


def object_schema(kind: Any) -> dict[str, Any]:
    """Describe a dataclass in the words of its docstring and comments."""
    hints = get_type_hints(kind, include_extras=True)
    sent = [each for each in fields(kind) if not each.metadata and hints[each.name] is not datetime]
    told = {name: {"description": text} for name, text in _comments(kind).items()}
    utc = [name for name, hint in hints.items() if hint is datetime]
    return {
        "type": "object",
        "description": (getdoc(kind) or "").partition("\n")[0],
        "properties": {
            field.name: schema_of(hints[field.name]) | told.get(field.name, {}) for field in sent
        },
        "required": utc + [field.name for field in sent if field.default is MISSING],
    }


def _comments(kind: Any) -> dict[str, str]:
    """Return the comment beside each field, or in the ``#:`` lines above it, of a dataclass."""
    told: dict[str, str] = {}
    above: list[str] = []
    for each in reversed(kind.__mro__[:-1]):
        for line in getsource(each).splitlines():
            if more := re.match(r" {4}#: (.*)", line):
                above.append(more[1])
            elif field := re.match(r" {4}(\w+): [^#]*(?:# (.*))?$", line):
                if text := " ".join(above) or field[2]:
                    told[field[1]] = f"{text}."
                above.clear()
    return told


def schema_of(hint: Any) -> dict[str, Any]:
    """Return the schema of a type as the wire carries it."""
    origin, parts = get_origin(hint), get_args(hint)
    schema: dict[str, Any] = {}
    if origin is Annotated:
        schema = schema_of(parts[0]) | dict(parts[1:])
    elif origin is Literal:
        schema = {"enum": list(parts)}
    elif origin in (Union, UnionType):
        schema = {"anyOf": [schema_of(part) for part in parts]}
    elif origin is tuple and parts[-1] is Ellipsis:
        schema = {"type": "array", "items": schema_of(parts[0])}
    elif origin is tuple:
        schema = {"type": "array", "prefixItems": [*map(schema_of, parts)], "minItems": len(parts)}
    elif is_dataclass(hint):
        schema = object_schema(hint)
    elif hint is not Any:
        schema = {"type": _SCALARS[hint]}
    return schema
