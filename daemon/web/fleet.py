"""All devices of a site, where this one is in a fleet: see ``docs/fleet.md``."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from daemon.fleet.digest import Digest
from daemon.web.context import context_of
from daemon.web.routes import Route


@dataclass(frozen=True, slots=True)
class FleetDevice:
    """A device of the site."""

    device: str  # its name
    is_here: bool  # whether it told something in the last 30 s
    age_s: float  # seconds since it did
    digest: Digest | None  # how it is; null if another version of qrsd told it


@dataclass(frozen=True, slots=True)
class FleetAnswer:
    """The site that this device belongs to."""

    site: str | None  # null if it is in no fleet
    reachable: bool  # whether the site's server answers
    devices: tuple[FleetDevice, ...]  # by name; empty unless it does


async def fleet(request: Request, _: None) -> FleetAnswer:
    """Tell of the devices of the site."""
    context = context_of(request)
    options = context.loaded.settings.fleet
    if not options.servers:
        return FleetAnswer(None, False, ())
    devices = await context.site.devices()
    told = (
        FleetDevice(seen.device, seen.is_here, round(seen.age_s, 1), seen.digest)
        for seen in devices or ()
    )
    return FleetAnswer(options.site, devices is not None, tuple(told))


ROUTES = (
    Route("GET", "/fleet", fleet, "live", "Tell of all devices of the site", answer=FleetAnswer),
)
