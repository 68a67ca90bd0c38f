"""The JSON Schemas in docs/ are what the types give, and real answers keep to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import zmq
from jsonschema import Draft202012Validator

from daemon.service.people_commands import PeopleCommands
from daemon.service.slow_commands import SlowCommands
from daemon.wire.answers import ANSWERS
from daemon.wire.json_schema import control_schema, messages_schema
from tests.daemon.office import Office, open_office
from tests.model.models import embedder

DOCS = Path(__file__).parents[3] / "docs"


def describe() -> dict[str, object]:
    raise NotImplementedError  # only its signature is asked for


def commands() -> dict[str, Callable[..., Any]]:
    nobody: Any = None
    people = PeopleCommands(nobody, nobody, nobody, nobody, nobody).commands
    slow = SlowCommands(nobody, nobody, nobody, nobody).commands
    return {**people, **slow, "describe": describe}


def schemas() -> dict[str, str]:
    made = {"messages": messages_schema(), "control": control_schema(commands())}
    return {f"{name}.schema.json": json.dumps(each, indent=2) + "\n" for name, each in made.items()}


def test_the_schemas_in_docs_are_what_the_types_give() -> None:
    for name, text in schemas().items():
        assert (DOCS / name).read_text() == text, (
            "make them anew: .venv/bin/python -m tests.daemon.wire.test_schemas"
        )
        Draft202012Validator.check_schema(json.loads(text))


def test_every_command_has_an_answer() -> None:
    assert set(ANSWERS) == set(commands())


def check(office: Office, command: str, ok: bool, **given: object) -> None:
    schema = control_schema(commands())
    wanted = f"{command}_answer" if ok else "refusal"
    asked = {"command": command, **given}
    if ok:
        Draft202012Validator(schema | {"$ref": f"#/$defs/{command}"}).validate(asked)
    answer = office.ask(command, **given)
    Draft202012Validator(schema | {"$ref": f"#/$defs/{wanted}"}).validate(answer)
    if ok:
        assert set(answer) - {"ok"} <= {each.name for each in fields(ANSWERS[command])}


def test_answers_and_refusals_keep_to_their_schema(tmp_path: Path) -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    office = open_office(embedder(tmp_path), tmp_path, context)
    check(office, "enrolment", ok=True)
    check(office, "cancel", ok=False)
    check(office, "forget", ok=False, person="Ada")
    check(office, "enroll", ok=True, person="Ada", beats=5)
    office.wear(20.0)
    check(office, "enrolment", ok=True)
    check(office, "people", ok=True)
    check(office, "export", ok=True, person="Ada")
    check(office, "export", ok=False, person="Bob")
    check(office, "rename", ok=True, person="Ada", new_name="Bob")
    check(office, "forget", ok=True, person="Bob")
    office.close()
    context.destroy(linger=0)


if __name__ == "__main__":
    for file_name, schema_text in schemas().items():
        (DOCS / file_name).write_text(schema_text)
