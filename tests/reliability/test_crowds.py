"""Clients that ask too much, subscribers that read too little, and a service that is held up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from daemon.wire.codec import decode
from daemon.wire.connection_limit import MOST_CONNECTIONS, raise_descriptor_limit
from daemon.wire.control import ANSWERS_AT_ONCE
from daemon.wire.messages import BeatMessage, WaveMessage
from daemon.wire.publisher import QUEUE_MESSAGES
from drivers.chip_setup import ChipOptions
from tests.reliability.observed import Observed, Scene, scene
from tests.reliability.page import Row

Report = Callable[[Row], None]
Context = zmq.Context[zmq.Socket[bytes]]
RUBBISH = 100_000
SUBSCRIBERS = 200
CONNECTIONS = 2000


@pytest.fixture
def context() -> Iterator[Context]:
    context: Context = zmq.Context()
    yield context
    context.destroy(linger=0)


def check_unharmed(observed: Observed) -> None:
    assert observed.error is None
    assert observed.last.state == "stopping"
    assert observed.last.counters.lost == 0


FLOOD = """
import sys, zmq
client = zmq.Context().socket(zmq.DEALER)
client.connect(sys.argv[1])
while True:
    client.send(b'{"command": "people"}')
"""


def test_a_client_that_asks_without_end(tmp_path: Path, report: Report) -> None:
    with scene(tmp_path) as service:
        command = [sys.executable, "-c", FLOOD, service.control.address]
        with subprocess.Popen(command) as flood:
            try:
                assert service.control.socket.poll(10_000)
                check_unharmed(service.run())
                assert flood.poll() is None
            finally:
                flood.kill()
    report(
        Row(
            "a client floods the control socket",
            f"nothing has to be: {ANSWERS_AT_ONCE} requests at most are answered between two looks "
            "at the samples",
            "-",
            "the client its answers, as fast as there is time",
            "0",
            "yes",
        )
    )


CROWD = """
import socket, sys
clients = [socket.socket(socket.AF_UNIX) for _ in range(int(sys.argv[2]))]
for client in clients:
    client.connect(sys.argv[1])
