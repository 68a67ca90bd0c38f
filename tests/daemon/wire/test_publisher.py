"""Everybody hears what is said, a late joiner the last word first, and nobody is waited for."""

from __future__ import annotations

import socket
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias
from unittest.mock import Mock

import pytest
import zmq

from daemon.commands.exit_codes import exit_code
from daemon.service.loop import LIMITS_S
from daemon.wire.addresses import LONGEST_PATH, check_address
from daemon.wire.client import Subscriber
from daemon.wire.codec import decode
from daemon.wire.errors import AddressInUse, AddressRefused, AddressUnusable
from daemon.wire.messages import EcgMessage, IdentityMessage, Received, RPeakMessage
from daemon.wire.publisher import QUEUE_MESSAGES, Publisher
from tests.daemon.wire.test_connection_limit import GREETING, READY, resident_mib

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ADA = IdentityMessage(900, "accepted", "Ada", 0.9, 5)
NOBODY = IdentityMessage(950, "no_contact", None, None, 0)


@pytest.fixture
def context() -> Iterator[zmq.Context[zmq.Socket[bytes]]]:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    yield context
    context.destroy(linger=0)


@pytest.fixture
def publisher(context: zmq.Context[zmq.Socket[bytes]]) -> Iterator[Publisher]:
    with Publisher(context, ["tcp://127.0.0.1:*"], "bench", "simulated") as publisher:
        yield publisher


Subscribe: TypeAlias = Callable[[Publisher, str], zmq.Socket[bytes]]


@pytest.fixture
def subscribe(context: zmq.Context[zmq.Socket[bytes]]) -> Iterator[Subscribe]:
    """Subscribe to a topic, and come back when the publisher knows."""
    with ExitStack() as sockets:

        def subscribe(publisher: Publisher, topic: str) -> zmq.Socket[bytes]:
            socket = sockets.enter_context(context.socket(zmq.SUB))
            socket.linger = 0
            socket.rcvtimeo = 2000
            socket.rcvhwm = 1
            socket.subscribe(topic)
            socket.connect(publisher.addresses[0])
            assert publisher.socket.poll(20_000)
            publisher.welcome()
            return socket

        yield subscribe


def received(socket: zmq.Socket[bytes]) -> Received:
    return decode(socket.recv_multipart())


def test_a_subscriber_hears_its_topic_and_no_other(
    publisher: Publisher, subscribe: Subscribe
) -> None:
    socket = subscribe(publisher, "identity")
    publisher.publish(RPeakMessage(1, 1.0, None, False), NOW)
    publisher.publish(ADA, NOW)
    assert received(socket).message == ADA


def test_the_stamp_says_who_and_when(publisher: Publisher, subscribe: Subscribe) -> None:
    socket = subscribe(publisher, "identity")
    publisher.publish(ADA, NOW)
    stamp = received(socket).stamp
    assert (stamp.device, stamp.source, stamp.utc) == ("bench", "simulated", NOW)
    assert stamp.boot == publisher.boot


def test_each_topic_counts_its_own_messages(publisher: Publisher, subscribe: Subscribe) -> None:
    socket = subscribe(publisher, "")
    for message in (ADA, RPeakMessage(1, 1.0, None, False), NOBODY):
        publisher.publish(message, NOW)
    sequences = [(item.message.TOPIC, item.stamp.sequence) for item in map(received, [socket] * 3)]
    assert sequences == [("identity", 0), ("r_peak", 0), ("identity", 1)]


def test_a_late_joiner_gets_the_last_word_at_once(
    publisher: Publisher, subscribe: Subscribe
) -> None:
    publisher.publish(ADA, NOW)
    publisher.publish(NOBODY, NOW)
    assert received(subscribe(publisher, "identity")).message == NOBODY


def test_the_last_word_comes_with_its_age(
    context: zmq.Context[zmq.Socket[bytes]], subscribe: Subscribe
) -> None:
    times_s = iter([100.0, 102.5])
    with Publisher(
        context, ["tcp://127.0.0.1:*"], "bench", "simulated", monotonic=lambda: next(times_s)
    ) as publisher:
        publisher.publish(ADA, NOW)
        late = subscribe(publisher, "identity")
        assert received(late).stamp.age_s == 2.5
        publisher.publish(RPeakMessage(1, 1.0, None, False), NOW)
        peaks = subscribe(publisher, "r_peak")
        publisher.publish(RPeakMessage(2, 1.0, None, False), NOW)
        assert received(peaks).stamp.age_s == 0.0


def test_the_second_late_joiner_gets_it_too(publisher: Publisher, subscribe: Subscribe) -> None:
    publisher.publish(ADA, NOW)
    assert received(subscribe(publisher, "identity")).message == ADA
    assert received(subscribe(publisher, "")).message == ADA


def test_old_beats_are_not_repeated(publisher: Publisher, subscribe: Subscribe) -> None:
    publisher.publish(RPeakMessage(1, 1.0, None, False), NOW)
    assert not subscribe(publisher, "r_peak").poll(50)


