"""The fleet that commands work for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from config.errors import SettingInvalid
from config.fleet import FleetOptions
from daemon.errors import DaemonError, import_extra, words_of
from daemon.fleet.errors import FleetUnavailable

if TYPE_CHECKING:
    from daemon.fleet.link import Link

PATIENCE_S = 10.0  # for the servers to let us in

Answer = TypeVar("Answer")


def fleet_options(options: FleetOptions, purpose: str) -> FleetOptions:
    """Return the settings, if this device is of a fleet and can be.

    Raises:
        SettingInvalid: it is of none.
        ExtraMissing: a package is not installed.
    """
    if not options.servers:
        raise SettingInvalid(
            "fleet.servers: none is set, so this device is of no fleet: docs/fleet.md tells it "
            "from the beginning"
        )
    for package in ("nats", "nkeys"):
        import_extra(package, "fleet", purpose)
    return options


def ask_site(options: FleetOptions, question: Callable[[Link], Awaitable[Answer]]) -> Answer:
    """Connect to the site's servers, ask, and disconnect.

    Raises:
        KeysError, SettingInvalid: the credentials cannot be had, or are for another site.
        FleetUnavailable: the servers do not answer, or refuse what is asked.
        DaemonError, ModelError: as the question raises them.
    """
    from daemon.fleet.link import BROKEN, linked

    async def ask() -> Answer:
        async with linked(options, PATIENCE_S) as link:
            try:
                return await question(link)
            except DaemonError:
                raise
            except BROKEN as error:
                raise FleetUnavailable(
                    f"{options.site}: its servers do not do what is asked ({words_of(error)}); see "
                    "docs/fleet.md, When it does not connect"
                ) from error

    return asyncio.run(ask())