print("connected", flush=True)
sys.stdin.read()
"""


def test_connections_without_end(tmp_path: Path, report: Report) -> None:
    raise_descriptor_limit()  # as a service does when it is put together
    with scene(tmp_path) as service:
        path = service.publisher.addresses[0].removeprefix("ipc://")
        command = [sys.executable, "-c", CROWD, path, str(CONNECTIONS)]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe) as crowd:
            assert crowd.stdout is not None
            assert crowd.stdout.readline() == b"connected\n"
            check_unharmed(service.run())
            crowd.kill()
        assert service.publisher.connections.refused == CONNECTIONS - MOST_CONNECTIONS
    report(
        Row(
            f"{CONNECTIONS} connections that never say a word",
            f"nothing has to be: those beyond {MOST_CONNECTIONS} are hung up on",
            "-",
            "-",
            "0",
            "yes",
        )
    )


@pytest.mark.realtime  # it takes its time
def test_malformed_requests(tmp_path: Path, report: Report) -> None:
    random = Random(1)
    commands = ("enroll", "enrolment", "cancel", "people", "rename", "forget", "stop")
    sound = [
        json.dumps({"command": command, "person": "Ada", "new_name": "Bob", "beats": 20}).encode()
        for command in commands
    ]
    with scene(tmp_path) as service:
        for at in range(RUBBISH):
            request = bytearray(random.randbytes(random.randrange(60)))
            if at % 10 == 0:
                request = bytearray(random.choice(sound))
                request[random.randrange(len(request))] = random.randrange(256)
            answer = service.control.reply(bytes(request))
            assert isinstance(answer, bytes)
            told = json.loads(answer)
            assert told["ok"] is True or told["error"]
        check_unharmed(service.run())
        assert service.gallery.people() == []
    report(
        Row(
            f"{RUBBISH:,} malformed requests: random bytes, or a sound one with a byte changed",
            "CommandRefused",
            "at once",
            "each what is wrong with it, in one sentence",
            "0",
            "yes",
        )
    )


@pytest.fixture(scope="module")
def quiet_scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("quiet")) as service:
        yield service


texts = st.sampled_from(["Ada", "Bob", ""]) | st.text(st.characters(), max_size=5)
values = texts | st.none() | st.booleans() | st.integers() | st.floats() | st.lists(texts)


@given(
    st.sampled_from(["enroll", "enrolment", "cancel", "people", "rename", "forget"]),
    st.dictionaries(st.sampled_from(["person", "new_name", "beats"]) | texts, values),
)
def test_any_fields_of_any_command_are_answered(
    quiet_scene: Scene, command: str, fields: dict[str, object]
) -> None:
    """Half characters and numbers without end among them, which JSON lets pass."""
    request = json.dumps({**fields, "command": command}).encode()
    answer = quiet_scene.control.reply(request)
    assert isinstance(answer, bytes)
    assert isinstance(json.loads(answer)["ok"], bool)


def subscribe(context: Context, service: Scene) -> zmq.Socket[bytes]:
    socket = context.socket(zmq.SUB)
    socket.linger = 0
    socket.subscribe("")
    socket.connect(service.publisher.addresses[0])
    return socket


def test_a_subscriber_that_never_reads(tmp_path: Path, context: Context, report: Report) -> None:
    with scene(tmp_path) as service:
        idle, reader = subscribe(context, service), subscribe(context, service)
        heard: list[int] = []

        def read() -> None:
            while reader.poll(1):
                received = decode(reader.recv_multipart())
                if isinstance(received.message, WaveMessage):
                    heard.append(received.stamp.sequence)

        service.calls += [(at / 10, read) for at in range(600)]
        observed = service.run(until_s=60.0)
        read()
        idle.close()
        reader.close()
    check_unharmed(observed)
    assert len(observed.said) > QUEUE_MESSAGES
    assert heard == list(range(heard[0], heard[0] + len(heard)))
    report(
        Row(
            "a subscriber never reads",
            "by the subscriber: the sequence numbers jump",
            f"when its queue of {QUEUE_MESSAGES} messages is full",
            "`Lost`, with the count, by `daemon.wire.client`",
            "0; other subscribers miss nothing",
            "yes",
        )
    )


def test_subscribers_that_come_and_go(tmp_path: Path, context: Context, report: Report) -> None:
    with scene(tmp_path) as service:
        present: deque[zmq.Socket[bytes]] = deque()

        def come_and_go() -> None:
            present.append(subscribe(context, service))
            if len(present) > 20:
                present.popleft().close()

        service.calls += [(1 + at / 20, come_and_go) for at in range(SUBSCRIBERS)]
        before = len(os.listdir("/proc/self/fd"))
        observed = service.run()
        while present:
            present.popleft().close()
        while service.publisher.socket.poll(100):
            service.publisher.welcome()
        assert len(os.listdir("/proc/self/fd")) <= before + 10
    check_unharmed(observed)
    report(
        Row(
            f"{SUBSCRIBERS} subscribers come and go",
            "nothing has to be",
            "-",
            "each the last status and identity at once",
            "0, and no descriptor",
            "yes",
        )
    )


def test_a_pipe_that_fills(tmp_path: Path, report: Report) -> None:
    with scene(tmp_path) as service:
        service.calls.append((5.0, lambda: service.time.sleep(12.0)))
        observed = service.run(until_s=25.0)
    counters = observed.last.counters
    lost, most = counters.lost, counters.queued_max
    assert lost == counters.dropped > 0
    found = observed.detected(5.0)
    report(
        Row(
            "the service is held up for 12 s, and the pipe between the processes fills",
            ", ".join(found),
            f"{found['dropped']:.1f} s, when the service goes on",
            "the status shows it: dropped, lost, queued_max",
            f"{lost:.0f}: the pipe holds {most:.0f}",
            "yes",
        )
    )


def test_an_acquisition_process_that_is_killed(tmp_path: Path, report: Report) -> None:
    with scene(tmp_path) as service:
        observed = service.run(dies_at_s=6.0)
    warnings = [text for _, text in observed.warnings if text != "no samples come"]
    found = observed.detected(6.0)
    assert observed.error is None
    report(
        Row(
            "the acquisition process is killed (SIGKILL)",
            ", ".join(found),
            f"{min(found.values()):.1f} s",
            warnings[0],
            f"{observed.last.counters.lost:.0f}",
            "yes",
        )
    )


def test_a_wall_clock_that_is_set_after_the_start(tmp_path: Path, report: Report) -> None:
    """A Pi boots in 1970, its clock is set after five seconds, somebody comes after eight."""
    decades_s = 1.799e9
    with scene(tmp_path, steps=[(-1e9, -decades_s), (5.0, decades_s)]) as service:
        observed = service.run(("electrode-off@0+8",), until_s=30.0)
    right = [
        (at_s, said)
        for at_s, said, utc in observed.said
        if abs(utc.timestamp() - 1.8e9 - at_s) < 1.0
    ]
    worn = [said for at_s, said, _ in observed.said if isinstance(said, BeatMessage) and at_s > 8]
    assert worn
    assert worn == [said for at_s, said in right if isinstance(said, BeatMessage)]
    check_unharmed(observed)
    report(
        Row(
            "the wall clock is first set 5 s after the start",
            "clock `unset`, then `set`",
            f"{right[0][0] - 5.0:.1f} s",
            "the status shows it; the new time holds at once",
            "0",
            "yes",
        )
    )


def test_a_wall_clock_that_is_stepped_where_nobody_can_tell_whether_the_electrodes_are_on(
    tmp_path: Path,
) -> None:
    with scene(tmp_path, steps=[(8.0, 3600.0)]) as service:
        observed = service.run(
            ("electrode-off@12+8",), until_s=24.0, chip=ChipOptions(lead_off=False)
        )
    assert {status.contact for _, status in observed.statuses} == {"unknown"}
    clock = {round(at_s): status.clock for at_s, status in observed.statuses}
    assert [clock[at_s] for at_s in (7, 11, 19, 23)] == ["set", "stepped", "set", "set"]


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_wall_clock_that_is_stepped(hours: int, tmp_path: Path, report: Report) -> None:
    """Messages go on in step with the samples; an interruption is the time to take it over."""
    with scene(tmp_path, steps=[(6.0, hours * 3600.0)]) as service:
        observed = service.run(("electrode-off@9+1",), until_s=15.0)
    stamps = [
        (at_s, (utc.timestamp() - 1.8e9 - at_s))
        for at_s, said, utc in observed.said
        if isinstance(said, WaveMessage)
    ]
    before = [behind_s for at_s, behind_s in stamps if at_s < 10.5]
    after = [behind_s for at_s, behind_s in stamps if at_s > 13.5]
    assert all(abs(behind_s) < 0.25 for behind_s in before)
    assert all(abs(behind_s - hours * 3600) < 0.25 for behind_s in after)
    told = [(at_s, s.clock_offset_s) for at_s, s in observed.statuses if s.clock_offset_s]
    first_s, offset_s = next((at_s, offset_s) for at_s, offset_s in told if abs(offset_s) > 1)
    check_unharmed(observed)
    report(
        Row(
            f"the wall clock is stepped by {hours:+d} h",
            f"clock_offset_s {offset_s:.0f}",
            f"{first_s - 6.0:.1f} s",
            "the status shows it; times go on without a step",
            "0",
            "yes: the new time holds from the next interruption on",
        )
    )
