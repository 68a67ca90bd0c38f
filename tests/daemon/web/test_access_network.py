"""The running server: what only shows on a socket, byte by byte, over TLS and in its log."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
import zmq
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from config.folders import web_folder
from config.web import WebOptions
from daemon.web import connections, exchange
from daemon.web.certificate import own_paths
from daemon.web.tokens import SCOPES, add_token, revoke_token
from daemon.wire.control import Command, ControlServer
from tests.daemon.background import wait_for
from tests.daemon.running import environment
from tests.daemon.web.serving import SOON_S, Serving, identity, serving, status
from tests.daemon.web.test_people import staffed

ELSEWHERE = WebOptions(address="0.0.0.0", port=0)
UPGRADE = {
    "connection": "upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
NAMES = ("Zacharias", "Zoë Müller/2", "Xanthippe")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Serving]:
    with serving(tmp_path) as running:
        yield running


def port_of(running: Serving) -> int:
    return int(running.url.rstrip("/").rpartition(":")[2])


def said(running: Serving, request: bytes, *, within_s: float = 5.0) -> bytes:
    """Send bytes, and return all that comes until the server hangs up."""
    with socket.create_connection(("127.0.0.1", port_of(running)), within_s) as client:
        client.sendall(request.replace(b"HOST", f"127.0.0.1:{port_of(running)}".encode()))
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := client.recv(65536):
                answer += piece
        return answer


def gone_after_s(running: Serving, *pieces: bytes, every_s: float = 0.0) -> float:
    """Send pieces, some time apart, and return when the server hung up."""
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", port_of(running)), 10.0) as client:
        client.setblocking(False)
        for piece in pieces:
            time.sleep(every_s)
            try:
                client.sendall(piece)
                if not client.recv(65536):
                    return time.monotonic() - begun
            except BlockingIOError:
                continue
            except OSError:
                return time.monotonic() - begun
        client.settimeout(10.0)
        with contextlib.suppress(ConnectionResetError):
            while client.recv(65536):
                pass
        return time.monotonic() - begun


def is_well(running: Serving) -> bool:
    with running.client() as client:
        return client.get("/session").status_code == 200


GET = b"GET /api/v1/session HTTP/1.1\r\nHost: HOST\r\n"


@pytest.mark.parametrize("first", [b"", b"G", GET])
def test_a_head_that_trickles_in_is_given_up(
    served: Serving, monkeypatch: pytest.MonkeyPatch, first: bytes
) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.3)
    drops = [first, *(f"x-{number}: a\r\n".encode() for number in range(40))]
    assert 0.2 < gone_after_s(served, *drops, every_s=0.05) < 1.5
    assert is_well(served)


def test_a_second_head_that_trickles_in_is_given_up_too(
    served: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.3)
    host = f"127.0.0.1:{port_of(served)}".encode()
    whole = GET.replace(b"HOST", host) + b"\r\n"
    drops = [f"x-{number}: a\r\n".encode() for number in range(40)]
    took = gone_after_s(served, whole, b"GET / HTTP/1.1\r\n", *drops, every_s=0.05)
    assert 0.2 < took < 1.5


def test_a_stream_outlives_the_time_for_a_head(
    served: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.1)
    url = f"ws://127.0.0.1:{port_of(served)}/api/v1/live?topics=identity"
    with connect(url) as client:
        time.sleep(0.3)
        served.say(identity())
        assert b'"topic":"identity"' in client.recv(timeout=5)


def test_connections_beyond_the_limit_are_hung_up_on_and_make_room_again(
    served: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 5)
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(socket.create_connection(("127.0.0.1", port_of(served))))
        assert said(served, GET + b"\r\n") == b""
    wait_for(lambda: b"200 OK" in said(served, GET + b"Connection: close\r\n\r\n"), SOON_S)


@pytest.mark.parametrize(
    "head",
    [
        GET + b"X: " + b"a" * 1_000_000 + b"\r\n\r\n",
        GET + b"".join(b"x-%d: a\r\n" % n for n in range(20_000)) + b"\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n",
        GET + b"X: " + b"a" * 17_000 + b"\r\nConnection: close\r\n\r\n",
    ],
)
def test_a_huge_head_is_not_kept(served: Serving, head: bytes) -> None:
    answer = said(served, head)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert is_well(served)


SMUGGLED = b"GET /api/v1/health HTTP/1.1\r\nHost: HOST\r\nX-Smuggled: 1\r\n\r\n"
POST = b"POST /api/v1/logout HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "request_",
    [
        POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Content-Length: 0\r\nContent-Length: 400\r\n\r\n" + SMUGGLED,
        POST + b"Content-Length: 0, 400\r\n\r\n" + SMUGGLED,
        POST + b"Content-Length: +0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding: chunked\r\n\r\n-0\r\n\r\n" + SMUGGLED,
        GET + b"Host: evil.example\r\n\r\n",
        GET + b" folded: x\r\nConnection: close\r\n\r\n",
        GET + b"X: a\x00b\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        b"GET /api/v1/session HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET /api/v1/session HTTP/1.0\r\n\r\n",
        b"GET /\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"CONNECT evil.example:80 HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n",
    ],
)  # fmt: skip
def test_what_two_programs_might_read_in_two_ways_is_refused_once(
    served: Serving, monkeypatch: pytest.MonkeyPatch, request_: bytes
) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.5)
    answer = said(served, request_)
    assert answer.count(b"HTTP/1.1 ") == 1 or answer == b""
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert is_well(served)


def test_an_upload_of_no_end_is_cut_off_on_the_wire(
    served: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "BODY_S", 2.0)
    chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
    sent = 0
    with socket.create_connection(("127.0.0.1", port_of(served)), 5.0) as client:
        head = POST.replace(b"logout", b"enrolment").replace(
            b"HOST", f"127.0.0.1:{port_of(served)}".encode()
        )
        client.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(OSError):
            while sent < 64 << 20:
                client.sendall(chunk)
                sent += len(chunk)
    assert sent < 16 << 20  # of 1 MiB that are taken, and what lies in buffers
    assert is_well(served)


def test_the_log_of_a_busy_day_has_nobody_s_name(tmp_path: Path) -> None:
    with office(tmp_path), qrsd_web(tmp_path) as (url, log):
        be_busy(url)
    text = log.read_text()
    for name in NAMES:
        for form in (name, name.encode().decode("latin-1"), name.encode().hex(), name[:5]):
            assert form not in text
    assert "%C3" not in text
    assert len(text.splitlines()) < 20, text


def be_busy(url: str) -> None:
    """Use names in all places where a client may put one."""
    first, odd, third = NAMES
    with httpx.Client(base_url=f"{url}api/v1", timeout=10) as client:
        begun = client.post("/enrolment", json={"person": first, "consent": True, "beats": 5})
        assert begun.status_code == 202, begun.text
        assert client.post("/enrolment", json={"person": odd, "consent": True}).status_code == 409
        for path in (f"/people/{third}/export", f"/{third}?q={first}", f"/people/{third}?{third}"):
            assert client.get(path).status_code in (404, 405, 422)
        assert client.post(f"/people/{third}/rename", json={"to": first}).status_code == 409
        assert client.post("/people/x/rename", json={third: first}).status_code == 422
        assert client.post("/people/x/rename", content=f"{{{third}").status_code == 415
        assert client.get("/session", headers={"host": f"{third}.example"}).status_code == 421
        assert client.get("/session", headers={"origin": f"http://{third}"}).status_code == 403
        client.get("/session", headers={"upgrade": third, "connection": "upgrade"})
        assert client.request("DELETE", f"/people/{third}", json={"confirm": first}).is_error
    host = url.removeprefix("http://").rstrip("/")
    with contextlib.suppress(InvalidStatus):
        connect(f"ws://{host}/api/v1/live?topics={third}")
    with connect(f"ws://{host}/api/v1/live") as live, contextlib.suppress(ConnectionClosed):
        live.send(third * 5000)
        live.recv(timeout=2)
    name, _, port = host.rpartition(":")
    with socket.create_connection((name, int(port)), 5) as broken:
        broken.sendall(f"GET /{third} HTTP/1.1\r\n{third}\r\n\r\n".encode())
        broken.recv(1000)


@contextlib.contextmanager
def office(folder: Path) -> Iterator[None]:
    """Answer as the service does, at the address where ``qrsd web`` looks for it."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    ended = threading.Event()
    there: contextlib.AbstractContextManager[Mapping[str, Command]] = staffed(folder)

    def answer() -> None:
        address = f"ipc://{folder}/control.ipc"
        with there as commands, ControlServer(context, address, commands) as control:
            while not ended.is_set():
                if control.socket.poll(20):
                    control.answer()
                control.keep_promises()

    thread = threading.Thread(target=answer)
    thread.start()
    wait_for((folder / "control.ipc").exists, 30)
    try:
        yield
    finally:
        ended.set()
        thread.join()
        context.destroy(linger=0)


