"""The table of what the API answers: the source of routing, of access and of the OpenAPI.

    ROUTES = (
        Route("POST", "/people/{name}/rename", rename, "people:write", "Rename a person",
              body=Rename, answer=Renamed),
    )

A handler is ``async def handler(request, asked)``: ``asked`` is the dataclass ``query`` or ``body``
of its route, read from the query string or from JSON, else None. It returns a dataclass, or a dict
of the service's with its fields, which is answered as JSON, or a ``Response``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from types import NoneType
from typing import Any, Literal, TypeAlias, get_args, get_type_hints
from urllib.parse import unquote

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from config.typed_json import typed, typed_fields
from daemon.errors import DaemonError
from daemon.journal import event
from daemon.web.problems import Problem, problem_of
from model.errors import ModelError

API = "/api/v1"
JSON = "application/json"
MULTIPART = "multipart/form-data"

Method: TypeAlias = Literal["GET", "POST", "DELETE", "WEBSOCKET"]
#: What a caller may be allowed; ``none`` is for everybody who reaches the server.
Right: TypeAlias = Literal["none", "live", "people:read", "people:write", "recordings", "control"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Route:
    """One request that is answered."""

    method: Method
    path: str  # below ``API``, such as /people/{name}; a part is never empty
    #: takes the request (WEBSOCKET: the socket) and what was asked
    handler: Callable[[Any, Any], Awaitable[Any]]
    right: Right  # that the caller needs
    summary: str  # what it does, as an imperative
    query: Any = None  # dataclass of the query's fields
    body: Any = None  # dataclass of the JSON body's fields
    #: parts of a multipart body that may come instead of JSON; the handler reads ``request.form()``
    files: tuple[str, ...] = ()
    answer: Any = None  # dataclass of the answer; None: none, or of ``media_type``
    status: int = 200  # if all is well
    also: tuple[int, ...] = ()  # further statuses that come with the same answer
    media_type: str = JSON  # of the answer


class Table:
    """Finds the route of a request, and has it answered."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.routes = tuple(routes)
        self._paths: dict[str, dict[str, Route]] = {}
        for route in routes:
            self._paths.setdefault(route.path, {})[route.method] = route
        self._patterns = [
            (compile_path(f"{API}{path}")[0], methods) for path, methods in self._paths.items()
        ]

    def find(self, scope: Scope) -> Route | None:
        """Return the route of an ASGI scope; None if there is none, or not with its method."""
        found = self._match(scope)
        return found[0].get(_method_of(scope)) if found else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI), whatever its handler raises."""
        found = self._match(scope)
        route = found[0].get(_method_of(scope)) if found else None
        if found is None or route is None:
            await _missing(scope, found[0] if found else None)(scope, receive, send)
            return
        scope["path_params"] = found[1]
        if route.method == "WEBSOCKET":
            websocket = WebSocket(scope, receive, send)
            try:
                asked = _query(route.query, websocket) if route.query else None
            except Problem as problem:
                await websocket.send_denial_response(problem.response())
                return
            await route.handler(websocket, asked)
            return
        response = await _answer(route, Request(scope, receive))
        await response(scope, receive, send)

    def _match(self, scope: Scope) -> tuple[dict[str, Route], dict[str, str]] | None:
        path = scope["raw_path"].decode("ascii")  # where a name's own / is %2F still
        for pattern, methods in self._patterns:
            if found := pattern.match(path):
                return methods, {name: unquote(part) for name, part in found.groupdict().items()}
        return None


def _method_of(scope: Scope) -> str:
    if scope["type"] == "websocket":
        return "WEBSOCKET"
    method: str = scope["method"]
    return "GET" if method == "HEAD" else method


def _missing(scope: Scope, methods: Mapping[str, Route] | None) -> Response:
    if methods is None:
        return Problem(404, "no_such_path", "There is nothing at this address.").response()
    allowed = ", ".join(name for name in methods if name != "WEBSOCKET")
    if scope["type"] == "http" and allowed:
        told = f"This address takes {allowed}."
        return Problem(405, "no_such_method", told, {"Allow": allowed}).response()
    return Problem(426, "not_a_websocket", "This address takes WebSockets.").response()


async def _answer(route: Route, request: Request) -> Response:
    try:
        answer = await route.handler(request, await _asked(route, request))
    except Problem as problem:
        return problem.response()
    except (DaemonError, ModelError) as error:
        return problem_of(error).response()
    except Exception as error:  # its message may name somebody
        _LOG.error(
            "%s %s failed: %s",
            route.method,
            route.path,
            type(error).__name__,
            extra=event("request_failed", error=type(error).__name__),
        )
        return Problem(500, "internal", "An error of qrsd itself: see its journal.").response()
    if isinstance(answer, Response):
        return answer
    if answer is None:
        return Response(status_code=204)
    told = answer if isinstance(answer, dict) else asdict(answer)
    content = json.dumps(told, allow_nan=False, separators=(",", ":"))
    return Response(content, route.status, media_type=JSON)


async def _asked(route: Route, request: Request) -> Any:
    if route.query is not None:
        return _query(route.query, request)
    if route.body is None:
        return None
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if route.files and kind == MULTIPART:
        return None
    if kind != JSON:
        expected = f"{JSON} or {MULTIPART}" if route.files else JSON
        raise Problem(415, "media_type", f"The content has to be {expected}.")
    content = await request.body()  # which Exchange bounds
    try:
        given = typed(dict[str, Any], json.loads(content), "body")
        strange = set(given) - {field.name for field in fields(route.body)}
        if strange:
            raise ValueError(f"body: {min(strange)!r:.40} is not one of its fields")
        return typed_fields(route.body, given, "body")
    except (ValueError, RecursionError) as error:
        raise Problem(422, "bad_request", f"{error}.") from error


def _query(kind: Any, request: HTTPConnection) -> Any:
    """Read the fields of a query string, which are all text, as the dataclass has them."""
    hints = get_type_hints(kind)
    known = {field.name: field for field in fields(kind)}
    given: dict[str, Any] = {}
    for name, text in request.query_params.multi_items():
        if name not in known or name in given:
            why = "there twice" if name in given else f"not one of {', '.join(known)}"
            raise Problem(422, "bad_request", f"query: {name!r:.40} is {why}.")
        given[name] = _plain_value(hints[name], text)
    for name, field in known.items():
        if name not in given and field.default is MISSING:
            raise Problem(422, "bad_request", f"query: {name} is missing.")
    try:
        return typed_fields(kind, given, "query")
    except ValueError as error:
        raise Problem(422, "bad_request", f"{error}.") from error


def _plain_value(hint: Any, text: str) -> object:
    """Return the number that a text stands for where the field is one, else the text."""
    kinds = set(get_args(hint) or (hint,)) - {NoneType}
    if kinds & {int, float, bool}:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text
