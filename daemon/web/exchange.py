"""A request and its answer on the way through: bounded, strict for browsers, ended when it must."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Receive, Scope, Send

from daemon.web.problems import Problem
from daemon.web.screening import MOST_OTHER_BYTES, Head, too_large

#: Scripts, styles and everything else from this server only, and in nobody's frame.
POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'"
)
#: For a page that was made of a recording: nothing runs in it, and nothing is fetched.
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'; sandbox"
)
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # with no-referrer, forms of our own page have no origin
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
BODY_S = 10.0  # for a whole body, and the longest without any of it
SLOWEST_BYTES_S = 65536  # for each so many bytes of it, another second
GUESS_S = 1.0  # until somebody who guesses tokens hears that it was one more too many
STILL_S = 1.0  # how often it is looked whether the caller of a stream may hear more of it
POLICY_VIOLATION, INTERNAL_ERROR = 1008, 1011  # why a WebSocket is closed (RFC 6455)


class Ended(Exception):
    """A stream was ended, since its caller may not hear more of it."""


class Exchange:
    """One request.

    Args:
        scope: of the request (ASGI).
        receive: brings its body, or messages of a WebSocket.
        send: takes the answer.
        now: a clock that never goes back, seconds.

    Attributes:
        head: what the request says before its body, as soon as it is known.
        most_bytes: how long its body may be.
        may_go_on: tells whether the caller may hear more; asked once a second at most.
    """

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, now: Callable[[], float]
    ) -> None:
        self.head: Head | None = None
        self.most_bytes = MOST_OTHER_BYTES
        self.may_go_on: Callable[[], bool] = lambda: True
        self._scope = scope
        self._receive = receive
        self._send = send
        self._now = now
        self._looked_s = self._begun_s = now()
        self._bytes = 0
        self._whole = scope["type"] == "websocket"
        self._started = False

    async def receive(self) -> Message:
        """Bring the next piece of the body, or the next message.

        Raises:
            Problem: the body is too long, or too slow.
        """
        if self._whole:
            return await self._receive()
        left_s = self._begun_s + BODY_S + self._bytes / SLOWEST_BYTES_S - self._now()
        try:
            async with asyncio.timeout(min(left_s, BODY_S)):
                message = await self._receive()
        except TimeoutError:
            raise Problem(408, "too_slow", "The content does not arrive.") from None
        self._bytes += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._bytes > self.most_bytes:
            raise too_large(self.most_bytes)
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer.

        Raises:
            Ended: the caller may not hear more of it.
        """
        kind = message["type"]
        if kind in ("http.response.start", "websocket.http.response.start"):
            self._started = True
            if message["status"] == HTTPStatus.TOO_MANY_REQUESTS:
                await asyncio.sleep(GUESS_S)
            self._dress(message)
        elif kind == "websocket.accept":
            self._started = True
        elif kind == "websocket.send" or message.get("more_body"):
            await self._check_on_caller()
        await self._send(message)

    async def refuse(self, problem: Problem) -> None:
        """Answer with a problem; where an answer is under way already, break it off."""
        if not self._started:
            await problem.response()(self._scope, self._receive, self.send)
        elif self._scope["type"] == "websocket":
            await self._send({"type": "websocket.close", "code": INTERNAL_ERROR})

    async def _check_on_caller(self) -> None:
        if self._now() - self._looked_s < STILL_S:
            return
        self._looked_s = self._now()
        if self.may_go_on():
            return
        if self._scope["type"] == "websocket":
            await self._send({"type": "websocket.close", "code": POLICY_VIOLATION})
        else:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        raise Ended

    def _dress(self, message: Message) -> None:
        """Add the headers for browsers, and hang up on who still sends what nobody will read."""
        headers = MutableHeaders(scope=message)
        for name, value in HEADERS.items():
            headers[name] = value
        headers.setdefault("content-security-policy", POLICY)
        if self.head is None or self.head.is_of_api or message["status"] >= 400:
            headers["cache-control"] = "no-store"
        if not self._whole and (self.head is None or self.head.has_body):
            headers["connection"] = "close"
