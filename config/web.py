"""Where ``qrsd web`` serves the page and the API, and by which certificate."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address


@dataclass(frozen=True, slots=True)
class WebOptions:
    """What ``qrsd web`` serves, and where."""

    #: IP address to listen on; any other than 127.0.0.1 or ::1 is reached by TLS and token only
    address: str = "127.0.0.1"
    port: int = 5280  # 0 for any that is free
    certificate: str = ""  # file with the TLS certificate, PEM; empty for one of its own
    key: str = ""  # file with the certificate's private key, PEM
    figures: str = ""  # file of `qrsd evaluate model --json` to show too; empty for none

    def __post_init__(self) -> None:
        try:
            ip_address(self.address)
        except ValueError as error:
            raise ValueError(
                f"address: {self.address!r:.80} is no IP address such as 127.0.0.1, 0.0.0.0 or ::"
            ) from error
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port: {self.port} is not between 0 and 65535")
        if bool(self.certificate) != bool(self.key):
            raise ValueError("certificate, key: give both of them, or none")

    @property
    def is_loopback(self) -> bool:
        """Whether no other machine can connect, so that no token is asked for."""
        return ip_address(self.address).is_loopback
