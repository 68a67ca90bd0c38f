"""Work in a thread goes on when nobody waits for it any more, and ends without a word."""

from __future__ import annotations

import asyncio
from threading import Event

from daemon.background import started
from tests.daemon.background import wait_for


def test_work_that_is_waited_for_no_more_ends_by_itself() -> None:
    going_on = Event()
    work = started(going_on.wait)  # an error in its thread would fail the test

    async def give_up() -> None:
        waiting = asyncio.wrap_future(work)
        waiting.cancel()
        await asyncio.sleep(0)

    asyncio.run(give_up())
    going_on.set()
    wait_for(work.done)
    assert work.result()
