"""The MQTT broker that ``qrsd bridge mqtt`` brings the service's words to."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from typing import Literal

from config.credential import PASSWORD, check_place, read_credential
from config.web_address import HOST, trusting

#: A level of a topic: without what separates levels and stands for several.
LEVEL = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class MqttOptions:
    """A broker, and what it may be told."""

    host: str = ""  # of the broker; empty: nothing is told to any
    port: int = 8883  # 8883 with TLS, 1883 without as a rule
    #: ``tls``, or ``none``: then figures and password can be read on the way
    tls: Literal["tls", "none"] = "tls"
    authority: str = ""  # file with the certificate that vouches for it; empty: the system's
    user: str = ""  # whom it knows us as; empty to come without
    password: str = ""  # file, or $NAME of the variable, with the password
    discovery: str = "homeassistant"  # where Home Assistant looks for devices
    every_s: float = 5.0  # figures are told at most so often; what changes is told at once
    names: bool = False  # whether it is told who is recognised: Home Assistant keeps a history
    control: bool = False  # whether who may write to the broker may record and enrol

    def __post_init__(self) -> None:
        if self.host and not HOST.fullmatch(self.host):
            raise ValueError(f"host: {self.host!r:.80} is not a name such as homeassistant.local")
        if not 1 <= self.port <= 65535:
            raise ValueError(f"port: {self.port} is not between 1 and 65535")
        if self.authority and self.tls == "none":
            raise ValueError("authority: without tls nobody asks for a certificate")
        check_place("password", self.password, "$MQTT_PASSWORD")
        if bool(self.user) != bool(self.password):
            raise ValueError("user, password: give both of them, or none")
        if not LEVEL.fullmatch(self.discovery):
            raise ValueError(f"discovery: {self.discovery!r:.80} is not such as homeassistant")
        if not 1 <= self.every_s <= 3600:
            raise ValueError(f"every_s: {self.every_s} is not between 1 and 3600")

    def read_password(self) -> str | None:
        """Return the password, None if there is none.

        Raises:
            KeysError: there should be one, and it cannot be had.
        """
        kind = "a password, which is one line of ASCII"
        return read_credential("mqtt.password", self.password, PASSWORD, kind)

    def tls_context(self) -> ssl.SSLContext | None:
        """Return how the broker has to prove who it is; None without TLS.

        Raises:
            SettingInvalid: the file of ``authority`` cannot be read.
        """
        return trusting("mqtt.authority", self.authority) if self.tls == "tls" else None
