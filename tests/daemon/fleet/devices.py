"""Devices of a site: each a service's people on a control socket, and what shares them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any

import zmq
from numpy.typing import NDArray

from config.fleet import FleetOptions
from daemon.fleet.app import work_for_site
from daemon.fleet.local_people import LocalPeople
from daemon.fleet.people import SharedPeople
from daemon.fleet.telling import Telling
from daemon.service.people_commands import PeopleCommands
from daemon.wire.answers import Description
from daemon.wire.control import ControlServer
from daemon.wire.messages import KINDS, SCHEMA
from daemon.wire.status import ModelStatus
from model.gallery import Gallery
from model.passport import Passport
from model.recogniser import Recogniser, embed_with
from model.template import Template
from tests.daemon.frames import ADA, fake_network
from tests.model.models import embedder

POLL_S = 0.2
PATIENCE_S = 40.0


class Device:
    """A device whose people are changed as ``qrsd people`` does it, without its service.

    Args:
        folder: of its gallery, its sockets and what it knows.
        name: at the site.
        options: of the fleet.
        key: that seals its gallery.
        off: how far its clock is off.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        options: FleetOptions,
        key: bytes | None = None,
        off: timedelta = timedelta(),
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.name, self.options, self.key, self.off = folder, name, options, key, off
        self.model = embedder(folder)
        self.passport = Passport.load(self.model)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.off

    @property
    def gallery(self) -> Gallery:
        return Gallery(self.folder / "gallery.sqlite", key=self.key)

    def enrol(self, person: str, embedding: NDArray = ADA, model: str | None = None) -> None:
        sha256 = model or self.passport.sha256
        made = self.now().isoformat(timespec="seconds")
        with self.gallery as gallery:
            template = Template(person, embedding, 16, made, sha256, "simulated")
            gallery.enrol(gallery.turned(template), consent_utc=made)

    def forget(self, person: str) -> None:
        with self.gallery as gallery:
            gallery.forget(person)

    def people(self) -> dict[str, int]:
        """Return who is enrolled, with how many templates."""
        with self.gallery as gallery:
            return {person.name: len(person.templates) for person in gallery.people()}

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Answer on a control socket as the service does."""
        ready, stop = Event(), Event()
        thread = Thread(target=self._serve, args=(ready, stop))
        thread.start()
        assert ready.wait(PATIENCE_S)
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _serve(self, ready: Event, stop: Event) -> None:
        status = ModelStatus("test", "embedder", self.passport.sha256, "none", self.key is not None)
        recogniser = Recogniser(self.passport, embed_with(fake_network(self.model).as_network()))
        with self.gallery as gallery, zmq.Context() as context:
            desk = PeopleCommands(
                gallery, self.passport, recogniser, "simulated", lambda: self.now().isoformat()
            )
            described = ("0", self.name, "simulated", SCHEMA, tuple(KINDS), None, status)
            commands = {
                **desk.commands,
                "describe": lambda: Description(*described, desk.version),
            }
            with ControlServer(context, f"ipc://{self.folder}/control.ipc", commands) as control:
                ready.set()
                while not stop.is_set():
                    desk.refresh()
                    if control.socket.poll(50):
                        control.answer()

    def sharing(self) -> SharedPeople:
        return SharedPeople(
            self.options.read_site_key(),
            self.folder / "fleet",
            LocalPeople(lambda: f"ipc://{self.folder}/control.ipc"),
            Telling("0"),
            now=self.now,
            poll_s=POLL_S,
        )

    @asynccontextmanager
    async def online(self) -> AsyncIterator[None]:
        """Be of the site, until the end of the block."""
        with self.serving():
            task = asyncio.create_task(work_for_site(self.options, [self.sharing().run]))
            try:
                yield
            finally:
                for _ in range(5):  # once may not be enough: daemon.background.end
                    task.cancel()
                    await asyncio.wait({task}, timeout=5)
                    if task.done():
                        break
                assert task.cancelled(), waits_for(task)


async def until(condition: Callable[[], bool]) -> None:
    """Return once a condition holds."""
    end_s = monotonic() + PATIENCE_S
    while not condition():
        assert monotonic() < end_s, f"not within {PATIENCE_S} s"
        await asyncio.sleep(0.05)


def waits_for(task: asyncio.Task[None]) -> list[str]:
    """Return where a task stands, line by line of what it awaits."""
    lines = []
    at: Any = task.get_coro()
    while at is not None and getattr(at, "cr_frame", None):
        lines.append(f"{at.cr_frame.f_code.co_filename}:{at.cr_frame.f_lineno}")
        at = at.cr_await
    return lines
