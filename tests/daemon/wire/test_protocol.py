"""docs/protocol.md names every topic, field and command there is, and the README's client runs."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
import zmq

from daemon.recordings.errors import RecordingError
from daemon.service.people_commands import PeopleCommands
from daemon.service.slow_commands import SlowCommands
from daemon.wire.answers import ANSWERS, Done
from daemon.wire.control import ControlServer
from daemon.wire.errors import CommandRefused
from daemon.wire.messages import KINDS, IdentityMessage, Message, Stamp
from daemon.wire.publisher import Publisher
from drivers.errors import DriverError
from model.errors import ModelError
from tests.daemon.office import open_office
from tests.model.models import embedder

ROOT = Path(__file__).parents[3]
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text()


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
    commands |= SlowCommands(nobody, nobody, nobody, nobody).commands
    for name, command in commands.items():
        [row] = re.findall(rf"^\| `{name}` \|.*", control, re.MULTILINE)
        for field in signature(command).parameters:
            assert f"`{field}`" in row


def test_every_code_is_told_and_no_other() -> None:
    """The table of docs/protocol.md has each code of the errors that can be on the wire."""
    table = PROTOCOL.partition("### Codes")[2]
    told = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert len(told) == len(set(told))
    assert set(told) == codes()


def codes() -> set[str]:
    """Gather the codes of the classes of errors, and of the refusals in the sources."""
    families = (DriverError, ModelError, RecordingError)
    classes = [each for family in families for each in (family, *below(family))]
    sources = [*(ROOT / "daemon" / "service").glob("*.py"), ROOT / "daemon" / "wire" / "control.py"]
    given = {code for path in sources for code in given_codes(path)}
    return {each.code for each in classes} | given | {CommandRefused.code, "internal"}


def below(kind: type[Any]) -> Iterator[type[Any]]:
    for each in kind.__subclasses__():
        yield each
        yield from below(each)


def given_codes(path: Path) -> Iterator[str]:
    """Yield the second argument of each ``CommandRefused(...)``."""
    for node in ast.walk(ast.parse(path.read_text())):
        called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if called and node.func.id == "CommandRefused" and len(node.args) == 2:
            yield ast.literal_eval(node.args[1])


def test_the_client_of_the_readme_prints_who_it_is() -> None:
    [example] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    with Publisher(context, ["tcp://127.0.0.1:*"], "bench", "simulated") as publisher:
        program = example.replace("tcp://127.0.0.1:5292", publisher.addresses[0])
        publisher.publish(IdentityMessage(900, "accepted", "Ada", 0.9, 5), datetime.now(UTC))
        with subprocess.Popen(
            [sys.executable, "-u", "-c", program], stdout=subprocess.PIPE, text=True
        ) as client:
            assert publisher.socket.poll(60_000)
            publisher.welcome()
            assert client.stdout is not None
            line = client.stdout.readline()
            client.kill()
    context.destroy(linger=0)
    assert line.split()[1:] == ["accepted", "Ada", "0.9"]


def control_examples() -> list[tuple[str, str]]:
    """Return the requests of the docs, each with its answer."""
    return re.findall(r"^-> (\{.*\})\n<- (\{.*\})$", PROTOCOL, re.MULTILINE)


def test_the_example_that_is_cut_short_has_the_fields_of_verify() -> None:
    [(request, answer)] = [pair for pair in control_examples() if "..." in pair[0]]
    nobody: Any = None
    given = signature(SlowCommands(nobody, nobody, nobody, nobody).verify).parameters
    assert json.loads(request.replace(", ...", "")).keys() == {"command", *given}
    assert json.loads(answer).keys() == {"ok", *(each.name for each in fields(ANSWERS["verify"]))}


def test_the_control_examples_are_what_the_service_answers(tmp_path: Path) -> None:
    """Each request of the docs that is whole is sent over a socket, and answered as written."""
    examples = [pair for pair in control_examples() if "..." not in pair[0]]
    assert len(examples) == 7
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    office = open_office(embedder(tmp_path), tmp_path, context)
    commands = {
        **office.desk.commands,
        **dict.fromkeys(("verify", "identify", "explain", "describe"), Done),
    }
    with (
        ControlServer(context, f"ipc://{tmp_path}/docs.ipc", commands) as server,
        context.socket(zmq.DEALER) as client,
    ):
        client.connect(server.address)
        office.ask("enroll", person="Bob")  # which the first example cancels
        for request, answer in examples:
            if json.loads(request) == {"command": "enrolment"}:
                office.wear(40.0)
            client.send_multipart([b"", request.encode()])
            assert server.socket.poll(20_000)
            server.answer()
            assert json.loads(client.recv_multipart()[-1]) == json.loads(answer)
    office.close()
    context.destroy(linger=0)