@contextlib.contextmanager
def qrsd_web(folder: Path) -> Iterator[tuple[str, Path]]:
    """Run ``qrsd web``; yield its address, and the file with all that it says."""
    log = folder / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "daemon", "web", "--port", "0"],
            env=environment(folder) | {"QRSD_CONNECT_MESSAGES": "tcp://127.0.0.1:9"},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(lambda: "http://" in log.read_text(), 30)
        yield log.read_text().partition("http://")[2].partition(" ")[0].join(["http://", ""]), log
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[str, ssl.SSLContext, str]]:
    """Serve for other machines; yield the address, whom to trust, and a token for everything."""
    token = add_token(web_folder(), "tablet", SCOPES)
    with serving(tmp_path, web=ELSEWHERE) as running:
        trust = ssl.create_default_context(cafile=str(own_paths(web_folder())[0]))
        running.say(status())
        yield f"localhost:{port_of(running)}", trust, token


def test_over_tls_a_token_or_a_login_is_needed(tls: tuple[str, ssl.SSLContext, str]) -> None:
    host, trust, token = tls
    with httpx.Client(base_url=f"https://{host}/api/v1", verify=trust) as client:
        assert client.get("/status").status_code == 401
        assert client.get("/status", headers={"authorization": f"Bearer {token}"}).is_success
        page = {"origin": f"https://{host}"}
        csrf = client.post("/login", json={"token": token}, headers=page).json()["csrf"]
        assert client.get("/status").is_success  # by the cookie
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        assert client.post("/logout").status_code == 403
        address = f"wss://{host}/api/v1/live"
        stream = connect(
            address, ssl=trust, origin=page["origin"], additional_headers={"cookie": cookie}
        )
        with stream as live:
            assert b'"topic":"status"' in live.recv(timeout=5)
        # Not by the package websockets, which at times misses an answer that ends the connection.
        assert client.get("/live", headers=UPGRADE).status_code == 403
        evil = {"origin": "https://evil.example"}
        assert client.get("/live", headers=UPGRADE | evil).status_code == 403
        assert client.get("/live", headers=UPGRADE | {"cookie": ""}).status_code == 401
        assert client.post("/logout", headers={"x-csrf-token": csrf}).status_code == 204
        assert client.get("/status", headers={"cookie": cookie}).status_code == 401


