"""Shares the people of a site: whoever is enrolled, or forgotten, at one device is so at all.

Every device keeps its own gallery and decides by it alone. The servers hold a signed, sealed record
of each person. At each connection a device goes through all of them, and then follows changes; what
it does about each: ``daemon.fleet.settling``.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import nats.errors
from nats.js.kv import KeyValue

from daemon.errors import DaemonError, words_of
from daemon.fleet.buckets import Buckets
from daemon.fleet.known import KnownPeople
from daemon.fleet.link import BROKEN, Link
from daemon.fleet.local_people import Kind, LocalPeople
from daemon.fleet.record import Record, SiteKeys, utc_now
from daemon.fleet.settling import Settling
from daemon.fleet.telling import Telling
from daemon.journal import event
from daemon.wire.client import Item
from daemon.wire.messages import Received, StatusMessage

POLL_S = 10.0  # how often it is looked who is enrolled here; after an enrolment at once
STEP_S = 0.5
ANEW_S = 600.0  # after which all is gone through again, should a change have been missed

_LOG = logging.getLogger(__name__)


class SharedPeople:
    """Keeps this device's people and its site's alike.

    Args:
        site_key: of the site, 32 bytes.
        folder: for what it knows besides.
        local: asks the service.
        telling: tells the site of conflicts.
        now: returns the time.
        poll_s: how often it is looked who is enrolled here.
    """

    def __init__(
        self,
        site_key: bytes,
        folder: Path,
        local: LocalPeople,
        telling: Telling,
        *,
        now: Callable[[], datetime] = utc_now,
        poll_s: float = POLL_S,
    ) -> None:
        self._site_key = site_key
        self._folder = folder
        self._local = local
        self._telling = telling
        self._conflicts: set[tuple[str, int]] = set()  # those told: person's key, revision
        self._now = now
        self._poll_s = poll_s
        self._enrolling = False
        self._hurry = False

    def put(self, item: Item) -> None:
        """Take in what the service says: after an enrolment it is looked at once."""
        if isinstance(item, Received) and isinstance(item.message, StatusMessage):
            enrolling = item.message.enrolment is not None
            self._hurry |= self._enrolling and not enrolling
            self._enrolling = enrolling

    async def run(self, link: Link) -> None:
        """Share people while the link lasts."""
        said = ""
        while True:
            connects = link.connects
            try:
                kind, version = await asyncio.to_thread(self._local.state)
                await self._follow(link, kind, version, connects)
                said = ""
            except (*BROKEN, DaemonError) as error:
                words = words_of(error)
                if words != said:
                    what = event("people_not_shared", error=getattr(error, "code", None))
                    _LOG.warning("people are not shared now: %s", words, extra=what)
                said = words
                await asyncio.sleep(min(self._poll_s, POLL_S))

    async def _follow(self, link: Link, kind: Kind, version: str, connects: int) -> None:
        """Go through all people, and follow changes until the next connection."""
        known = KnownPeople(self._folder / ("simulated.json" if kind.simulated else "people.json"))
        buckets = await Buckets.open(link, simulated=kind.simulated)
        await buckets.register()
        keys = SiteKeys(link.credentials, self._site_key, self._now)
        settling = Settling(
            buckets, keys, known, self._local, kind, tell_conflict=self._tell_conflict
        )
        await settling.look(version)
        watcher = await buckets.people.watchall()
        try:
            while entry := await watcher.updates():
                settling.take(entry)
            began_s = time.monotonic()
            while link.connects == connects and time.monotonic() < began_s + ANEW_S:
                if not link.nats.is_connected:
                    await asyncio.sleep(STEP_S)
                    continue
                kind_now, version = await asyncio.to_thread(self._local.state)
                if kind_now != kind:
                    return
                await settling.settle(version)
                await self._wait(watcher, settling)
        finally:
            with suppress(nats.errors.Error):  # the connection may have gone with it
                await watcher.stop()

    def _tell_conflict(self, key: str, record: Record) -> None:
        """Tell once that somebody enrolled here has the name of somebody else at the site."""
        if (conflict := (key, record.header.revision)) in self._conflicts:
            return
        self._conflicts.add(conflict)
        device = record.header.by.device
        self._telling.add("conflict", person=key, enrolled_by=device)
        said = (
            "somebody enrolled here has the name of somebody else at the site, whom %s enrolled: "
            "rename one of them; see qrsd fleet people"
        )
        _LOG.warning(said, device, extra=event("people_conflict", device=device))

    async def _wait(self, watcher: KeyValue.KeyWatcher, settling: Settling) -> None:
        """Wait for changes at the site, or for the next look at who is enrolled here."""
        until_s = time.monotonic() + self._poll_s
        while time.monotonic() < until_s and not self._hurry:
            try:
                entry = await watcher.updates(timeout=min(STEP_S, self._poll_s))
            except nats.errors.TimeoutError:
                continue
            if entry is not None:
                settling.take(entry)
                until_s = min(until_s, time.monotonic() + STEP_S / 5)  # others come with it
        self._hurry = False
