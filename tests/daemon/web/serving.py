"""A web server on a port of its own, beside a made-up service that says what a test has it say."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import zmq

from config.folders import web_folder
from config.settings import Loaded, Settings
from config.web import WebOptions
from daemon.web.context import Socket
from daemon.web.exposure import exposure_of
from daemon.web.server import Server, Sockets, listening_socket
from daemon.wire.control import Command, ControlServer
from daemon.wire.messages import (
    KINDS,
    Breathing,
    EcgMessage,
    EpisodeOnWire,
    HrvMessage,
    IdentityMessage,
    Message,
    RhythmMessage,
    StatusMessage,
)
from daemon.wire.publisher import Publisher
from daemon.wire.status import StatusCounters
from tests.daemon.background import wait_for

BEGIN = datetime(2026, 11, 28, 10, 0, tzinfo=UTC)
SOON_S = 10.0
START_S = 60.0  # of the service, which loads the model, where others keep the processor busy


def status(index: int = 0) -> StatusMessage:
    nothing = (None,) * 5
    counters = StatusCounters()
    return StatusMessage(
        index, "running", "on", 60.0, 0.9, None, counters, *nothing, clock="set"
    )  # fmt: skip


def identity(index: int = 0, person: str | None = "Ada") -> IdentityMessage:
    state = "accepted" if person else "unknown"
    return IdentityMessage(index, state, person, 0.99, 9)


def ecg(index: int = 0, count: int = 25) -> EcgMessage:
    return EcgMessage(index, 250.0, tuple(0.25 * (index + i) for i in range(count)))


def hrv(index: int = 0) -> HrvMessage:
    figures = (20.0, 25, 0.0, "too_short", 800.0, *(None,) * 12)
    breathing = Breathing(14.2, 0.8)
    return HrvMessage(index, *figures, breathing, Breathing(None, None), breathing, breathing)


def rhythm(index: int = 0) -> RhythmMessage:
    return RhythmMessage(index, "sinus", 61.0, 0.01, (EpisodeOnWire("pause", 500, None),))


@dataclass
class Serving:
    """A running server, and the made-up service that it listens to."""

    url: str  # of the page
    server: Server
    publisher: Publisher

    def client(self) -> httpx.Client:
        """Return a client of the API."""
        return httpx.Client(base_url=f"{self.url}api/v1", timeout=SOON_S)

    def say(self, *messages: Message) -> None:
        """Publish, and wait until the server has heard all of it."""
        for message in messages:
            at_s = (message.index or 0) / 250
            self.publisher.publish(message, BEGIN + timedelta(seconds=at_s))
            wanted = message
            wait_for(lambda wanted=wanted: self._has_heard(wanted), SOON_S)  # type: ignore[misc]

    def _has_heard(self, message: Message) -> bool:
        heard = self.server.hub.newest.get(message.TOPIC)
        return heard is not None and json.loads(heard.header)["index"] == message.index


@contextmanager
def serving(
    folder: Path,
    commands: AbstractContextManager[Mapping[str, Command]] | None = None,
    settings: Settings | None = None,
    web: WebOptions | None = None,
) -> Iterator[Serving]:
    """Serve; the service answers ``commands``, entered in its thread, or is not there at all."""
    settings = replace(settings or Settings(), web=web or WebOptions(port=0))
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    publisher = Publisher(context, ["tcp://127.0.0.1:*"], "bench", "simulated")
    control = f"ipc://{folder}/control.ipc"
    ended = threading.Event()
    threads = []
    if commands is not None:
        work = (context, control, commands, ended)
        threads.append(threading.Thread(target=_answer, args=work))
    sockets = Sockets(Socket(publisher.addresses[0]), Socket(control))
    listening = listening_socket(settings.web)
    port = listening.getsockname()[1]
    exposure = replace(exposure_of(settings.web, web_folder()), port=port)
    server = Server(Loaded(settings, {}), sockets, exposure)
    told: list[str] = []
    threads.append(threading.Thread(target=_run, args=(server, listening, told.append)))
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: server.started, SOON_S)
        wait_for(lambda: commands is None or (folder / "control.ipc").exists(), START_S)
        missing = len(KINDS)
        while missing:
            missing -= _subscriptions(publisher)
            time.sleep(0.005)
        yield Serving(told[0].split()[0], server, publisher)
    finally:
        server.should_exit = True
        ended.set()
        for thread in threads:
            thread.join()
        publisher.close()
        context.destroy(linger=0)


def _run(server: Server, listening: Any, told: Callable[[str], None]) -> None:
    asyncio.run(server.run_on(listening, told))


def _answer(
    context: zmq.Context[zmq.Socket[bytes]],
    address: str,
    commands: AbstractContextManager[Mapping[str, Command]],
    ended: threading.Event,
) -> None:
    with commands as known, ControlServer(context, address, known) as answering:
        while not ended.is_set():
            if answering.socket.poll(20):
                answering.answer()
            answering.keep_promises()


def _subscriptions(publisher: Publisher) -> int:
    """Return how many topics the server has subscribed to since it was asked last."""
    found = 0
    while publisher.socket.poll(0):
        publisher.socket.recv()
        found += 1
    return found
