"""What can go wrong between the devices of a site."""

from __future__ import annotations

from daemon.errors import DaemonError


class FleetUnavailable(DaemonError, ConnectionError):
    """No server of the fleet answers, or none lets this device in."""


class ServerTooOld(DaemonError, RuntimeError):
    """The server can lose what it has acknowledged."""


class RecordRefused(DaemonError, ValueError):
    """What a device told of a person is not to be believed, or not of this site."""


class KnownPeopleDamaged(DaemonError, ValueError):
    """The file of what a device knows of its site's people is none."""


class DeviceUnreachable(DaemonError, ConnectionError):
    """A device of the site does not answer."""


class ModelRefused(DaemonError, ValueError):
    """A model was sent that this device cannot take, or that did not work here."""


class RolledBack(DaemonError):
    """A model was not taken by a device, and so taken back from all."""
