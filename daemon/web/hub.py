"""What the service says, for many listeners: the newest values, the last ten seconds, and on.

    Subscriber (a thread) -> Hub.take -> Queue of each listener -> WebSocket or event stream

A message is packed once for all listeners, and a queue holds references only. One that is not
emptied loses its oldest waveforms, and says how many; one that is not emptied at all is ended.
"""

from __future__ import annotations

import asyncio
import json
import struct
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from daemon.wire.client import STALE_S, Item, Lost, Restarted, Silent
from daemon.wire.codec import encode
from daemon.wire.messages import (
    EcgMessage,
    HrvMessage,
    IdentityMessage,
    Received,
    RhythmMessage,
    StatusMessage,
    WaveMessage,
)

WAVEFORMS = (EcgMessage.TOPIC, WaveMessage.TOPIC)
#: What a newcomer gets the newest of.
REMEMBERED = (
    StatusMessage.TOPIC,
    IdentityMessage.TOPIC,
    RhythmMessage.TOPIC,
    HrvMessage.TOPIC,
)
RECENT_S = 10.0
MOST_EVENTS = 2000  # that are kept to be said again: some five minutes
MOST_WAVEFORMS = 400  # in a queue: twice what a newcomer gets
MOST_WAITING = 1200  # of all kinds, before a queue is ended
PATIENCE_S = 20.0  # with a listener that takes nothing


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """A message, or what the hub itself has to say, ready to be sent on."""

    topic: str
    header: bytes  # JSON as the service sent it
    payload: bytes = b""  # samples of a waveform
    id: str = ""  # boot:topic:sequence; empty for what the hub says
    at_s: float = 0.0  # when it came
    packed: bytes = field(init=False)  # as a WebSocket carries it

    def __post_init__(self) -> None:
        header = b'{"topic":"%s",%s' % (self.topic.encode(), self.header[1:])
        packed = struct.pack("<H", len(header)) + header + self.payload
        object.__setattr__(self, "packed", packed)


def notice(topic: str, **fields: object) -> Heard:
    """Return something that the hub itself has to say."""
    return Heard(topic, json.dumps(fields).encode())


class Queue:
    """What one listener has yet to get; of the event loop's thread only."""

    def __init__(self, topics: Collection[str], now_s: float) -> None:
        self.topics = frozenset(topics)
        self.ended = asyncio.Event()  # nothing comes any more
        self.is_laggard = False  # whether it ended since the listener took too little
        self._dropped = 0  # waveforms, of which the listener was not told yet
        self._waiting: deque[Heard] = deque()
        self._waveforms = 0
        self._filled = asyncio.Event()
        self._taken_s = now_s

    def put(self, heard: Heard, now_s: float) -> bool:
        """Add something; return whether an older waveform was dropped for it."""
        if not self._waiting:
            self._taken_s = now_s
        self._waiting.append(heard)
        self._filled.set()
        if len(self._waiting) > MOST_WAITING or now_s - self._taken_s > PATIENCE_S:
            self.is_laggard = True
            self.end()
        if heard.topic not in WAVEFORMS:
            return False
        self._waveforms += 1
        if self._waveforms <= MOST_WAVEFORMS:
            return False
        oldest = next(i for i, each in enumerate(self._waiting) if each.topic in WAVEFORMS)
        del self._waiting[oldest]
        self._waveforms -= 1
        self._dropped += 1
        return True

    def end(self) -> None:
        """Let ``get`` return, and always None."""
        self.ended.set()
        self._filled.set()

    async def get(self, now: Callable[[], float] = time.monotonic) -> Heard | None:
        """Wait for the next to send, None at the end; a word on what was dropped comes before."""
        await self._filled.wait()
        if self.ended.is_set():
            return None
        self._taken_s = now()
        if self._dropped:
            told, self._dropped = notice("dropped", count=self._dropped), 0
            return told
        heard = self._waiting.popleft()
        self._waveforms -= heard.topic in WAVEFORMS
        if not self._waiting:
            self._filled.clear()
        return heard