def test_one_that_never_reads_neither_blocks_nor_fills_the_memory(
    context: zmq.Context[zmq.Socket[bytes]], subscribe: Subscribe, tmp_path: Path
) -> None:
    with Publisher(context, [f"ipc://{tmp_path}/messages.ipc"], "bench", "simulated") as publisher:
        socket = subscribe(publisher, "ecg")
        for index in range(5 * QUEUE_MESSAGES):
            publisher.publish(EcgMessage(index, 250.0, (0.0,) * 250), NOW)
        kept = 0
        while socket.poll(1000):
            socket.recv_multipart()
            kept += 1
    assert QUEUE_MESSAGES <= kept < 3 * QUEUE_MESSAGES  # the system's own buffers hold some more


def test_who_talks_instead_of_listening_is_hung_up_on(
    context: zmq.Context[zmq.Socket[bytes]], publisher: Publisher
) -> None:
    with context.socket(zmq.XSUB) as talker:
        talker.linger = 0
        talker.connect(publisher.addresses[0])
        talker.send(bytes([1]) + b"status")
        assert publisher.socket.poll(20_000)
        publisher.welcome()
        talker.send(b"x" * 1_000_000)
        assert publisher.socket.poll(20_000)
        assert publisher.socket.recv() == bytes([0]) + b"status"  # it has left


def test_a_port_in_use_is_said_to_be(
    context: zmq.Context[zmq.Socket[bytes]], publisher: Publisher
) -> None:
    with pytest.raises(AddressInUse, match="is another qrsd running") as caught:
        Publisher(context, publisher.addresses, "bench", "simulated")
    assert exit_code(caught.value) == 75


def test_the_file_of_a_living_service_is_not_taken_over(
    context: zmq.Context[zmq.Socket[bytes]], tmp_path: Path
) -> None:
    address = f"ipc://{tmp_path}/run/messages.ipc"
    with (
        Publisher(context, [address], "bench", "simulated"),
        pytest.raises(AddressInUse, match=r"messages\.ipc is in use"),
    ):
        Publisher(context, [address], "bench", "simulated")


def test_the_file_of_a_service_that_hangs_is_not_waited_for(
    context: zmq.Context[zmq.Socket[bytes]], tmp_path: Path
) -> None:
    path = str(tmp_path / "messages.ipc")
    with ExitStack() as sockets:
        hanging, *waiting = (sockets.enter_context(socket.socket(socket.AF_UNIX)) for _ in "abc")
        hanging.bind(path)
        hanging.listen(0)
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(path)
        with pytest.raises(AddressInUse):
            Publisher(context, [f"ipc://{path}"], "bench", "simulated")


def test_the_file_that_a_killed_service_left_is_no_hindrance(
    context: zmq.Context[zmq.Socket[bytes]], tmp_path: Path
) -> None:
    path = tmp_path / "messages.ipc"
    path.touch()
    Publisher(context, [f"ipc://{path}"], "bench", "simulated").close()


def test_the_file_is_for_its_user_only(
    context: zmq.Context[zmq.Socket[bytes]], tmp_path: Path
) -> None:
    path = tmp_path / "run" / "messages.ipc"
    with Publisher(context, [f"ipc://{path}"], "bench", "simulated"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "address",
    [
        "tcp://*:5292",
        "tcp://0.0.0.0:5292",
        "tcp://192.168.1.4:5292",
        "tcp://[::]:5292",
        "pgm://x",
        "ipc://@abstract",
        "ipc://relative",
        "/messages.ipc",
        "tcp://[::1]x:5292",
        "tcp://localhost.x:1",
    ],
)
def test_the_network_is_kept_out(context: zmq.Context[zmq.Socket[bytes]], address: str) -> None:
    with pytest.raises(AddressRefused, match=r"tcp://127\.0\.0\.1:PORT") as caught:
        Publisher(context, [address], "bench", "simulated")
    assert "this machine could" not in str(caught.value)
    assert exit_code(caught.value) == 78


def test_a_place_that_cannot_be_had_is_named(context: zmq.Context[zmq.Socket[bytes]]) -> None:
    with pytest.raises(AddressUnusable, match="Cannot listen on ipc://") as caught:
        Publisher(context, ["ipc:///proc/none/x.ipc"], "bench", "simulated")
    assert exit_code(caught.value) == 73


@pytest.mark.parametrize("host", ["localhost", "LocalHost", "127.1.2.3", "[::1]", "[0:0::1]"])
def test_every_name_of_the_loopback_interface_needs_no_key(
    context: zmq.Context[zmq.Socket[bytes]], host: str
) -> None:
    with Publisher(context, [f"tcp://{host}:*"], "bench", "simulated") as publisher:
        publisher.publish(ADA, NOW)
        port = publisher.addresses[0].rpartition(":")[2]
        with Subscriber(f"tcp://{host}:{port}", timeout_s=0.5) as subscriber:
            item, until_s = None, time.monotonic() + 60
            while not isinstance(item, Received) and time.monotonic() < until_s:
                publisher.welcome()  # each topic is subscribed to by a message of its own
                item = next(subscriber)
            assert isinstance(item, Received)
            assert item.message == ADA
    with pytest.raises(AddressRefused, match="every user of this machine could send commands"):
        check_address(f"tcp://{host}:1", "control")


