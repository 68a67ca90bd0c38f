"""The WebSocket: everything as it comes, waveforms in binary.

    u16     length of the header, little-endian
    header  JSON: that of the service with its "topic" added
    rest    ecg, wave: the samples as the service sent them

A newcomer gets the newest states, then the last ten seconds of the rest, then what comes.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from daemon.web.context import context_of
from daemon.web.hub import Queue
from daemon.web.problems import Problem
from daemon.web.routes import Route
from daemon.web.topics import Topics
from daemon.wire.messages import KINDS

GOING_AWAY, TRY_AGAIN_LATER = 1001, 1013  # RFC 6455, and IANA's list of close codes
CLOSE_S = 2.0  # for a close frame to be taken into the buffer


async def live(websocket: WebSocket, asked: Topics) -> None:
    """Stream until the client goes, or takes too little."""
    hub = context_of(websocket).hub
    try:
        topics = asked.among(tuple(KINDS))
    except Problem as problem:
        await websocket.send_denial_response(problem.response())
        return
    await websocket.accept()
    queue = hub.join(topics, [*hub.welcome(topics), *hub.recent(topics)])
    work = [
        asyncio.create_task(_send(websocket, queue)),
        asyncio.create_task(_until_gone(websocket)),
        asyncio.create_task(queue.ended.wait()),  # while a send may wait for ever
    ]
    try:
        await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
    finally:
        hub.leave(queue)
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
    if queue.ended.is_set():
        with suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
            code = TRY_AGAIN_LATER if queue.is_laggard else GOING_AWAY
            await asyncio.wait_for(websocket.close(code), CLOSE_S)


async def _send(websocket: WebSocket, queue: Queue) -> None:
    while heard := await queue.get():
        await websocket.send_bytes(heard.packed)
        await asyncio.sleep(0)  # a newcomer's last seconds are hundreds; others go on meanwhile


async def _until_gone(websocket: WebSocket) -> None:
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass  # clients have nothing to say


ROUTES = (
    Route(
        "WEBSOCKET", "/live", live, "live", "Stream all that the service says, waveforms too",
        query=Topics,
    ),
)  # fmt: skip
