"""What ``qrsd notify`` tells of, when, and in which ways."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import Literal, TypeAlias

from config.credential import PASSWORD, check_place, read_credential
from config.errors import KeysError
from config.secret_file import read_private
from config.web_address import HOST, check_url, host_of, is_loopback
from dsp.options import EpisodeKind

#: Episodes that are alarms of the service's, and what the notifier notices by itself.
NotificationKind: TypeAlias = Literal[
    EpisodeKind, "electrodes_off", "nothing_measured", "device_trouble", "recognised", "stranger"
]
WHO = ("recognised", "stranger")  # told only where ``kinds`` names them: somebody comes each day

HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*: ?[!-~][ -~]*")
ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w.-]+", re.A)
QUIET = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.A)


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """A server that takes notifications by HTTP, as JSON."""

    url: str = ""  # where they are posted to; empty: nowhere
    #: file, or $NAME of the variable, with a header by which the server knows us, such as
    #: ``Authorization: Bearer SECRET``; empty for none
    header: str = ""

    def __post_init__(self) -> None:
        if self.url:
            check_url(self.url, "https://example.org/qrsd or http://127.0.0.1:8123/api/webhook/a")
        check_place("header", self.header, "$WEBHOOK_HEADER")

    @property
    def host(self) -> str:
        """Return host and port."""
        return host_of(self.url)

    def read_header(self) -> tuple[str, str] | None:
        """Return the name and value of the header, None if there is none.

        Raises:
            KeysError: there should be one, and it cannot be had.
        """
        kind = "a header such as Authorization: Bearer SECRET"
        text = read_credential("notify.webhook.header", self.header, HEADER, kind)
        if text is None:
            return None
        name, _, value = text.partition(":")
        return name, value.strip()


@dataclass(frozen=True, slots=True)
class EmailOptions:
    """A mail server that takes messages to send on, and from whom to whom they are."""

    server: str = ""  # its name; empty: no mail is sent
    port: int = 587  # 587 for starttls, 465 for tls as a rule
    #: ``starttls``, ``tls`` from the first byte, or ``none``, to a server on this machine only
    tls: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""  # whom the server knows us as; empty to send without
    password: str = ""  # file, or $NAME of the variable, with the password
    sender: str = ""  # address that the messages are from
    to: tuple[str, ...] = ()  # addresses that they are to

    def __post_init__(self) -> None:
        check_place("password", self.password, "$SMTP_PASSWORD")
        if not 1 <= self.port <= 65535:
            raise ValueError(f"port: {self.port} is not between 1 and 65535")
        if not self.server:
            return
        if not HOST.fullmatch(self.server):
            raise ValueError(f"server: {self.server!r:.80} is not a name such as smtp.example.org")
        if self.tls == "none" and not is_loopback(self.server):
            raise ValueError(
                f"tls: without it, all can be read on the way to {self.server}; none is for a "
                "server on this machine alone (127.0.0.1, ::1, localhost)"
            )
        if bool(self.user) != bool(self.password):
            raise ValueError("user, password: give both of them, or none")
        if not self.to:
            raise ValueError("to: there is nobody to send to")
        for name, address in (("sender", self.sender), *(("to", each) for each in self.to)):
            if not ADDRESS.fullmatch(address):
                raise ValueError(f"{name}: {address!r:.80} is not such as ada@example.org")

    def read_password(self) -> str | None:
        """Return the password, None if there is none.

        Raises:
            KeysError: there should be one, and it cannot be had.
        """
        kind = "a password, which is one line of ASCII"
        return read_credential("notify.email.password", self.password, PASSWORD, kind)


@dataclass(frozen=True, slots=True)
class NotifyOptions:
    """What ``qrsd notify`` sends."""

    kinds: tuple[NotificationKind, ...] = ()  # what to tell of; empty for all but who it is
    electrodes_off_s: float | None = 300.0  # off for longer, after they were on; None: never
    nothing_measured_s: float | None = 60.0  # service or chip silent for longer; None: never
    every_s: float = 600.0  # of each kind one at most in so long
    hourly: int = 20  # of all kinds together so many at most in an hour
    quiet: str = ""  # local time without notifications, such as 22:00-07:00; empty for none
    #: kinds that are told of in quiet hours, and when the hour's number is used up
    always: tuple[NotificationKind, ...] = ()
    names: bool = False  # whether it is told who was recognised then
    webhook: WebhookOptions = field(default_factory=WebhookOptions)  # by HTTP
    email: EmailOptions = field(default_factory=EmailOptions)  # by SMTP
    apprise: str = ""  # file of URLs of the package apprise, one a line; empty for none

    def __post_init__(self) -> None:
        for name, least, most in (
            ("electrodes_off_s", 1, 86400),
            ("nothing_measured_s", 5, 86400),
            ("every_s", 0, 86400),
            ("hourly", 1, 1000),
        ):
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise ValueError(f"{name}: {value} is not between {least} and {most}")
        if self.quiet and not QUIET.fullmatch(self.quiet):
            raise ValueError(f"quiet: {self.quiet!r:.80} is not such as 22:00-07:00")
        if self.apprise and not self.apprise.startswith(("/", "~")):
            raise ValueError(  # without the value, which may be a URL with a secret in it
                "apprise: not a file, such as /etc/qrsd/apprise.urls; the URLs themselves do not "
                "belong here"
            )

    def is_quiet(self, now: time) -> bool:
        """Tell whether a local time is among the quiet hours."""
        found = QUIET.fullmatch(self.quiet)
        if not found:
            return False
        begin, end = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
        return begin <= now < end if begin <= end else now >= begin or now < end

    @property
    def asks_who(self) -> bool:
        """Whether anything is told of who it is."""
        return self.names or any(kind in self.kinds for kind in WHO)

    def tells(self, kind: str) -> bool:
        """Tell whether a kind is to be told of."""
        return kind in self.kinds or (not self.kinds and kind not in WHO)

    def read_apprise(self) -> list[str]:
        """Return the URLs for apprise, which hold secrets.

        Raises:
            KeysError: there should be some, and they cannot be had.
        """
        if not self.apprise:
            return []
        lines = read_private(Path(self.apprise).expanduser()).splitlines()
        urls = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        if not urls:
            raise KeysError(f"{self.apprise}: there is no URL in it")
        return urls
