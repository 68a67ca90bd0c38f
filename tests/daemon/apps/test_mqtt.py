"""What waits for a broker that is slow or away."""

from __future__ import annotations

import asyncio

from daemon.apps.home_assistant import Publication
from daemon.apps.mqtt import MOST_WAITING, Waiting


def all_of(waiting: Waiting, count: int) -> list[str]:
    async def get() -> list[str]:
        return [(await waiting.get()).payload for _ in range(count)]

    return asyncio.run(asyncio.wait_for(get(), 5))


def test_of_states_only_the_newest_is_told_and_events_come_first() -> None:
    waiting = Waiting()
    for number in range(3):
        waiting.put(Publication("state", f"state {number}", is_state=True))
        waiting.put(Publication("event", f"event {number}"))

    assert all_of(waiting, 4) == ["event 0", "event 1", "event 2", "state 2"]
    assert waiting.dropped == 0


def test_the_oldest_events_give_way_and_are_counted() -> None:
    waiting = Waiting()
    for number in range(MOST_WAITING + 3):
        waiting.put(Publication("event", str(number)))

    assert all_of(waiting, MOST_WAITING) == [str(number) for number in range(3, MOST_WAITING + 3)]
    assert waiting.dropped == 3
