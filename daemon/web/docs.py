"""A page to read the API on, made from its OpenAPI document."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from html import escape
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import HTMLResponse

from daemon.web.openapi import DESCRIPTION, document
from daemon.web.routes import API, Route, Table

Field: TypeAlias = tuple[str, dict[str, Any], str | None]  # name, schema, what it is


def page(document: dict[str, Any]) -> str:
    """Return the document as a page of HTML."""
    parts = [
        _section(path, method, of)
        for path, methods in document["paths"].items()
        for method, of in methods.items()
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>qrsd API</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="/static/style.css"></head><body><main class="docs">'
        f"<h1>qrsd API</h1><p>{escape(DESCRIPTION)}</p>"
        f'<p><a href="{API}/openapi.json">openapi.json</a> · <a href="/">qrsd</a></p>'
        f"{''.join(parts)}</main></body></html>"
    )


def _section(path: str, method: str, of: dict[str, Any]) -> str:
    asked = [(each["name"], each["schema"], each.get("description")) for each in of["parameters"]]
    for content in of.get("requestBody", {}).get("content", {}).values():
        asked += _fields(content["schema"])
    answer = next(iter(of["responses"].values())).get("content", {})
    told = [field for content in answer.values() for field in _fields(content["schema"])]
    return (
        f"<section><h2><code>{method.upper()} {escape(path)}</code></h2>"
        f"<p>{escape(of['summary'])}. Right: <code>{of['x-right']}</code>.</p>"
        f"{_table('Takes', asked)}{_table('Answers', told)}</section>"
    )


def _fields(schema: dict[str, Any]) -> list[Field]:
    if reference := schema.get("$ref"):
        return [("", {"type": f"message {reference.rpartition('/')[2]}"}, "see docs/protocol.md")]
    return [(name, of, of.get("description")) for name, of in schema.get("properties", {}).items()]


def _table(title: str, rows: Sequence[Field]) -> str:
    if not rows:
        return ""
    lines = (
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(_type(of))}</td>"
        f"<td>{escape(text or '')}</td></tr>"
        for name, of, text in rows
    )
    return f"<table><caption>{title}</caption><tbody>{''.join(lines)}</tbody></table>"


def _type(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(map(_type, schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    kind = str(schema.get("type", "any"))
    return f"{kind} of {_type(schema['items'])}" if "items" in schema else kind


async def docs(request: Request, _: None) -> HTMLResponse:
    """Answer with the page."""
    table: Table = request.app.state.table
    return HTMLResponse(page(await asyncio.to_thread(document, table.routes)))


ROUTES = (Route("GET", "/docs", docs, "none", "Show this API on a page", media_type="text/html"),)
