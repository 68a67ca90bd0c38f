"""Requests as somebody writes them who is up to no good: header by header, without a network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message

from config.fleet import FleetOptions
from config.settings import Loaded, Settings
from config.web import WebOptions
from daemon.web.context import Context, Service, Socket
from daemon.web.exposure import Exposure, exposure_of
from daemon.web.gate import Gate
from daemon.web.hub import Hub
from daemon.web.routes import Route
from daemon.web.server import all_routes, build_app
from daemon.web.site_view import SiteView
from daemon.web.tokens import TokenList

STAYS_S = 0.2  # with a stream, until it hangs up

Headers = Iterable[tuple[str, str]]


@dataclass
class Answer:
    """What came back."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    accepted: bool = False  # of a WebSocket
    closed: int | None = None  # why a WebSocket was closed
    sent: list[Message] = field(default_factory=list)

    def json(self) -> Any:
        """Return the body's content."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Return the code of a problem."""
        assert self.headers["content-type"] == "application/problem+json"
        return str(self.json()["code"])


@dataclass
class Visitor:
    """Somebody at an address, whose every request has some headers."""

    app: ASGIApp
    scheme: str = "http"
    address: str = "127.0.0.1"
    headers: dict[str, str] = field(default_factory=lambda: {"host": "127.0.0.1:5280"})

    def ask(
        self,
        method: str,
        target: str,
        more: Headers = (),
        body: Iterable[bytes | float] = (),
        **headers: str | None,
    ) -> Answer:
        """Send a request, whose body comes in pieces.

        Args:
            method: of HTTP, or WEBSOCKET.
            target: path and query.
            more: headers besides, those too that there are already.
            body: pieces of the body, and how long to wait between them, seconds.
            headers: headers instead, with _ for -; None for without.
        """
        pieces = list(body)
        given = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        raw = [(name, value) for name, value in given.items() if value is not None]
        if pieces and "content-length" not in given:
            raw.append(("transfer-encoding", "chunked"))
        return asyncio.run(self.exchange(method, target, [*raw, *more], pieces))

    def post(self, target: str, content: object, **headers: str | None) -> Answer:
        """Send JSON."""
        body = json.dumps(content).encode()
        usual: dict[str, str | None] = {"content_type": "application/json"}
        return self.ask("POST", target, body=[body], **(usual | headers))

    async def exchange(
        self, method: str, target: str, headers: Headers, pieces: list[Any]
    ) -> Answer:
        path, _, query = target.partition("?")
        answer = Answer()
        socket = method == "WEBSOCKET"
        scope: dict[str, Any] = {
            "type": "websocket" if socket else "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "scheme": {"http": "ws", "https": "wss"}[self.scheme] if socket else self.scheme,
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in headers],
            "client": (self.address, 40000),
            "server": ("127.0.0.1", 5280),
            "state": {},
            "subprotocols": [],
            "extensions": {"websocket.http.response": {}},
        }
        if socket:
            del scope["method"]
        pieces = pieces or [b""]
        came = [{"type": "websocket.connect"}] if socket else []

        async def receive() -> Message:
            if socket:
                if came:
                    return came.pop(0)
                await asyncio.sleep(STAYS_S)
                return {"type": "websocket.disconnect", "code": 1000}
            if not pieces:
                await asyncio.sleep(STAYS_S)
                return {"type": "http.disconnect"}
            if isinstance(piece := pieces.pop(0), float):
                await asyncio.sleep(piece)
                piece = pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

        async def send(message: Message) -> None:
            answer.sent.append(message)
            _note(answer, message)

        await asyncio.wait_for(self.app(scope, receive, send), 10)
        return answer


def _note(answer: Answer, message: Message) -> None:
    match message["type"]:
        case "http.response.start" | "websocket.http.response.start":
            answer.status = message["status"]
            answer.headers = {n.decode(): v.decode("latin-1") for n, v in message["headers"]}
        case "http.response.body" | "websocket.http.response.body":
            answer.body += message.get("body", b"")
        case "websocket.accept":
            answer.accepted = True
        case "websocket.close":
            answer.closed = message["code"]


def loopback_app(routes: Sequence[Route] | None = None) -> ASGIApp:
    """Return the app as it is for its own machine."""
    return _app(exposure_of(WebOptions(), Path("/nowhere")), Path("/nowhere"), routes)


def tls_app(folder: Path, routes: Sequence[Route] | None = None) -> ASGIApp:
    """Return the app as it is for other machines, with the tokens of a folder."""
    return _app(Exposure("tls", "0.0.0.0", 5280, ("pi.local", "192.0.2.7")), folder, routes)


def _app(exposure: Exposure, folder: Path, routes: Sequence[Route] | None) -> ASGIApp:
    gate = Gate(exposure, TokenList(folder))
    service = Service(Socket("ipc:///nowhere/control.ipc"))
    context = Context(Loaded(Settings(), {}), Hub(), service, gate, SiteView(FleetOptions()))
    return build_app(context, all_routes() if routes is None else routes)


def from_elsewhere(app: ASGIApp, token: str | None = None, address: str = "192.0.2.99") -> Visitor:
    """Return a program on another machine, with or without a token."""
    headers = {"host": "pi.local:5280"} | ({"authorization": f"Bearer {token}"} if token else {})
    return Visitor(app, "https", address, headers)


def logged_in(app: ASGIApp, token: str, address: str = "192.0.2.99") -> Visitor:
    """Return a browser that has logged in with a token, from its own page."""
    browser = from_elsewhere(app, address=address)
    browser.headers |= {"origin": "https://pi.local:5280", "sec-fetch-site": "same-origin"}
    answer = browser.post("/api/v1/login", {"token": token})
    assert answer.status == 200, answer.body
    browser.headers["cookie"] = answer.headers["set-cookie"].partition(";")[0]
    browser.headers["x-csrf-token"] = answer.json()["csrf"]
    return browser