def test_the_longest_path_is_the_systems(
    context: zmq.Context[zmq.Socket[bytes]], tmp_path: Path
) -> None:
    longest = f"{tmp_path}/{'x' * (LONGEST_PATH - len(str(tmp_path)) - 1)}"
    Publisher(context, [f"ipc://{longest}"], "bench", "simulated").close()
    with pytest.raises(AddressRefused, match="107 bytes at most, not 108"):
        Publisher(context, [f"ipc://{longest}x"], "bench", "simulated")


@pytest.fixture
def hangs_up(publisher: Publisher) -> Mock:
    """Count how often the publisher hangs up on all."""
    hangs_up = Mock(wraps=publisher.connections.hang_up_on_all)
    publisher.connections.hang_up_on_all = hangs_up  # type: ignore[method-assign]
    return hangs_up


def test_subscriptions_to_what_is_no_topic_do_not_pile_up(
    context: zmq.Context[zmq.Socket[bytes]], publisher: Publisher, hangs_up: Mock
) -> None:
    with context.socket(zmq.SUB) as greedy:
        greedy.connect(publisher.addresses[0])
        for number in range(300):
            greedy.subscribe(f"{number:01000}")
        until_s = time.monotonic() + 60
        while not hangs_up.called and time.monotonic() < until_s:
            publisher.welcome()
    hangs_up.assert_called()


def test_ending_what_was_never_subscribed_to_makes_no_room_for_more(
    publisher: Publisher, hangs_up: Mock
) -> None:
    port = int(publisher.addresses[0].rpartition(":")[2])
    until_s = time.monotonic() + 60
    while not hangs_up.called and time.monotonic() < until_s:
        with (
            suppress(ConnectionError),
            socket.create_connection(("127.0.0.1", port)) as greedy,
        ):
            greedy.sendall(GREETING + READY)
            for number in range(50):  # no client of ZeroMQ's says the first of these
                for said in (f"\0{-number:01000}", f"\1{number:01000}"):
                    greedy.sendall(b"\2" + struct.pack(">Q", len(said)) + said.encode())
            time.sleep(0.1)
            publisher.welcome()
    hangs_up.assert_called()


def test_who_leaves_with_a_few_foreign_subscriptions_harms_nobody(
    context: zmq.Context[zmq.Socket[bytes]], publisher: Publisher, hangs_up: Mock
) -> None:
    """Of what somebody leaves behind, libzmq tells that it has ended."""
    counted = Mock(wraps=publisher._count)
    publisher._count = counted  # type: ignore[method-assign]
    with context.socket(zmq.SUB) as leaving:
        leaving.linger = 0
        leaving.connect(publisher.addresses[0])
        for number in range(55):
            leaving.subscribe(f"{number:01000}")
        wait_until(publisher, lambda: counted.call_count == 55)
    wait_until(publisher, lambda: counted.call_count == 110)
    hangs_up.assert_not_called()


def wait_until(publisher: Publisher, is_so: Callable[[], bool]) -> None:
    until_s = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < until_s
        time.sleep(0.01)
        publisher.welcome()


FLOOD = """
import socket, sys, threading, time
greeting, ready = bytes.fromhex(sys.argv[2]), bytes.fromhex(sys.argv[3])
frames = bytes.fromhex(sys.argv[4]) * 500

def flood():
    while True:
        try:
            with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2) as client:
                client.sendall(greeting + ready)
                while True:
                    client.sendall(frames)
        except OSError:
            time.sleep(0.01)

for _ in range(4):
    threading.Thread(target=flood, daemon=True).start()
sys.stdin.read()
"""


@pytest.mark.parametrize(
    "frame",
    [
        b"\2" + (1000).to_bytes(8, "big") + bytes([2] * 1000),  # neither begins nor ends anything
        b"\0\1\2",
        b"\0\1\1",  # subscribes to everything, again and again
        b"\1\1\2",  # of a message that never ends
    ],
    ids=["long", "short", "everything", "endless"],
)
def test_a_flood_neither_holds_up_nor_fills_the_memory(publisher: Publisher, frame: bytes) -> None:
    publisher.publish(ADA, NOW)
    port = publisher.addresses[0].rpartition(":")[2]
    given = [each.hex() for each in (GREETING, READY, frame)]
    before_mib, longest_s, begin_s = resident_mib(), 0.0, time.monotonic()
    due_s = begin_s
    command = [sys.executable, "-c", FLOOD, port, *given]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as flood:
        while (since_s := time.monotonic()) < begin_s + 6:
            if publisher.socket.poll(4):
                publisher.welcome()
            if since_s >= due_s:
                due_s = since_s + LIMITS_S
                publisher.connections.enforce_bytes()
            longest_s = max(longest_s, time.monotonic() - since_s)
        flood.kill()
    assert longest_s < 3.0  # without the limits it does not come back before the flood ends
    assert resident_mib() - before_mib < 150
