"""docs/protocol.md names every topic, field and command there is, and its example runs."""

from __future__ import annotations

import re
from dataclasses import fields
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from daemon.service.people_commands import PeopleCommands
from daemon.service.verification import Verifier
from daemon.wire.messages import KINDS, Message, Stamp

PROTOCOL = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text()


def section_of(topic: str) -> str:
    """Return what stands below the heading of a topic."""
    [section] = re.findall(rf"^### {topic}:.*?(?=^##)", PROTOCOL, re.MULTILINE | re.DOTALL)
    assert isinstance(section, str)
    return section


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_field_of_a_topic_is_told(kind: type[Message]) -> None:
    for field in fields(kind):
        if not field.metadata:  # the third frame is told in its own words
            assert f"`{field.name}`" in section_of(kind.TOPIC) or field.name == "index"


def test_every_field_of_the_stamp_is_told() -> None:
    for field in fields(Stamp):
        assert f"| `{field.name}` |" in PROTOCOL


def test_every_command_is_told_with_its_fields() -> None:
    control = PROTOCOL.partition("## Control")[2]
    nobody: Any = None
    commands = PeopleCommands(nobody, nobody, nobody, nobody, nobody).commands
    commands["verify"] = Verifier(nobody, 50).verify
    for name, command in commands.items():
        [row] = re.findall(rf"^\| `{name}` \|.*", control, re.MULTILINE)
        for field in signature(command).parameters:
            assert f"`{field}`" in row


def test_the_example_is_python() -> None:
    [example] = re.findall(r"```python\n(.*?)```", PROTOCOL, re.DOTALL)
    compile(example, "protocol.md", "exec")
