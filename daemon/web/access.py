"""Who may: lets a request through to the app, or refuses it.

The outermost layer (ASGI): whatever happens inside, nothing leaves it but an answer or a problem.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from daemon.journal import event
from daemon.web.exchange import Ended, Exchange
from daemon.web.gate import Caller, Gate
from daemon.web.problems import Problem
from daemon.web.routes import Route, Table
from daemon.web.screening import Head, screen

MOST_UPLOADS = 4  # at a time, of files or numbers: each may fill 64 MiB of the disk
MOST_OF_A_TOKEN = 2  # of them: who sends slowly leaves room for others

_LOG = logging.getLogger(__name__)


def caller_of(request: HTTPConnection) -> Caller:
    """Return who sent a request."""
    caller: Caller = request.scope["caller"]
    return caller


class Access:
    """ASGI middleware around the whole app.

    Args:
        app: what answers.
        table: has the right that each route takes.
        gate: knows who may.
        now: a clock that never goes back, seconds.
    """

    def __init__(
        self, app: ASGIApp, table: Table, gate: Gate, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._table = table
        self._gate = gate
        self._now = now
        self._uploads: list[bytes | None] = []  # by whose token each is; None on loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(scope, receive, send, self._now)
        try:
            head = exchange.head = Head.of(scope)
            route = self._table.find(scope)
            caller = scope["caller"] = self._admitted(head, route)
            exchange.may_go_on = lambda: self._gate.is_still(caller)
            exchange.most_bytes = head.most_bytes(route)
            takes_files = route is not None and route.files and head.changes
            await (self._upload if takes_files else self._app)(
                scope, exchange.receive, exchange.send
            )
        except Ended:
            return
        except Problem as problem:
            await exchange.refuse(problem)
        except Exception as error:  # its message may name somebody
            name = type(error).__name__
            _LOG.error("a request failed: %s", name, extra=event("request_failed", error=name))
            await exchange.refuse(Problem(500, "internal", "An error of qrsd: see its journal."))

    def _admitted(self, head: Head, route: Route | None) -> Caller:
        screen(head, self._gate.exposure, route)
        caller = self._gate.caller(head)
        self._gate.admit(caller, route.right if route else "none")
        return caller

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = scope["caller"].token
        of_token = self._uploads.count(token) if token else 0
        if len(self._uploads) >= MOST_UPLOADS or of_token >= MOST_OF_A_TOKEN:
            raise Problem(503, "busy", "Other uploads are under way.", {"Retry-After": "5"})
        self._uploads.append(token)
        try:
            await self._app(scope, receive, send)
        finally:
            self._uploads.remove(token)
