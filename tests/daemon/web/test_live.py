"""The WebSocket: the unchanged message, the last ten seconds, and slow clients."""

from __future__ import annotations

import json
import socket
import struct
from pathlib import Path
from typing import Any

import pytest
import websockets.exceptions
from websockets.sync.client import ClientConnection, connect

from daemon.web import hub
from daemon.wire.codec import encode
from daemon.wire.messages import Stamp
from tests.daemon.background import wait_for
from tests.daemon.web.serving import BEGIN, SOON_S, Serving, ecg, identity, serving, status

STAMP = Stamp("bench", "4fd2b8b5-9f5c-4d0e-9a70-5f1b2d1f0c11", 0, BEGIN, "simulated")


def address(served: Serving, topics: str = "") -> str:
    query = f"?topics={topics}" if topics else ""
    return f"{served.url.replace('http', 'ws')}api/v1/live{query}"


def unpacked(message: Any) -> tuple[dict[str, Any], bytes]:
    (length,) = struct.unpack_from("<H", message)
    header = json.loads(message[2 : 2 + length])
    return header, message[2 + length :]


def received(socket: ClientConnection, count: int) -> list[tuple[dict[str, Any], bytes]]:
    return [unpacked(socket.recv(timeout=5)) for _ in range(count)]


def test_a_newcomer_gets_the_states_then_the_last_seconds_then_what_comes(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        served.say(ecg(0), status(1), ecg(25), identity(50), ecg(50))
        with connect(address(served)) as socket:
            early = received(socket, 5)
            served.say(ecg(75), identity(100))
            late = received(socket, 2)

    told = [(header["topic"], header["index"]) for header, _ in (*early, *late)]
    states, waveforms = [("status", 1), ("identity", 50)], [("ecg", 0), ("ecg", 25), ("ecg", 50)]
    assert told == [*states, *waveforms, ("ecg", 75), ("identity", 100)]


def test_header_and_samples_are_those_of_the_service(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        served.say(ecg(0, 40))
        with connect(address(served, "ecg")) as socket:
            ((header, payload),) = received(socket, 1)

    _, said, samples = encode(STAMP, ecg(0, 40))
    assert header.pop("topic") == "ecg"
    assert header == json.loads(said) | {"boot": header["boot"]}
    assert payload == samples
    assert struct.unpack("<40f", payload)[:3] == (0, 0.25, 0.5)


def test_only_the_topics_asked_for_come(tmp_path: Path) -> None:
    with serving(tmp_path) as served, connect(address(served, "identity")) as socket:
        served.say(status(0), ecg(0), identity(0), ecg(25), identity(25))
        told = received(socket, 2)

    assert [header["topic"] for header, _ in told] == ["identity", "identity"]


def test_an_unknown_topic_is_refused_before_the_handshake(tmp_path: Path) -> None:
    with (
        serving(tmp_path) as served,
        pytest.raises(websockets.exceptions.InvalidStatus) as refused,
    ):
        connect(address(served, "secrets"))

    assert refused.value.response.status_code == 422
    assert b"'secrets' is not one of status, identity" in refused.value.response.body


def test_a_client_that_never_reads_is_let_go_and_costs_the_others_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "PATIENCE_S", 0.3)
    with serving(tmp_path) as served:
        deaf = silent_client(served)
        with connect(address(served, "ecg")) as socket:
            wait_for(lambda: served.server.hub.listeners == 2, SOON_S)
            for i in range(60):
                served.say(ecg(25_000 * i, 20_000))
                header, payload = unpacked(socket.recv(timeout=5))
                assert (header["index"], len(payload)) == (25_000 * i, 80_000)
            wait_for(lambda: served.server.hub.listeners == 1, SOON_S)
        deaf.close()


def silent_client(served: Serving) -> socket.socket:
    """Return a connection that has asked for the stream, and reads nothing of it."""
    host, port = served.url.removeprefix("http://").strip("/").split(":")
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect((host, int(port)))
    deaf.sendall(
        b"GET /api/v1/live?topics=ecg HTTP/1.1\r\nHost: %s:%s\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" % (host.encode(), port.encode())
    )
    return deaf


def test_the_end_of_the_server_closes_streams_at_once(tmp_path: Path) -> None:
    with serving(tmp_path) as served, connect(address(served)) as socket:
        served.server.should_exit = True
        with pytest.raises(websockets.exceptions.ConnectionClosed) as closed:
            socket.recv(timeout=3)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code in (1001, 1012)  # ours or uvicorn's, whichever comes first
