"""The fleet that commands work for."""

from __future__ import annotations

from config.errors import SettingInvalid
from config.fleet import FleetOptions
from daemon.errors import import_extra


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
