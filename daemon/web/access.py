"""Who may: lets a request through to the app, or refuses it."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from daemon.web.routes import Table


class Access:
    """ASGI middleware around the whole app.

    ``table.find(scope)`` is the route of a request, with the ``right`` that it takes; None for the
    page's files, and for what there is not.
    """

    def __init__(self, app: ASGIApp, table: Table) -> None:
        self._app = app
        self._table = table

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, for now."""
        await self._app(scope, receive, send)
