"""What can go wrong between the service and its clients.

DaemonError
├── MessageError (ValueError)            bytes that are no message of this protocol
├── CommandRefused (ValueError)          a request that the service cannot or will not obey
├── AddressInUse (OSError)               somebody else publishes there already
├── AddressRefused (ValueError)          an address that would let the whole network listen
├── AddressUnusable (OSError)            an address that cannot be bound
└── ServiceUnavailable (ConnectionError) nobody answers on the control socket
    ├── ServiceNotPermitted              ... or it is not ours to ask
    └── ServiceRefusesKey                ... or it answers only those whose key it knows
"""

from __future__ import annotations

from daemon.errors import DaemonError


class MessageError(DaemonError, ValueError):
    """These bytes are not a message of this protocol."""


class AddressInUse(DaemonError, OSError):
    """The address is taken, most likely by another qrsd."""


class AddressRefused(DaemonError, ValueError):
    """The address is open to the network, and there are no keys to encrypt messages with."""


class AddressUnusable(DaemonError, OSError):
    """The address cannot be bound."""


class CommandRefused(DaemonError, ValueError):
    """A request is malformed, or cannot be obeyed now.

    Args:
        message: for people.
        code: for programs; docs/protocol.md has a table of them.
    """

    code = "bad_request"

    def __init__(self, message: str, code: str = code) -> None:
        super().__init__(message)
        self.code = code


class ServiceUnavailable(DaemonError, ConnectionError):
    """Nobody answers: the service is not running, or is somewhere else."""


class ServiceNotPermitted(ServiceUnavailable):
    """The control socket belongs to another user."""


class ServiceRefusesKey(ServiceUnavailable):
    """The service answers only those whose key it knows, and it does not know this one."""
