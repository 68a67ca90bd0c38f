"""The connection to the servers of a site, which comes back by itself for as long as it takes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import nats.errors
from nats.aio.client import Client
from nats.js.api import KeyValueConfig
from nats.js.client import JetStreamContext
from nats.js.errors import BucketNotFoundError
from nats.js.kv import KeyValue

from config.errors import SettingInvalid
from config.fleet import FleetOptions
from daemon.errors import words_of
from daemon.fleet.credentials import Credentials
from daemon.fleet.errors import FleetUnavailable, ServerTooOld
from daemon.journal import event

OLDEST_SERVER = (2, 10, 20)  # earlier ones lack sync_interval: always, or lose by its defects
PAUSE_S = 2  # between attempts
PING_S, PINGS = 10, 2  # a server that is silent for so long is away

#: What an attempt to send or to ask may fail with. asyncio's TLS has an AttributeError of its own,
#: in the moment after a connection broke.
BROKEN = (nats.errors.Error, OSError, TimeoutError, AttributeError)

_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Link:
    """A connection to the servers of a site.

    Attributes:
        credentials: who this device is.
        replicas: how many servers should hold everything.
        nats: for messages, which nobody keeps.
        jetstream: for what is kept.
        connects: how often the servers were reached; it may have another past each time.
        closed: set once it does not come back any more.
    """

    credentials: Credentials
    replicas: int
    nats: Client = field(default_factory=Client)
    connects: int = 0
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    _said: set[str] = field(default_factory=set)

    @property
    def jetstream(self) -> JetStreamContext:
        """Streams, and buckets of keys."""
        return self.nats.jetstream()

    @property
    def site(self) -> str:
        """Name of the site."""
        return self.credentials.site

    @property
    def device(self) -> str:
        """Name of this device at the site."""
        return self.credentials.device

    def subject(self, what: str, device: str = "") -> str:
        """Return where a device tells or is asked something: this one, or as named; * for each."""
        return f"qrsd.{self.site}.{device or self.device}.{what}"

    async def bucket(self, name: str) -> KeyValue:
        """Return a bucket of the site, which is made if it is not there."""
        try:
            return await self.jetstream.key_value(name)
        except BucketNotFoundError:
            config = KeyValueConfig(bucket=name, history=1, replicas=self.replicas)
            return await self.jetstream.create_key_value(config)

    async def connect(self, options: FleetOptions) -> None:
        """Connect, however long it takes.

        Raises:
            ServerTooOld: the server may lose what it acknowledges.
        """
        await self.nats.connect(
            list(options.servers),
            name=f"qrsd {self.device}",
            nkeys_seed_str=self.credentials.seed,
            tls=options.tls,
            tls_handshake_first=options.tls is not None,
            inbox_prefix=f"_INBOX_{self.device}",
            max_reconnect_attempts=-1,
            reconnect_time_wait=PAUSE_S,
            ping_interval=PING_S,
            max_outstanding_pings=PINGS,
            error_cb=self._failed,
            reconnected_cb=self._connected,
            closed_cb=self._closed,
        )
        version = self.nats.connected_server_version
        found = (version.major, version.minor, version.patch)
        if found < OLDEST_SERVER:
            numbers, oldest = (".".join(map(str, each)) for each in (found, OLDEST_SERVER))
            raise ServerTooOld(
                f"nats-server {numbers} can lose what it has acknowledged: {oldest} or newer is "
                "needed, with sync_interval: always (Debian 13 has one; docs/fleet.md)"
            )
        await self._connected()

    async def _connected(self) -> None:
        self.connects += 1
        self._said.clear()
        where = self.nats.connected_url.netloc if self.nats.connected_url else "?"
        _LOG.info("connected to %s", where, extra=event("fleet_connected"))

    async def _failed(self, error: Exception) -> None:
        """Say what is wrong, the same only once until it works again."""
        words = words_of(error)
        if "authorization violation" in words.lower():
            words = f"{self.device} is not let in: it may have been shut out"
        if words not in self._said:
            self._said.add(words)
            _LOG.warning("the fleet: %s", words, extra=event("fleet_fails"))

    async def _closed(self) -> None:
        self.closed.set()


@asynccontextmanager
async def linked(options: FleetOptions, patience_s: float | None = None) -> AsyncIterator[Link]:
    """Connect to the servers of the site, and disconnect afterwards.

    Args:
        options: which, and with whose credentials.
        patience_s: how long to try; None for ever.

    Raises:
        KeysError, SettingInvalid: the credentials cannot be had, or are for another site.
        FleetUnavailable: no server could be reached.
        ServerTooOld: it may lose what it acknowledges.
    """
    credentials = Credentials.from_text(options.read_credentials())
    if credentials.site != options.site:
        raise SettingInvalid(
            f"fleet.site: it is {options.site!r}, and the credentials are of {credentials.site!r}"
        )
    link = Link(credentials, options.replicas)
    # asyncio says of each connection that ends that nats-py's answer to it has no effect.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    try:
        await asyncio.wait_for(link.connect(options), patience_s)
        yield link
    except TimeoutError as error:
        if link.connects:
            raise
        raise FleetUnavailable(
            f"no server of the fleet answers, or lets {link.device} in: "
            f"{', '.join(options.servers)}; see docs/fleet.md, When it does not connect"
        ) from error
    finally:
        closing = asyncio.create_task(link.nats.close())
        closing.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.wait({closing}, timeout=PAUSE_S)  # it may be a dead one
