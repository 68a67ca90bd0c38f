"""Reading the fields of a JSON object, with their path in every complaint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fields:
    """A JSON object whose fields are asked for by name and type."""

    values: dict[str, Any]  # the object
    file: str  # where it was read, for complaints
    error: type[Exception]  # the class of the complaints; every method raises it
    path: str = ""  # of the object in the file, ending in a dot; empty for the whole

    def invalid(self, name: str, complaint: str) -> Exception:
        """Return the error that says what is wrong with a field."""
        return self.error(f"{self.file}: {self.path}{name}: {complaint}")

    def object(self, name: str) -> Fields:
        """Return a field that is itself an object."""
        values = self._typed(name, dict, "an object")
        return Fields(values, self.file, self.error, f"{self.path}{name}.")

    def objects(self, name: str) -> list[Fields]:
        """Return a field that is a list of objects."""
        items = self._typed(name, list, "a list")
        for item in items:
            if not isinstance(item, dict):
                raise self.invalid(name, f"{item!r:.40} in it is not an object")
        return [
            Fields(item, self.file, self.error, f"{self.path}{name}[{at}].")
            for at, item in enumerate(items)
        ]

    def text(self, name: str) -> str:
        """Return a field that is a string with something in it."""
        text: str = self._typed(name, str, "a text")
        if not text:
            raise self.invalid(name, "is empty")
        return text

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """Return a field that is one of a few strings."""
        if (text := self.text(name)) not in choices:
            raise self.invalid(name, f"{text!r:.40} is not one of {', '.join(choices)}")
        return text

    def integer(self, name: str) -> int:
        """Return a field that is a whole number above 0."""
        number: int = self._typed(name, int, "a whole number")
        if isinstance(number, bool) or number < 1:
            raise self.invalid(name, f"{number!r:.40} is not a whole number above 0")
        return number

    def number(self, name: str) -> float:
        """Return a field that is a finite number."""
        return self._finite(name, self._value(name))

    def numbers(self, name: str) -> tuple[float, ...]:
        """Return a field that is a list of finite numbers, at least one."""
        items = self._typed(name, list, "a list")
        if not items:
            raise self.invalid(name, "is empty")
        return tuple(self._finite(name, item) for item in items)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a field that is a list of strings."""
        items = self._typed(name, list, "a list")
        for item in items:
            if not isinstance(item, str):
                raise self.invalid(name, f"{item!r:.40} in it is not a text")
        return tuple(items)

    def _value(self, name: str) -> Any:
        if name not in self.values:
            raise self.invalid(name, "is missing")
        return self.values[name]

    def _typed(self, name: str, kind: type, called: str) -> Any:
        value = self._value(name)
        if not isinstance(value, kind):
            raise self.invalid(name, f"{value!r:.40} is not {called}")
        return value

    def _finite(self, name: str, value: Any) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (is_number and abs(value) < 1e300):  # neither NaN nor infinite
            raise self.invalid(name, f"{value!r:.40} is not a finite number")
        return float(value)
