"""Work that somebody waits for only so long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

END_S = 4.0  # for tasks to end, before they are cancelled again

Result = TypeVar("Result")


def started(work: Callable[[], Result]) -> Future[Result]:
    """Do some work in a thread, which may be left alone if it takes too long.

    What speaks to a server limits how long each read takes, which one that sends byte after byte
    never exceeds.
    """
    done: Future[Result] = Future()
    done.set_running_or_notify_cancel()  # whoever waits no more does not cancel it

    def run() -> None:
        try:
            done.set_result(work())
        except Exception as error:
            done.set_exception(error)

    Thread(target=run, daemon=True).start()
    return done


async def end(*tasks: asyncio.Task[None], patience_s: float = END_S) -> None:
    """Cancel tasks until they end, again after so many seconds.

    Once may not be enough: ``asyncio.wait_for`` of Python 3.11, which aiomqtt and nats-py wait by,
    swallows what cancels it at the moment in which it is done. What they failed with is dropped.
    """
    while going := [task for task in tasks if not task.done()]:
        for task in going:
            task.cancel()
        await asyncio.wait(going, timeout=patience_s)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # else asyncio logs it, with a traceback
