"""The OpenAPI 3.1 of the API, made from its table."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from daemon.web.problems import MEDIA_TYPE as PROBLEM
from daemon.web.problems import ProblemAnswer
from daemon.web.routes import API, JSON, MULTIPART, Route, Table
from daemon.web.sessions import COOKIE
from daemon.wire.json_schema import messages_schema, object_schema
from daemon.wire.messages import KINDS

PARAMETER = re.compile(r"{(\w+)}")
COMPONENTS = "#/components/schemas"
DESCRIPTION = """\
What qrsd tells and takes over HTTP. On its own machine it asks for nothing, elsewhere for a bearer
token or the session of its page; `x-right` is what either has to be allowed. Errors are problems by
RFC 9457. Not a medical device, not for diagnosis."""


def openapi(routes: Sequence[Route]) -> dict[str, Any]:
    """Return the document."""
    messages = json.dumps(messages_schema()["$defs"]).replace("#/$defs", COMPONENTS)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        method = "get" if route.method == "WEBSOCKET" else route.method.lower()
        paths.setdefault(f"{API}{route.path}", {})[method] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "qrsd",
            "version": version("qrsd"),
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {**json.loads(messages), "problem": object_schema(ProblemAnswer)},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    """Describe what one route takes and answers."""
    told: dict[str, Any] = {
        "operationId": f"{route.method.lower()}{re.sub(r'[^a-z]+', '_', route.path)}".rstrip("_"),
        "summary": route.summary,
        "x-right": route.right,
        "security": [{}, {"token": []}, {"session": []}],
        "parameters": [
            *({"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
              for name in PARAMETER.findall(route.path)),
            *(_query_parameters(route.query) if route.query else ()),
        ],
        "responses": {
            **{str(status): _answer(route, status) for status in (_status(route), *route.also)},
            "default": {
                "description": "A problem",
                "content": {PROBLEM: {"schema": {"$ref": f"{COMPONENTS}/problem"}}},
            },
        },
    }  # fmt: skip
    if route.body or route.files:
        told["requestBody"] = {"required": True, "content": _contents(route)}
    return told


def _query_parameters(kind: Any) -> list[dict[str, Any]]:
    schema = object_schema(kind)
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema["required"],
            "description": of.pop("description", ""),
            "schema": of,
        }
        for name, of in schema["properties"].items()
    ]


def _contents(route: Route) -> dict[str, Any]:
    contents: dict[str, Any] = {}
    if route.body:
        schema = object_schema(route.body) | {"additionalProperties": False}
        contents[JSON] = {"schema": schema}
    if route.files:
        parts = {name: {"type": "string", "format": "binary"} for name in route.files}
        contents[MULTIPART] = {"schema": {"type": "object", "properties": parts}}
    return contents


def _status(route: Route) -> int:
    return 101 if route.method == "WEBSOCKET" else route.status


def _answer(route: Route, status: int) -> dict[str, Any]:
    told: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if route.answer is None and route.media_type == JSON:
        return told
    schema = {} if route.answer is None else _schema(route.answer)
    return told | {"content": {route.media_type: {"schema": schema}}}


def _schema(kind: Any) -> dict[str, Any]:
    if kind in KINDS.values():
        return {"$ref": f"{COMPONENTS}/{kind.TOPIC}"}
    return object_schema(kind)


@cache
def document(routes: tuple[Route, ...]) -> dict[str, Any]:
    """Return the document, made once: it reads the sources of the types."""
    return openapi(routes)


async def answer(request: Request, _: None) -> Response:
    """Answer with the document."""
    table: Table = request.app.state.table
    return JSONResponse(await asyncio.to_thread(document, table.routes))


ROUTES = (Route("GET", "/openapi.json", answer, "none", "Describe this API in OpenAPI 3.1"),)