class Hub:
    """Takes what the service says, and hands it to the queues of listeners.

    Attributes:
        newest: the last message of each topic of this run of the service.
        dropped: waveforms that slow listeners did not get.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self.newest: dict[str, Heard] = {}
        self.dropped = 0
        self._recent: deque[Heard] = deque()
        self._events: deque[Heard] = deque(maxlen=MOST_EVENTS)
        self._queues: set[Queue] = set()
        self._heard_s: float | None = None

    @property
    def listeners(self) -> int:
        """How many there are."""
        return len(self._queues)

    @property
    def silent_s(self) -> float | None:
        """Seconds since the service said something; None if it never did."""
        return None if self._heard_s is None else self._now() - self._heard_s

    @property
    def is_stale(self) -> bool:
        """Whether what was heard last is not true any more."""
        return self.silent_s is None or self.silent_s > STALE_S

    def take(self, item: Item) -> None:
        """Take what a subscriber heard, or missed."""
        match item:
            case Received():
                self._keep(item)
            case Silent(seconds=seconds) if seconds >= STALE_S:
                self._hand_out(notice("silent", seconds=seconds))
            case Restarted(boot=boot):
                self.newest.clear()
                self._recent.clear()
                self._hand_out(notice("restarted", boot=boot))
            case Lost(topic=topic, count=count):
                self._hand_out(notice("lost", of=topic, count=count))

    def _keep(self, received: Received) -> None:
        now_s = self._now()
        topic, header, *payload = encode(received.stamp, received.message)
        stamp = received.stamp
        heard = Heard(
            topic.decode(),
            header,
            b"".join(payload),
            f"{stamp.boot}:{topic.decode()}:{stamp.sequence}",
            now_s,
        )
        self._heard_s = now_s
        self.newest[heard.topic] = heard
        self._recent.append(heard)
        while self._recent[0].at_s < now_s - RECENT_S:
            self._recent.popleft()
        if heard.topic not in WAVEFORMS:
            self._events.append(heard)
        self._hand_out(heard)

    def _hand_out(self, heard: Heard) -> None:
        now_s = self._now()
        gone = []
        for queue in self._queues:
            if heard.topic in queue.topics or not heard.id:
                self.dropped += queue.put(heard, now_s)
                if queue.ended.is_set():
                    gone.append(queue)
        self._queues.difference_update(gone)

    def join(self, topics: Collection[str], first: Iterable[Heard]) -> Queue:
        """Return a queue that gets ``first``, and then what comes; to be left at the end."""
        queue = Queue(topics, self._now())
        for heard in first:
            queue.put(heard, self._now())
        self._queues.add(queue)
        return queue

    def leave(self, queue: Queue) -> None:
        """Hand nothing out to a queue any more."""
        self._queues.discard(queue)

    def close(self) -> None:
        """End all queues."""
        for queue in self._queues:
            queue.end()
        self._queues.clear()

    def welcome(self, topics: Collection[str]) -> list[Heard]:
        """Return the newest of each state that a newcomer asks for."""
        wanted = [self.newest.get(topic) for topic in REMEMBERED if topic in topics]
        return [heard for heard in wanted if heard]

    def recent(self, topics: Collection[str]) -> list[Heard]:
        """Return the last ten seconds of what has no state."""
        wanted = set(topics) - set(REMEMBERED)
        return [heard for heard in self._recent if heard.topic in wanted]

    def since(self, last_id: str, topics: Collection[str]) -> list[Heard]:
        """Return the events after one that a listener had last, as far as they are kept."""
        events = list(self._events)
        ids = [heard.id for heard in events]
        boot = last_id.partition(":")[0]
        if not any(each.startswith(f"{boot}:") for each in ids):
            return [notice("restarted", boot=self._boot()), *self.welcome(topics)]
        missed: list[Heard] = []
        if last_id in ids:
            events = events[ids.index(last_id) + 1 :]
        else:
            missed = [notice("lost", of=None, count=None)]
        return missed + [heard for heard in events if heard.topic in topics]

    def _boot(self) -> str | None:
        newest = next(iter(self.newest.values()), None)
        return newest.id.partition(":")[0] if newest else None