def test_who_never_begins_with_tls_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.5)
    add_token(web_folder(), "tablet", SCOPES)
    with serving(tmp_path, web=ELSEWHERE) as running:
        begun = time.monotonic()
        with socket.create_connection(("127.0.0.1", port_of(running)), 10.0) as client:
            assert client.recv(1) == b""
        assert 0.4 < time.monotonic() - begun < 5


def test_without_tls_there_is_nothing_at_the_address(tls: tuple[str, ssl.SSLContext, str]) -> None:
    host, _, token = tls
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://{host}/api/v1/status", headers={"authorization": f"Bearer {token}"})


def test_a_token_that_is_revoked_ends_its_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "STILL_S", 0.05)
    token = add_token(web_folder(), "tablet", ["live"])
    with serving(tmp_path, web=ELSEWHERE) as running:
        trust = ssl.create_default_context(cafile=str(own_paths(web_folder())[0]))
        url = f"wss://localhost:{port_of(running)}/api/v1/live?topics=identity"
        with connect(
            url, ssl=trust, additional_headers={"authorization": f"Bearer {token}"}
        ) as live:
            running.say(identity(1))
            assert json.loads(live.recv(timeout=5)[2:])["index"] == 1
            revoke_token(web_folder(), "tablet")
            time.sleep(0.1)
            running.say(identity(2))
            with pytest.raises(ConnectionClosed) as closed:
                live.recv(timeout=5)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1008
