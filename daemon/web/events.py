"""The event stream (SSE): everything but waveforms, for programs and pages that need no more.

    event: identity
    id: 8b9f...:identity:17
    data: {"schema":1,"device":"pi", ...}

``Last-Event-ID`` has what came after it said again, as far as it is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from daemon.web.context import context_of
from daemon.web.hub import WAVEFORMS, Heard, Hub, Queue
from daemon.web.routes import Route
from daemon.web.topics import Topics
from daemon.wire.messages import KINDS

OFFERED = tuple(topic for topic in KINDS if topic not in WAVEFORMS)
QUIET_S = 15.0  # then a comment, by which proxies and clients see that the stream lives
MEDIA_TYPE = "text/event-stream"


async def events(request: Request, asked: Topics) -> Response:
    """Stream until the client goes, or takes too little."""
    hub = context_of(request).hub
    topics = asked.among(OFFERED)
    if request.method == "HEAD":  # which gets nothing, and would wait for the end of it
        return Response(media_type=MEDIA_TYPE)
    last_id = request.headers.get("last-event-id", "")
    first = hub.since(last_id, topics) if last_id else hub.welcome(topics)
    stream = _stream(hub, hub.join(topics, first))
    return StreamingResponse(stream, headers={"X-Accel-Buffering": "no"}, media_type=MEDIA_TYPE)


async def _stream(hub: Hub, queue: Queue) -> AsyncIterator[bytes]:
    try:
        yield b"retry: 3000\n\n"
        while True:
            try:
                heard = await asyncio.wait_for(queue.get(), QUIET_S)
            except TimeoutError:
                yield b":\n\n"
                continue
            if heard is None:
                return
            yield _event(heard)
    finally:
        hub.leave(queue)


def _event(heard: Heard) -> bytes:
    name = f"id: {heard.id}\n" if heard.id else ""
    return f"event: {heard.topic}\n{name}data: ".encode() + heard.header + b"\n\n"


ROUTES = (
    Route(
        "GET", "/events", events, "live", "Stream all but waveforms as events",
        query=Topics, media_type=MEDIA_TYPE,
    ),
)  # fmt: skip
