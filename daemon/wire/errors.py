"""What can go wrong between the service and its clients."""

from __future__ import annotations

from daemon.errors import DaemonError


class MessageError(DaemonError, ValueError):
    """These bytes are not a message of this protocol."""


class AddressInUse(DaemonError, OSError):
    """Another program listens on the address already, most likely another qrsd."""


class AddressRefused(DaemonError, ValueError):
    """Others could connect to the address without a key, or it is none."""


class AddressUnusable(DaemonError, OSError):
    """The system does not let us listen on the address."""


class CommandRefused(DaemonError, ValueError):
    """The service refuses a request: it is malformed, or cannot be obeyed now.

    Args:
        message: for people.
        code: for programs; docs/protocol.md has a table of them.
    """

    code = "bad_request"

    def __init__(self, message: str, code: str = code) -> None:
        super().__init__(message)
        self.code = code


class ServiceUnavailable(DaemonError, ConnectionError):
    """The service does not answer: it is not running, or not at this address."""


class ServiceNotPermitted(ServiceUnavailable):
    """The control socket belongs to another user."""


class ServiceRefusesKey(ServiceUnavailable):
    """The service does not allow this key, or asks for one and none was given."""
