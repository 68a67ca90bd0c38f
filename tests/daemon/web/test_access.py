"""From another machine: nothing without a token, and with one no more than its scopes."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.websockets import WebSocket

from daemon.web import exchange
from daemon.web.routes import API, Right, Route
from daemon.web.server import all_routes
from daemon.web.sessions import LASTS_S
from daemon.web.throttle import OF_AN_ADDRESS
from daemon.web.tokens import SCOPES, add_token, revoke_token
from tests.daemon.web.visitor import (
    Answer,
    Visitor,
    from_elsewhere,
    logged_in,
    loopback_app,
    tls_app,
)

#: What anybody may who reaches the server.
PUBLIC = {
    ("GET", "/health"),
    ("POST", "/login"),
    ("POST", "/logout"),
    ("GET", "/session"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
}


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


def guarded() -> list[Route]:
    return [route for route in all_routes() if (route.method, route.path) not in PUBLIC]


def sent(visitor: Visitor, route: Route) -> Answer:
    """Send a request of a route, with some content where it takes any."""
    target = API + re.sub(r"\{.*?\}", "x", route.path)
    if route.method in ("POST", "DELETE"):
        return visitor.ask(route.method, target, body=[b"{}"], content_type="application/json")
    return visitor.ask(route.method, target)


def test_only_what_is_meant_to_be_is_for_everybody() -> None:
    public = {(route.method, route.path) for route in all_routes() if route.right == "none"}
    assert public <= PUBLIC
    assert len(guarded()) >= 5


def test_scopes_of_tokens_are_rights_of_routes() -> None:
    assert {*get_args(Right)} == {"none", *SCOPES}


@pytest.mark.parametrize("route", guarded(), ids=named)
def test_nobody_gets_anything_without_a_token(tmp_path: Path, route: Route) -> None:
    add_token(tmp_path, "tablet", SCOPES)
    answer = sent(from_elsewhere(tls_app(tmp_path)), route)
    assert (answer.status, answer.code, answer.accepted) == (401, "login_needed", False)
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("route", guarded(), ids=named)
def test_all_other_scopes_together_are_not_enough(tmp_path: Path, route: Route) -> None:
    others = [scope for scope in SCOPES if scope != route.right]
    app = tls_app(tmp_path)
    token = add_token(tmp_path, "tablet", others)
    for visitor in (from_elsewhere(app, token), logged_in(app, token)):
        answer = sent(visitor, route)
        assert (answer.status, answer.code, answer.accepted) == (403, "not_allowed", False)


@pytest.mark.parametrize("route", guarded(), ids=named)
def test_its_own_scope_alone_is_enough(tmp_path: Path, route: Route) -> None:
    right = route.right
    assert right != "none"
    app = tls_app(tmp_path)
    token = add_token(tmp_path, "tablet", [right])
    for visitor in (from_elsewhere(app, token), logged_in(app, token)):
        answer = sent(visitor, route)
        assert answer.status not in (401, 403) or answer.accepted


@pytest.mark.parametrize(
    "target",
    [
        "/api/v1/identity/",
        "/api/v1//identity",
        "/api/v1/./identity",
        "/api/v1/x/../identity",
        "/API/V1/identity",
        "/api/v1/identity;a",
        "//api/v1/identity",
        "/static/../api/v1/identity",
        "/api/v1/identity\x00",
    ],
)
def test_no_way_of_writing_an_address_leads_past_the_guard(tmp_path: Path, target: str) -> None:
    add_token(tmp_path, "tablet", SCOPES)
    answer = from_elsewhere(tls_app(tmp_path)).ask("GET", target)
    assert answer.status == 404
    assert answer.code == "no_such_path"


@pytest.mark.parametrize(
    "method", ["HEAD", "PUT", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "WEBSOCKET", "X"]
)
def test_no_method_leads_past_the_guard(tmp_path: Path, method: str) -> None:
    add_token(tmp_path, "tablet", SCOPES)
    answer = from_elsewhere(tls_app(tmp_path)).ask(method, "/api/v1/identity")
    assert answer.status == {"HEAD": 401, "WEBSOCKET": 426}.get(method, 405) or answer.status == 415
    assert "access-control-allow-origin" not in answer.headers
    assert not answer.accepted


@pytest.mark.parametrize(
    "header",
    [
        "{token}",
        "Basic {token}",
        "Bearer",
        "Bearer ",
        "Bearer {token}x",
        "Bearer {token}, Bearer {token}",
        "Bearer\t{token}",
        "Bearer {upper}",
        "Bearer tablet",
        "Bearer \xff\xfe",
    ],
)
def test_only_the_whole_token_is_one(tmp_path: Path, header: str) -> None:
    token = add_token(tmp_path, "tablet", SCOPES)
    app = tls_app(tmp_path)
    assert from_elsewhere(app, token).ask("GET", "/api/v1/session").status == 200
    value = header.format(token=token, upper=token.upper())
    answer = from_elsewhere(app).ask("GET", "/api/v1/identity", authorization=value)
    assert (answer.status, answer.code) == (401, "token_invalid")
    assert token not in answer.body.decode()


def test_guessing_is_slowed_down_and_locks_out_nobody_who_has_a_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(exchange, "GUESS_S", 0.05)
    token = add_token(tmp_path, "tablet", SCOPES)
    app = tls_app(tmp_path)
    thief = from_elsewhere(app, address="198.51.100.1")

    def guess(number: int) -> Answer:
        wrong = f"{token[:-4]}{number:04}"  # nearly right is no nearer
        if number % 2:
            return thief.post("/api/v1/login", {"token": wrong})
        return thief.ask("GET", "/api/v1/session", authorization=f"Bearer {wrong}")

    first = [guess(number) for number in range(OF_AN_ADDRESS)]
    assert {(each.status, each.code) for each in first} == {(401, "token_invalid")}
    begun_s = time.monotonic()
    more = [guess(number) for number in range(20)]
    assert time.monotonic() - begun_s > 20 * 0.05
    assert {(each.status, each.code) for each in more} == {(429, "too_many_attempts")}
    assert all(0 < int(each.headers["retry-after"]) <= 30 for each in more)
    assert len(caplog.records) == OF_AN_ADDRESS  # the journal is not flooded
    neighbour = from_elsewhere(app, token, "198.51.100.1")
    assert neighbour.ask("GET", "/api/v1/session").status == 200
    assert logged_in(app, token, "198.51.100.1").ask("GET", "/api/v1/session").status == 200
    assert guess(0).status == 429  # which a valid token between them does not undo


def test_a_websocket_is_no_way_around_the_limit_of_guesses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "GUESS_S", 0.01)
    app = tls_app(tmp_path)
    thief = from_elsewhere(app, "wrong")
    refused = [thief.ask("WEBSOCKET", "/api/v1/live").status for _ in range(OF_AN_ADDRESS + 1)]
    assert refused == [401] * OF_AN_ADDRESS + [429]
    assert from_elsewhere(app).post("/api/v1/login", {"token": "wrong"}).status == 429


def test_who_has_a_session_is_not_locked_out_by_others_who_guess(tmp_path: Path) -> None:
    app = tls_app(tmp_path)
    browser = logged_in(app, add_token(tmp_path, "tablet", ["live"]), "198.51.100.1")
    for _ in range(OF_AN_ADDRESS + 1):
        from_elsewhere(app, "wrong", "198.51.100.1").ask("GET", "/api/v1/session")
    assert browser.ask("GET", "/api/v1/session").json()["scopes"] == ["live"]


@pytest.mark.parametrize("name", ["token", "access_token", "TOKEN", "bearer", "x"])
def test_a_token_in_an_address_is_refused_though_valid(tmp_path: Path, name: str) -> None:
    token = add_token(tmp_path, "tablet", SCOPES)
    app = tls_app(tmp_path)
    for method in ("GET", "WEBSOCKET"):
        answer = from_elsewhere(app, token).ask(method, f"/api/v1/identity?a=b&{name}={token}")
        assert (answer.status, answer.code) == (400, "token_in_url")
        assert token not in answer.body.decode()
    hidden = token.replace("q", "%71")
    assert from_elsewhere(app).ask("GET", f"/api/v1/{hidden}").status == 400
    assert from_elsewhere(app).ask("GET", f"/?{name}={hidden}").status == 400


def test_a_session_is_another_with_each_login_whatever_cookie_came(tmp_path: Path) -> None:
    token = add_token(tmp_path, "tablet", SCOPES)
    app = tls_app(tmp_path)
    planted = "__Host-qrsd-session=" + "A" * 43
    victim = from_elsewhere(app)
    first = victim.post("/api/v1/login", {"token": token}, cookie=planted)
    cookie = first.headers["set-cookie"].partition(";")[0]
    assert cookie != planted
    answer = victim.ask("GET", "/api/v1/session", cookie=planted)
    assert answer.json()["login_needed"] is True
    csrf = first.json()["csrf"]
    second = victim.post("/api/v1/login", {"token": token}, cookie=cookie, x_csrf_token=csrf)
    assert second.headers["set-cookie"].partition(";")[0] != cookie
    assert victim.ask("GET", "/api/v1/session", cookie=cookie).json()["login_needed"] is True


def test_a_stolen_cookie_is_worth_nothing_after_logout(tmp_path: Path) -> None:
    app = tls_app(tmp_path)
    browser = logged_in(app, add_token(tmp_path, "tablet", ["live"]))
    thief = from_elsewhere(app, address="198.51.100.1")
    thief.headers["cookie"] = browser.headers["cookie"]
    assert thief.ask("GET", "/api/v1/session").json()["scopes"] == ["live"]
    answer = browser.ask("POST", "/api/v1/logout")
    assert answer.status == 204
    assert "Max-Age=0" in answer.headers["set-cookie"]
    for visitor in (thief, browser):
        assert visitor.ask("GET", "/api/v1/session").json()["login_needed"] is True
        assert visitor.ask("GET", "/api/v1/identity").status == 401


def test_revoking_a_token_ends_its_sessions(tmp_path: Path) -> None:
    app = tls_app(tmp_path)
    browser = logged_in(app, add_token(tmp_path, "tablet", ["live"]))
    assert browser.ask("GET", "/api/v1/identity").status == 503
    revoke_token(tmp_path, "tablet")
    assert browser.ask("GET", "/api/v1/identity").status == 401
    add_token(tmp_path, "tablet", SCOPES)  # the same name is not the same token
    assert browser.ask("GET", "/api/v1/identity").status == 401


def test_a_session_tells_what_the_page_needs_and_nothing_of_the_token(tmp_path: Path) -> None:
    token = add_token(tmp_path, "tablet", ["people:read", "live"])
    app = tls_app(tmp_path)
    browser = logged_in(app, token)
    answer = browser.ask("GET", "/api/v1/session")
    told = answer.json()
    assert LASTS_S - 60 < told.pop("expires_s") <= LASTS_S
    assert told == {
        "exposure": "tls",
        "scopes": ["live", "people:read"],
        "csrf": browser.headers["x-csrf-token"],
        "login_needed": False,
    }
    assert browser.headers["cookie"].partition("=")[2] not in answer.body.decode()
    assert from_elsewhere(app).ask("GET", "/api/v1/session").json() == {
        "exposure": "tls",
        "scopes": [],
        "csrf": None,
        "expires_s": None,
        "login_needed": True,
    }


def test_on_loopback_nobody_is_asked_and_it_says_so() -> None:
    visitor = Visitor(loopback_app())
    told = visitor.ask("GET", "/api/v1/session").json()
    assert told == {
        "exposure": "loopback",
        "scopes": list(SCOPES),
        "csrf": None,
        "expires_s": None,
        "login_needed": False,
    }
    assert visitor.post("/api/v1/login", {"token": "x"}).code == "no_login_needed"
    assert visitor.ask("GET", "/api/v1/identity").code == "nothing_heard"


def stream(count: int, between: Callable[[], Awaitable[None]]) -> list[Route]:
    """Return routes that tell something so many times, as events and by WebSocket."""

    async def pieces() -> Any:
        for number in range(count):
            yield f"{number} "
            await between()

    async def events(_: Request, __: None) -> Response:
        return StreamingResponse(pieces())

    async def live(socket: WebSocket, _: None) -> None:
        await socket.accept()
        async for piece in pieces():
            await socket.send_text(piece)

    return [
        Route("GET", "/pieces", events, "live", "Stream"),
        Route("WEBSOCKET", "/pieces", live, "live", "Stream"),
    ]


@pytest.mark.parametrize("method", ["GET", "WEBSOCKET"])
@pytest.mark.parametrize("how", ["logout", "revoked", "scopes"])
def test_a_stream_ends_when_its_caller_may_hear_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, how: str
) -> None:
    monkeypatch.setattr(exchange, "STILL_S", 0.0)
    said = 0

    async def between() -> None:
        nonlocal said
        said += 1
        if said == 3:
            ends[how]()

    app = tls_app(tmp_path, [*all_routes(), *stream(100, between)])
    browser = logged_in(app, add_token(tmp_path, "tablet", ["live"]))
    gate = getattr(app, "_gate")  # noqa: B009
    ends: dict[str, Callable[[], object]] = {
        "logout": lambda: gate.sessions.close(browser.headers["cookie"].partition("=")[2]),
        "revoked": lambda: revoke_token(tmp_path, "tablet"),
        "scopes": lambda: (tmp_path / "tokens").write_text(
            (tmp_path / "tokens").read_text().replace(" live ", " control ")
        ),
    }
    answer = browser.ask(method, f"{API}/pieces")
    heard = [each for each in answer.sent if each.get("text") or each.get("body")]
    assert len(heard) == 3
    assert answer.closed == (1008 if method == "WEBSOCKET" else None)
    assert method == "WEBSOCKET" or answer.sent[-1]["more_body"] is False


def test_a_stream_goes_on_while_its_caller_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "STILL_S", 0.0)

    async def between() -> None:
        pass

    app = tls_app(tmp_path, [*all_routes(), *stream(100, between)])
    answer = logged_in(app, add_token(tmp_path, "t", ["live"])).ask("GET", f"{API}/pieces")
    assert len(answer.body.split()) == 100
