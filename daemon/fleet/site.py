"""What a site's server knows of its devices: the newest digest of each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, StorageType, StreamConfig
from nats.js.errors import APIError

from daemon.fleet.digest import Digest
from daemon.fleet.link import Link

FETCH = 256  # digests at a time
ANSWER_S = 5.0
DAY_S = 86400
OTHERWISE = 10058  # error of NATS: there is such a stream, with another configuration
GONE_S = 30.0  # after which a device that tells each ten seconds is away


@dataclass(frozen=True, slots=True)
class Seen:
    """A device of a site."""

    device: str
    age_s: float  # how long ago it told its digest, by the server's clock
    digest: Digest | None  # None if it cannot be read

    @property
    def is_here(self) -> bool:
        """Whether it told something lately."""
        return self.age_s <= GONE_S


async def make_streams(link: Link) -> None:
    """Have the server keep digests and events, if it does not yet.

    The newest digests are in its memory, since its disk, perhaps an SD card, would be written to
    with each; they are told again soon.

    Raises:
        nats.errors.Error: it does not answer, or refuses.
    """
    digests = StreamConfig(
        name=f"DIGESTS_{link.site}",
        subjects=[link.subject("digest", "*")],
        storage=StorageType.MEMORY,
        max_msgs_per_subject=1,
        max_age=7 * DAY_S,
        num_replicas=link.replicas,
    )
    events = StreamConfig(
        name=f"EVENTS_{link.site}",
        subjects=[link.subject("event.>", "*")],
        max_age=90 * DAY_S,
        max_bytes=64 << 20,
        num_replicas=link.replicas,
    )
    for stream in (digests, events):
        try:
            await link.jetstream.add_stream(stream)
        except APIError as error:
            if error.err_code != OTHERWISE:  # somebody has changed it on purpose
                raise


async def devices_of(link: Link) -> list[Seen]:
    """Ask the server for every device of its site, by name.

    Raises:
        nats.errors.Error: it does not answer.
    """
    stream = f"DIGESTS_{link.site}"
    wanted = ConsumerConfig(
        deliver_policy=DeliverPolicy.LAST_PER_SUBJECT,
        ack_policy=AckPolicy.NONE,
        inactive_threshold=FETCH,
        mem_storage=True,
    )
    consumer = await link.jetstream.pull_subscribe(
        link.subject("digest", "*"), stream=stream, config=wanted
    )
    info = await consumer.consumer_info()
    left = info.num_pending or 0
    now = await _server_time(link, stream)
    found = []
    while left > 0:
        messages = await consumer.fetch(min(left, FETCH), timeout=ANSWER_S)
        left -= len(messages)
        for message in messages:
            age_s = max(0.0, (now - message.metadata.timestamp).total_seconds())
            found.append(Seen(message.subject.split(".")[2], age_s, _read(message.data)))
    await link.jetstream.delete_consumer(stream, info.name)
    await consumer.unsubscribe()
    return sorted(found, key=lambda seen: seen.device)


async def _server_time(link: Link, stream: str) -> datetime:
    """Ask for the time by the server's clock, since ours may be wrong."""
    answer = await link.nats.request(f"$JS.API.STREAM.INFO.{stream}", timeout=ANSWER_S)
    return datetime.fromisoformat(json.loads(answer.data)["ts"])


def _read(content: bytes) -> Digest | None:
    try:
        return Digest.from_bytes(content)
    except (ValueError, RecursionError):  # of a later qrsd, or of none
        return None
