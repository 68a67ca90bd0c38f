"""The connection to the server of the site, for all who look at the site's devices."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from config.errors import KeysError, SettingsError
from config.fleet import FleetOptions
from daemon.errors import DaemonError, import_extra
from daemon.journal import event

if TYPE_CHECKING:
    from daemon.fleet.link import Link
    from daemon.fleet.site import Seen

FRESH_S = 5.0  # for which an answer of the site's server serves everybody
AGAIN_S = 30.0  # after what went wrong

_LOG = logging.getLogger(__name__)


class SiteView:
    """Keeps the connection to the site's server, and asks it for those who look.

    Args:
        options: the ``fleet`` section of the settings.
    """

    def __init__(self, options: FleetOptions) -> None:
        self._options = options
        self._link: Link | None = None
        self._asking = asyncio.Lock()
        self._devices: list[Seen] | None = None
        self._asked_s = float("-inf")

    async def run(self) -> None:
        """Stay connected until cancelled, if the device is in a fleet."""
        while self._options.servers:
            try:
                import_extra("nats", "fleet", "The page's view of the site")
                from daemon.fleet.link import linked

                async with linked(self._options) as self._link:
                    await self._link.closed.wait()
            except (DaemonError, SettingsError, KeysError) as error:
                said = event("fleet_unreachable", error=type(error).__name__)
                _LOG.warning("the site is not shown: %s", error, extra=said)
            finally:
                self._link = None
            await asyncio.sleep(AGAIN_S)

    async def devices(self) -> list[Seen] | None:
        """Return the site's devices, None if its server does not answer."""
        async with self._asking:
            if time.monotonic() - self._asked_s >= FRESH_S:
                self._devices = await self._ask()
                self._asked_s = time.monotonic()
        return self._devices

    async def _ask(self) -> list[Seen] | None:
        if self._link is None or not self._link.nats.is_connected:
            return None
        from daemon.fleet.link import BROKEN
        from daemon.fleet.site import devices_of

        try:
            return await devices_of(self._link)
        except BROKEN:
            return None
