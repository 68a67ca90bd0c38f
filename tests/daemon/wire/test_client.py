"""A subscriber is told what it missed; who asks gets an answer or learns that nobody is there."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from daemon.commands.exit_codes import exit_code
from daemon.wire.answers import EnrolmentAnswer
from daemon.wire.client import Continuity, Control, Lost, Restarted, Silent, Subscriber
from daemon.wire.control import ControlServer
from daemon.wire.errors import CommandRefused, MessageError, ServiceNotPermitted, ServiceUnavailable
from daemon.wire.messages import IdentityMessage, Message, Received, RPeakMessage, Stamp
from daemon.wire.publisher import Publisher

NOW = datetime(2026, 3, 1, tzinfo=UTC)
STAMP = Stamp("bench", "boot 1", 0, NOW, "simulated")
ADA = IdentityMessage(900, "accepted", "Ada", 0.9, 5)
PEAK = RPeakMessage(1, 1.0, None, False)


@given(st.sets(st.integers(0, 50), min_size=1))
def test_what_arrived_and_what_was_lost_make_the_whole(arrived: set[int]) -> None:
    continuity = Continuity()
    lost = 0
    for sequence in sorted(arrived):
        for item in continuity.check("beat", replace(STAMP, sequence=sequence)) or []:
            assert isinstance(item, Lost)
            lost += item.count
    assert lost + len(arrived) == max(arrived) - min(arrived) + 1


def test_the_first_message_of_a_late_joiner_is_no_loss() -> None:
    assert Continuity().check("beat", replace(STAMP, sequence=700)) == []


def test_the_last_value_sent_again_is_known() -> None:
    continuity = Continuity()
    assert continuity.check("status", STAMP) == []
    assert continuity.check("status", STAMP) is None


def test_each_topic_has_its_own_numbers() -> None:
    continuity = Continuity()
    continuity.check("status", replace(STAMP, sequence=9))
    assert continuity.check("beat", STAMP) == []


def test_a_new_boot_is_a_restart_and_its_numbers_begin_again() -> None:
    continuity = Continuity()
    continuity.check("beat", replace(STAMP, sequence=9))
    assert continuity.check("beat", replace(STAMP, boot="boot 2")) == [Restarted("boot 2")]
    assert continuity.check("beat", replace(STAMP, boot="boot 2", sequence=1)) == []


@pytest.fixture
def context() -> Iterator[zmq.Context[zmq.Socket[bytes]]]:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    yield context
    context.destroy(linger=0)


@pytest.fixture
def publisher(context: zmq.Context[zmq.Socket[bytes]]) -> Iterator[Publisher]:
    with Publisher(context, ["tcp://127.0.0.1:*"], "bench", "simulated") as publisher:
        yield publisher


@contextmanager
def subscribed(publisher: Publisher, *topics: str, timeout_s: float = 60.0) -> Iterator[Subscriber]:
    """Subscribe, and come back when the publisher knows."""
    with Subscriber(publisher.addresses[0], topics, timeout_s) as subscriber:
        for _ in {*topics, "status"}:
            assert publisher.socket.poll(20_000)
            publisher.socket.recv()
        yield subscriber


def say(publisher: Publisher, *messages: Message) -> None:
    for message in messages:
        publisher.publish(message, NOW)


def test_messages_come_typed_and_in_order(publisher: Publisher) -> None:
    with subscribed(publisher, "identity", "r_peak") as subscriber:
        say(publisher, ADA, PEAK)
        items = [next(subscriber), next(subscriber)]
    assert [item.message for item in items if isinstance(item, Received)] == [ADA, PEAK]


def test_a_gap_is_told_before_the_message_that_shows_it(publisher: Publisher) -> None:
    with subscribed(publisher, "identity") as subscriber:
        say(publisher, ADA)
        next(subscriber)
        publisher._sequences["identity"] += 3
        say(publisher, ADA)
        assert next(subscriber) == Lost("identity", 3)
        assert isinstance(next(subscriber), Received)


def test_silence_is_told_again_and_again(publisher: Publisher) -> None:
    with subscribed(publisher, "identity", timeout_s=0.02) as subscriber:
        assert [next(subscriber), next(subscriber)] == [Silent(0.02), Silent(0.04)]


def test_topics_that_begin_like_ours_and_unknown_ones_are_passed_over(publisher: Publisher) -> None:
    with subscribed(publisher, "identity") as subscriber:
        publisher.socket.send_multipart([b"identity_of_the_dog", b"{}"])
        publisher.socket.send_multipart([b"statusquo", b"hello", b"", b""])
        say(publisher, ADA)
        item = next(subscriber)
    assert isinstance(item, Received)
    assert item.message == ADA


def test_a_client_loads_no_authenticator() -> None:
    program = (
        "import sys, daemon.wire.client, daemon.wire.api;"
        "print({'zmq.auth', 'zmq.auth.thread', 'daemon.wire.curve_gate'} & set(sys.modules) or '')"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == ""


def test_a_refusal_is_raised_with_its_code(
    context: zmq.Context[zmq.Socket[bytes]], tmp_path: Path
) -> None:
    def refuse() -> dict[str, object]:
        raise CommandRefused("Not now.", "busy")

    with ControlServer(context, f"ipc://{tmp_path}/control.ipc", {"refuse": refuse}) as server:
        thread = threading.Thread(target=lambda: server.socket.poll(20_000) and server.answer())
        thread.start()
        with Control(server.address) as control, pytest.raises(CommandRefused) as refusal:
            control.request("refuse")
        thread.join()
    assert (str(refusal.value), refusal.value.code) == ("Not now.", "busy")


def test_a_restart_is_told(publisher: Publisher) -> None:
    with subscribed(publisher, "identity") as subscriber:
        say(publisher, ADA)
        next(subscriber)
        publisher.boot = "another"
        say(publisher, ADA)
        assert next(subscriber) == Restarted("another")


def test_a_topic_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="'pulse' is not one of status, identity"):
        Subscriber("tcp://127.0.0.1:5292", ["pulse"])


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ServiceUnavailable, match="Cannot connect to nowhere"):
        Subscriber("nowhere")


def test_another_protocol_at_the_other_end_is_an_error(publisher: Publisher) -> None:
    with subscribed(publisher, "identity") as subscriber:
        publisher.socket.send_multipart([b"identity", b"hello"])
        with pytest.raises(MessageError, match="no identity message"):
            next(subscriber)


@pytest.fixture
def address(context: zmq.Context[zmq.Socket[bytes]], tmp_path: Path) -> Iterator[str]:
    """The address of a service that echoes a word to one request."""

    def echo(word: str) -> EnrolmentAnswer:
        return EnrolmentAnswer("none", word)

    with ControlServer(context, f"ipc://{tmp_path}/control.ipc", {"echo": echo}) as server:

        def serve() -> None:
            if server.socket.poll(20_000):
                server.answer()

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.address
        thread.join()


def test_a_request_is_answered(address: str) -> None:
    with Control(address) as control:
        answer = control.request("echo", word="heart")
    assert answer == {"ok": True, "state": "none", "person": "heart"}


def test_without_a_service_one_is_told_what_to_try(tmp_path: Path) -> None:
    with (
        Control(f"ipc://{tmp_path}/control.ipc") as control,
        pytest.raises(
            ServiceUnavailable, match=r"is qrsd running\? systemctl status qrsd"
        ) as caught,
    ):
        control.request("people")
    assert exit_code(caught.value) == 69


def test_the_socket_that_a_killed_service_left_is_not_waited_for(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(tmp_path / "control.ipc"))
    with (
        Control(f"ipc://{tmp_path}/control.ipc", timeout_s=60.0) as control,
        pytest.raises(ServiceUnavailable, match="Nobody listens on"),
    ):
        control.request("people")


def test_a_service_that_does_not_answer_is_not_waited_for(
    context: zmq.Context[zmq.Socket[bytes]], tmp_path: Path
) -> None:
    with (
        ControlServer(context, f"ipc://{tmp_path}/control.ipc", {}) as deaf,
        Control(deaf.address, timeout_s=0.05) as control,
        pytest.raises(ServiceUnavailable, match=r"within 0\.05 s"),
    ):
        control.request("people")


@pytest.mark.parametrize("answer", [b"pong", b"[]", b"{}", b'{"ok": "yes"}', b"[" * 100_000])
def test_what_answers_otherwise_than_qrsd_is_said_to(
    context: zmq.Context[zmq.Socket[bytes]], tmp_path: Path, answer: bytes
) -> None:
    address = f"ipc://{tmp_path}/control.ipc"

    def say() -> None:
        if other.poll(20_000):
            *envelope, _ = other.recv_multipart()
            other.send_multipart([*envelope, answer])

    with context.socket(zmq.ROUTER) as other:
        other.bind(address)
        thread = threading.Thread(target=say)
        thread.start()
        with Control(address) as control, pytest.raises(MessageError, match="is not qrsd, or"):
            control.request("people")
        thread.join()


def test_a_service_that_is_too_busy_to_let_anybody_in_is_given_up(
    context: zmq.Context[zmq.Socket[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as it refuses us for now, ZeroMQ tries again, each tenth of a second."""
    busy = {"event": zmq.Event.HANDSHAKE_FAILED_AUTH, "value": 300}
    monkeypatch.setattr("daemon.wire.client.recv_monitor_message", lambda _: busy)
    with Control("tcp://127.0.0.1:9", timeout_s=0.2) as control:
        refusals = context.socket(zmq.PAIR)
        with refusals, context.socket(zmq.PAIR) as monitor:
            monitor.bind("inproc://refusals")
            refusals.connect("inproc://refusals")
            monitor.send(b"")  # and nobody takes it, so that there is always one more
            monkeypatch.setattr(control._line, "_refusals", refusals)
            with pytest.raises(ServiceUnavailable, match="No answer"):
                control.request("people")
            monkeypatch.undo()


def test_the_socket_of_another_user_is_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "control.ipc").touch()
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root may write everywhere
    with (
        Control(f"ipc://{tmp_path}/control.ipc") as control,
        pytest.raises(ServiceNotPermitted, match="belongs to another user") as caught,
    ):
        control.request("people")
    assert exit_code(caught.value) == 77


def test_whoever_is_not_root_is_sent_to_sudo_where_there_is_a_service_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.wire.client.SYSTEM_RUNTIME", tmp_path)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with (
        Control(f"ipc://{tmp_path}/mine/control.ipc") as control,
        pytest.raises(ServiceNotPermitted, match=r"or with sudo\."),
    ):
        control.request("people")
