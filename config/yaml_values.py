"""YAML as plain values, without what it quietly takes for something else than was written.

YAML 1.1 takes 025 for 21, 12:30 for 750, and of a section that is there twice PyYAML keeps the last
one. Each of these becomes a :class:`Doubtful`, which no setting takes, so that it is named. It
takes 1e6 for a text, too; here it is the number that everybody means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.constructor import ConstructorError

#: PyYAML lets pass what Python says of a date like 2026-13-01, and of brackets a thousand deep.
NOT_YAML = (yaml.YAMLError, ValueError, RecursionError)

OCTAL = re.compile(r"[-+]?0[0-7_]+")
EXPONENT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.?[0-9]*)[eE][-+]?[0-9]+")
SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A value that may be meant otherwise than YAML reads it."""

    why: str  # what is wrong with it, and how to write it


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, which refuses or marks what may be meant otherwise."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuse aliases: a few lines of them make a billion values."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not taken; write the values out")
        return super().compose_node(parent, index)

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """Make a value; PyYAML trips over a tag (!!int) on what it does not fit."""
        try:
            return super().construct_object(node, deep)
        except (AttributeError, LookupError, TypeError) as error:
            kind = node.tag.rpartition(":")[2]
            raise ConstructorError(None, None, f"this is no {kind}", node.start_mark) from error

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Make a table, where what is there twice is doubtful."""
        values: dict[Any, Any] = super().construct_mapping(node, deep=True)
        lines: dict[Any, int] = {}
        for key, _ in node.value:
            name, line = self.construct_object(key, deep=True), key.start_mark.line + 1
            if name in lines:
                values[name] = Doubtful(f"is there twice, in lines {lines[name]} and {line}")
            lines.setdefault(name, line)
        return values

    def construct_number(self, node: Any) -> Any:
        """Make a number of what everybody reads as the same one."""
        text: str = node.value
        if SEXAGESIMAL.fullmatch(text):
            return Doubtful(f"{text} is a number to the base of 60 in YAML; quote it if it is text")
        if OCTAL.fullmatch(text):
            return Doubtful(
                f"{text} is an octal number in YAML; write it without the first 0, or quote it if "
                "it is text"
            )
        make = self.construct_yaml_int if node.tag.endswith(":int") else self.construct_yaml_float
        return make(node)


for _kind in ("int", "float"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _Loader.construct_number)
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", EXPONENT, list("+-.0123456789"))


def read(text: str) -> Any:
    """Return the values that a text of YAML stands for.

    Raises:
        NOT_YAML: one of these, if it is none.
    """
    return _Loader(text).get_single_data()
