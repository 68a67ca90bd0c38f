"""What a device does for its site, over and over, for as long as it takes."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeAlias

import nats.errors

from config.fleet import FleetOptions
from daemon.background import end
from daemon.errors import words_of
from daemon.fleet.link import BROKEN, Link, linked
from daemon.journal import event

PAUSE_S = 5.0  # between connections; a connection that breaks comes back by itself

_LOG = logging.getLogger(__name__)

Work: TypeAlias = Callable[[Link], Coroutine[Any, Any, None]]


async def work_for_site(options: FleetOptions, works: Iterable[Work]) -> None:
    """Connect and do all the works side by side, anew whenever one of them fails.

    Raises:
        ServerTooOld, KeysError, SettingsError: it will not get better by itself.
    """
    while True:
        try:
            async with linked(options) as link:
                await _side_by_side([work(link) for work in (*works, _until_closed)])
        except* BROKEN as group:
            error = _first(group)
            words = words_of(error)
            what = event("fleet_fails")
            _LOG.warning("the fleet: %s; it is tried again", words, extra=what)
        await asyncio.sleep(random.uniform(PAUSE_S / 2, PAUSE_S))  # not all devices at once


async def _side_by_side(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do all until one ends or fails: a TaskGroup cancels the others once, which some survive."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(*tasks)
    for task in done:
        task.result()


async def _until_closed(link: Link) -> None:
    await link.closed.wait()
    raise nats.errors.ConnectionClosedError


def _first(group: BaseExceptionGroup[Exception]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
