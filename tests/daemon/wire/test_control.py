"""A command is obeyed, refused in a sentence, or rubbish; it is answered in any case."""

from __future__ import annotations

import json
import stat
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from daemon.wire.answers import Done, EnrolmentAnswer
from daemon.wire.control import (
    ANSWERS_AT_ONCE,
    ANSWERS_S,
    CUT_OFF_BYTES,
    MAX_REQUEST_BYTES,
    ControlServer,
)
from daemon.wire.errors import AddressInUse, CommandRefused
from model.errors import PersonUnknown


def enroll(person: str, beats: int = 20) -> EnrolmentAnswer:
    if person == "":
        raise CommandRefused("A person has a name.")
    return EnrolmentAnswer("gathering", person, 0, beats)


def forget(person: str) -> Done:
    raise PersonUnknown(f"Nobody called {person} is enrolled.")


COMMANDS = {"enroll": enroll, "forget": forget}


@pytest.fixture(scope="module")
def context() -> Iterator[zmq.Context[zmq.Socket[bytes]]]:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    yield context
    context.destroy(linger=0)


@pytest.fixture(scope="module")
def server(
    context: zmq.Context[zmq.Socket[bytes]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlServer]:
    address = f"ipc://{tmp_path_factory.mktemp('run')}/control.ipc"
    with ControlServer(context, address, COMMANDS) as server:
        yield server


def ask(server: ControlServer, **request: object) -> dict[str, object]:
    answer = json.loads(server.reply(json.dumps(request).encode()))
    assert isinstance(answer, dict)
    return answer


def test_a_command_is_obeyed_and_its_answer_is_ok(server: ControlServer) -> None:
    answer = ask(server, command="enroll", person="Ada", beats=30)
    assert answer == {
        "ok": True,
        "state": "gathering",
        "person": "Ada",
        "beats": 0,
        "needed": 30,
    }


def test_a_field_with_a_default_may_be_left_out(server: ControlServer) -> None:
    assert ask(server, command="enroll", person="Ada")["needed"] == 20


def test_a_refusal_is_an_answer(server: ControlServer) -> None:
    assert ask(server, command="enroll", person="") == {
        "ok": False,
        "error": "A person has a name.",
        "code": "bad_request",
    }


def test_what_the_gallery_refuses_is_an_answer(server: ControlServer) -> None:
    answer = ask(server, command="forget", person="Bob")
    assert answer["error"] == "Nobody called Bob is enrolled."
    assert answer["code"] == "person_unknown"


@pytest.mark.parametrize(
    ("request_", "error", "code"),
    [
        ({}, "None is not one of enroll, forget.", "unknown_command"),
        ({"command": "enrol"}, "'enrol' is not one of enroll, forget.", "unknown_command"),
        ({"command": ["enroll"]}, "['enroll'] is not one of enroll, forget.", "unknown_command"),
        ({"command": "enroll"}, "enroll: person is missing.", "bad_request"),
        ({"command": "enroll", "person": 7}, "enroll.person: 7 is not str.", "bad_request"),
        (
            {"command": "enroll", "person": "a", "beats": 1.5},
            "enroll.beats: 1.5 is not int.",
            "bad_request",
        ),
        (
            {"command": "enroll", "person": "a", "x": 1},
            "enroll: 'x' is not one of its fields.",
            "bad_request",
        ),
    ],
)
def test_a_malformed_request_is_told_what_is_wrong(
    server: ControlServer, request_: dict[str, object], error: str, code: str
) -> None:
    assert ask(server, **request_) == {"ok": False, "error": error, "code": code}


@given(st.binary(max_size=80) | st.just(b"[" * 100_000))
def test_rubbish_is_answered(server: ControlServer, rubbish: bytes) -> None:
    answer = json.loads(server.reply(rubbish))
    assert answer["ok"] is False
    assert answer["error"].startswith("The request is not a JSON object")


names = st.sampled_from(["command", "person", "beats", "enroll", "forget"]) | st.text(max_size=5)
values = st.none() | st.booleans() | st.integers() | st.floats() | names | st.lists(names)


@given(st.dictionaries(names, values))
def test_any_object_is_answered(server: ControlServer, request_: dict[str, object]) -> None:
    assert isinstance(json.loads(server.reply(json.dumps(request_).encode()))["ok"], bool)


@pytest.mark.parametrize("envelope", [[], [b""], [b"a", b""]], ids=["DEALER", "REQ", "proxied"])
def test_the_answer_goes_back_in_the_envelope_of_the_request(
    context: zmq.Context[zmq.Socket[bytes]], server: ControlServer, envelope: list[bytes]
) -> None:
    with context.socket(zmq.DEALER) as client:
        client.connect(server.address)
        client.send_multipart([*envelope, b"{}"])
        assert server.socket.poll(20_000)
        server.answer()
        assert client.poll(20_000)
        assert client.recv_multipart()[:-1] == envelope


def test_a_client_that_asks_without_end_does_not_keep_the_server(
    context: zmq.Context[zmq.Socket[bytes]], server: ControlServer
) -> None:
    with context.socket(zmq.DEALER) as client:
        client.connect(server.address)
        for _ in range(3 * ANSWERS_AT_ONCE):
            client.send(b"{}")
        answered: list[int] = []
        while sum(answered) < 3 * ANSWERS_AT_ONCE:
            assert server.socket.poll(20_000)
            server.answer()
            answered.append(0)
            while client.poll(50):
                client.recv()
                answered[-1] += 1
    assert sum(answered) == 3 * ANSWERS_AT_ONCE
    assert max(answered) <= ANSWERS_AT_ONCE


def test_a_command_that_takes_long_is_the_last_for_now(
    context: zmq.Context[zmq.Socket[bytes]], tmp_path: Path
) -> None:
    done = []

    def wait() -> Done:
        done.append(time.sleep(2 * ANSWERS_S))
        return Done()

    with (
        ControlServer(context, f"ipc://{tmp_path}/control.ipc", {"wait": wait}) as server,
        context.socket(zmq.DEALER) as client,
    ):
        client.linger = 0
        client.connect(server.address)
        for _ in range(3):
            client.send(b'{"command": "wait"}')
        assert server.socket.poll(20_000)
        server.answer()
    assert len(done) == 1


def test_too_long_a_request_is_refused_in_words(server: ControlServer) -> None:
    answer = json.loads(server.reply(b" " * (MAX_REQUEST_BYTES + 1)))
    assert answer["ok"] is False
    assert answer["error"] == "The request has 1048577 bytes, 1048576 are the most."
    longest = json.dumps({"command": "enroll", "person": "Ada"}).encode().ljust(MAX_REQUEST_BYTES)
    assert json.loads(server.reply(longest))["ok"]


def test_a_request_without_end_is_cut_off(
    context: zmq.Context[zmq.Socket[bytes]], server: ControlServer
) -> None:
    with context.socket(zmq.DEALER) as client:
        client.linger = 0
        client.connect(server.address)
        client.send(bytes(CUT_OFF_BYTES + 1))
        assert not server.socket.poll(50)


def test_requests_of_a_client_wait_on_its_side_rather_than_in_the_service_s_memory(
    context: zmq.Context[zmq.Socket[bytes]], server: ControlServer
) -> None:
    request, sent = bytes(MAX_REQUEST_BYTES), 0
    with context.socket(zmq.DEALER) as client:
        client.linger, client.sndhwm = 0, 1
        client.connect(server.address)
        while client.poll(1000, zmq.POLLOUT) and sent < 30:
            client.send(request, copy=False)
            sent += 1
        assert 3 <= sent < 10  # two there, one here, and what is under way
    while server.socket.poll(100):
        server.answer()


@pytest.mark.parametrize("frames", [[bytes(1 << 20)] * 400, [b""] * 40])
def test_a_request_of_many_frames_is_hung_up_on_and_not_copied(
    context: zmq.Context[zmq.Socket[bytes]], server: ControlServer, frames: list[bytes]
) -> None:
    with context.socket(zmq.DEALER) as client, context.socket(zmq.DEALER) as other:
        for each in (client, other):
            each.linger = 0
            each.connect(server.address)
        client.send_multipart(frames, copy=False)
        assert server.socket.poll(20_000)
        tracemalloc.start()
        server.answer()
        _, most_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most_bytes < 1_000_000
        other.send(b"{}")
        assert server.socket.poll(20_000)
        server.answer()
        assert other.poll(20_000)
        assert not client.poll(100)


def test_answers_that_nobody_reads_do_not_pile_up(
    context: zmq.Context[zmq.Socket[bytes]], server: ControlServer
) -> None:
    request = json.dumps({"command": "enroll", "person": "x" * 100_000}).encode()
    with context.socket(zmq.DEALER) as client:
        client.rcvhwm = 1
        client.connect(server.address)
        for _ in range(400):
            client.send(request)
        while server.socket.poll(2000):
            server.answer()
        read = 0
        while client.poll(500):
            client.recv()
            read += 1
    assert 0 < read < 100


def test_the_socket_is_for_its_user_only(server: ControlServer) -> None:
    path = Path(server.address.removeprefix("ipc://"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_second_service_is_kept_out(
    context: zmq.Context[zmq.Socket[bytes]], server: ControlServer
) -> None:
    with pytest.raises(AddressInUse):
        ControlServer(context, server.address, COMMANDS)


def test_a_promised_answer_is_sent_once_and_when_it_is_there(
    context: zmq.Context[zmq.Socket[bytes]], tmp_path: Path
) -> None:
    promise: Future[EnrolmentAnswer] = Future()
    with (
        ControlServer(context, f"ipc://{tmp_path}/c.ipc", {"wait": lambda: promise}) as server,
        context.socket(zmq.DEALER) as client,
    ):
        client.linger = 0
        client.connect(server.address)
        client.send(b'{"command": "wait"}')
        assert server.socket.poll(20_000)
        server.answer()
        server.keep_promises()
        assert not client.poll(50)
        promise.set_result(EnrolmentAnswer("none", "kept"))
        server.keep_promises()
        server.keep_promises()
        assert client.poll(20_000)
        assert json.loads(client.recv()) == {"ok": True, "state": "none", "person": "kept"}
        assert not client.poll(200)
