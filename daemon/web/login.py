"""``/login``, ``/logout``, ``/session``: a browser becomes somebody by a token, or nobody again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import Response

from daemon.web.access import caller_of
from daemon.web.context import context_of
from daemon.web.exposure import Kind
from daemon.web.gate import NOBODY
from daemon.web.problems import Problem
from daemon.web.routes import JSON, Route
from daemon.web.sessions import CLEAR_COOKIE, set_cookie
from daemon.web.tokens import SCOPES, Scope


@dataclass(frozen=True, slots=True)
class Login:
    """Who wants to be let in."""

    token: str  # as qrsd keys web-token add printed it


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A session that has begun; its cookie comes along."""

    csrf: str  # to be sent in the header X-CSRF-Token with what changes something
    scopes: tuple[Scope, ...]  # what the session may
    expires_s: float  # until it ends


@dataclass(frozen=True, slots=True)
class WhoMay:
    """What the caller is to the server."""

    exposure: Kind  # loopback: nobody is asked for a token; tls: everybody is
    scopes: tuple[Scope, ...]  # what the caller may
    csrf: str | None  # of the session; None without one
    expires_s: float | None  # until the session ends; None without one
    login_needed: bool  # whether the caller may nothing without


async def login(request: Request, asked: Login) -> Response:
    """Begin a session, and end the one there was."""
    gate = context_of(request).gate
    if gate.is_open:
        raise Problem(409, "no_login_needed", "This machine's users need not log in.")
    address = request.client.host if request.client else ""
    cookie, session, token = gate.login(address, asked.token)
    if before := caller_of(request).cookie:
        gate.sessions.close(before)
    told = LoggedIn(session.csrf, _in_order(token.scopes), gate.sessions.left_s(session))
    return Response(json.dumps(asdict(told)), 200, {"Set-Cookie": set_cookie(cookie)}, JSON)


async def logout(request: Request, _: None) -> Response:
    """End the session, if there is one."""
    if cookie := caller_of(request).cookie:
        context_of(request).gate.sessions.close(cookie)
    return Response(status_code=204, headers={"Set-Cookie": CLEAR_COOKIE})


async def session(request: Request, _: None) -> WhoMay:
    """Tell what the caller may."""
    gate, caller = context_of(request).gate, caller_of(request)
    kept = caller.session
    return WhoMay(
        gate.exposure.kind,
        _in_order(caller.scopes),
        kept.csrf if kept else None,
        gate.sessions.left_s(kept) if kept else None,
        caller is NOBODY,
    )


def _in_order(scopes: frozenset[Scope]) -> tuple[Scope, ...]:
    return tuple(scope for scope in SCOPES if scope in scopes)


ROUTES = [
    Route(
        "POST", "/login", login, "none", "Log a browser in by a token", body=Login, answer=LoggedIn
    ),
    Route("POST", "/logout", logout, "none", "Log a browser out", status=204),
    Route("GET", "/session", session, "none", "Tell what the caller may", answer=WhoMay),
]
