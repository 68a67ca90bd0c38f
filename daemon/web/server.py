"""Puts the app together, and runs it: page, API and live streams in one process."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from errno import EADDRINUSE
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount
from starlette.routing import Route as Page
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from config.folders import web_folder
from config.settings import Loaded
from config.web import WebOptions
from daemon.errors import DaemonError
from daemon.journal import event
from daemon.web import (
    connections,
    device,
    digitize,
    docs,
    events,
    explanation,
    figures,
    fleet,
    live,
    login,
    openapi,
    people,
    recordings,
    state,
    uploads,
)
from daemon.web.access import Access
from daemon.web.connections import BoundedSocket, PatientProtocol
from daemon.web.context import Context, Service, Socket
from daemon.web.exposure import Exposure, exposure_of
from daemon.web.gate import Gate
from daemon.web.hub import Hub
from daemon.web.problems import Problem
from daemon.web.routes import API, Route, Table
from daemon.web.screening import LONGEST_HEAD_BYTES
from daemon.web.site_view import SiteView
from daemon.web.tokens import TokenList
from daemon.wire.client import Item, Subscriber
from daemon.wire.errors import AddressInUse, AddressUnusable

STATIC = Path(__file__).with_name("static")
LISTEN_S = 1.0  # a silent service is told of each second
AGAIN_S = 5.0  # after an error of the connection to it
STOP_S = 3  # for requests under way, at the end
#: A peer that takes nothing for so long is hung up on by the kernel, full buffers and all.
DEAD_PEER_MS = 30_000

_LOG = logging.getLogger(__name__)


def all_routes() -> list[Route]:
    """Return everything that the API answers."""
    modules = (
        *(state, live, events, people, device, fleet, figures, explanation),
        *(recordings, uploads, digitize, login, openapi, docs),
    )
    return [route for module in modules for route in module.ROUTES]


def build_app(context: Context, routes: Sequence[Route]) -> ASGIApp:
    """Return the ASGI app: who may, then the API or the page."""
    table = Table(routes)
    app = Starlette(
        routes=[
            Page("/", _index),
            Mount("/static", StaticFiles(directory=STATIC)),
            Mount(API, table),
        ],
        exception_handlers={HTTPException: _no_page},
        lifespan=_lifespan,
    )
    app.state.context, app.state.table = context, table
    return Access(app, table, context.gate)


async def _index(_: Request) -> Response:
    return FileResponse(STATIC / "index.html")


async def _no_page(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return Problem(status, "no_such_path", "There is nothing at this address.").response()


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    context: Context = app.state.context
    connected = asyncio.create_task(context.site.run())
    try:
        yield
    finally:
        connected.cancel()
        context.service.close()
        context.recorder.close()


@dataclass(frozen=True, slots=True)
class Sockets:
    """Where the service is."""

    messages: Socket
    control: Socket


def serve(loaded: Loaded, service: Sockets, told: Callable[[str], None] = print) -> None:
    """Serve until Ctrl-C or systemctl stop.

    Args:
        loaded: the settings.
        service: where the service is.
        told: is called with the address, once it answers.

    Raises:
        AddressInUse, AddressUnusable: it cannot listen where it is set to.
        KeysError: others would reach it without encryption or a token.
    """
    options = loaded.settings.web
    exposure = exposure_of(options, web_folder())
    with listening_socket(options) as listening:
        exposure = replace(exposure, port=listening.getsockname()[1])
        server = Server(loaded, service, exposure)

        def end(*_: object) -> None:
            server.should_exit = True

        for number in (signal.SIGTERM, signal.SIGINT):  # before uvicorn takes them; it raises them
            signal.signal(number, end)  # again at its end
        asyncio.run(server.run_on(listening, told))


class Server(uvicorn.Server):
    """Serves the app, fed by a thread that listens to the service.

    Args:
        loaded: the settings.
        service: where the service is.
        exposure: where it listens.
    """

    def __init__(self, loaded: Loaded, service: Sockets, exposure: Exposure) -> None:
        self.hub = Hub()
        self._messages = service.messages
        self._exposure = exposure
        gate = Gate(exposure, TokenList(web_folder()))
        site = SiteView(loaded.settings.fleet)
        context = Context(loaded, self.hub, Service(service.control), gate, site)
        certificate = exposure.certificate
        super().__init__(
            uvicorn.Config(
                build_app(context, all_routes()),
                http=PatientProtocol,
                ws="websockets-sansio",
                ws_max_size=4096,  # clients have nothing to say
                ws_per_message_deflate=False,
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=STOP_S,
                ssl_context_factory=(lambda *_: certificate.context()) if certificate else None,
                h11_max_incomplete_event_size=LONGEST_HEAD_BYTES,
            )
        )
        # Access tells what goes wrong; these log query strings, and a line of each bad request.
        for name in ("uvicorn", "python_multipart"):
            logging.getLogger(name).setLevel(logging.CRITICAL)

    async def run_on(self, listening: socket.socket, told: Callable[[str], None]) -> None:
        """Serve on a socket, whose address is told, until ``should_exit`` is set."""
        loop = asyncio.get_running_loop()

        def take(item: Item) -> None:
            loop.call_soon_threadsafe(self.hub.take, item)

        threading.Thread(target=_listen, args=(self._messages, take), daemon=True).start()
        if self._exposure.certificate:  # uvicorn has no setting for it, and asyncio waits a minute
            hasty = partial(loop.create_server, ssl_handshake_timeout=connections.HEAD_S)
            setattr(loop, "create_server", hasty)  # noqa: B010
        told(self._exposure.told())
        await self.serve([listening])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams first, which would go on for ever, and then the rest."""
        self.hub.close()
        await super().shutdown(sockets)


def _listen(messages: Socket, take: Callable[[Item], object]) -> None:
    """Hand on what the service says, for as long as the process lives."""
    trouble = ""
    while True:
        try:
            with Subscriber(messages.address, timeout_s=LISTEN_S, keys=messages.keys) as items:
                for item in items:
                    take(item)
        except DaemonError as error:
            if trouble != (trouble := str(error)):
                _LOG.warning(
                    "the service is not heard: %s", error, extra=event("service_not_heard")
                )
        except RuntimeError:  # the event loop has ended
            return
        time.sleep(AGAIN_S)


def listening_socket(options: WebOptions) -> socket.socket:
    """Return a socket to serve on.

    Raises:
        AddressInUse, AddressUnusable: it cannot listen there.
    """
    family = socket.AF_INET6 if ip_address(options.address).version == 6 else socket.AF_INET
    listening = BoundedSocket(family)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_PEER_MS)
        listening.bind((options.address, options.port))
        listening.listen()  # so that who is told the address can connect at once
    except OSError as error:
        listening.close()
        where = f"{options.address} port {options.port}"
        if error.errno == EADDRINUSE:
            raise AddressInUse(
                f"{where} is in use, most likely by another qrsd web: choose another, --port 0"
            ) from error
        raise AddressUnusable(f"{where} cannot be listened on: {error.strerror}") from error
    return listening
