"""The ways of notifications: a webhook, e-mail, and whatever the package apprise knows.

None follows redirects, which would have the message and the secret; apprise alone takes a proxy of
the environment.
"""

from __future__ import annotations

import json
import logging
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from email.message import EmailMessage
from email.utils import localtime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from config.errors import SettingInvalid
from config.notify import EmailOptions, NotifyOptions, WebhookOptions
from daemon.apps.notify import Notification
from daemon.apps.outbox import NotSent, Way
from daemon.errors import import_extra
from daemon.terminal import plain

STEP_S = 10.0  # for each step of an attempt: to connect, to read
LONGEST_REASON = 200
ELSEWHERE = range(300, 400)

_LOG = logging.getLogger(__name__)


def ways_of(options: NotifyOptions) -> list[Way]:
    """Return the ways that are set, with their secrets read.

    Raises:
        SettingInvalid: none is set, or apprise knows no such URL.
        KeysError: a secret cannot be had.
        ExtraMissing: apprise is wanted and not installed.
    """
    ways: list[Way] = []
    if options.webhook.url:
        ways.append(Webhook(options.webhook))
    if options.email.server:
        ways.append(Email(options.email))
    if options.apprise:
        ways += [Apprise(url, number) for number, url in enumerate(options.read_apprise(), 1)]
    if not ways:
        raise SettingInvalid(
            "notify: no way is set, so nothing would be sent: set notify.webhook.url, "
            "notify.email.server or notify.apprise; docs/notifications.md has examples"
        )
    return ways


class Webhook:
    """Posts JSON to a server."""

    def __init__(self, options: WebhookOptions) -> None:
        self.name = f"webhook {options.host}"
        self._url = urlsplit(options.url)
        header = options.read_header()
        self._headers = {"Content-Type": "application/json", "User-Agent": "qrsd"}
        self._headers |= {"Connection": "close"} | ({header[0]: header[1]} if header else {})

    def send(self, notification: Notification) -> None:
        """Send it; an answer counts by its status, and is not read further."""
        body = json.dumps(notification.as_json()).encode()
        with _explained(), closing(self._connection()) as connection:
            connection.request("POST", self._url.path or "/", body, self._headers)
            status = connection.getresponse().status
        if status in ELSEWHERE:
            raise NotSent(f"points to another address, to which nothing is sent (HTTP {status})")
        if not 200 <= status < 300:
            raise NotSent(f"does not take it (HTTP {status})")

    def _connection(self) -> HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "http":
            return HTTPConnection(host, port, timeout=STEP_S)
        authorities = ssl.create_default_context()  # the system's
        return HTTPSConnection(host, port, timeout=STEP_S, context=authorities)


class Email:
    """Hands messages to a mail server, which sends them on."""

    def __init__(self, options: EmailOptions) -> None:
        self.name = f"email {options.server}:{options.port}"
        self._options = options
        self._password = options.read_password()

    def send(self, notification: Notification) -> None:
        """Send it to everybody whom the server takes it for."""
        with _explained(), self._client() as client:
            if self._options.user:
                client.login(self._options.user, self._password or "")
            refused = client.send_message(self._message(notification))
        if refused:
            _LOG.warning("%s refuses %d of the addresses", self.name, len(refused))

    def _client(self) -> smtplib.SMTP:
        server, port = self._options.server, self._options.port
        authorities = ssl.create_default_context()
        if self._options.tls == "tls":
            return smtplib.SMTP_SSL(server, port, timeout=STEP_S, context=authorities)
        client = smtplib.SMTP(server, port, timeout=STEP_S)
        if self._options.tls == "starttls":
            try:
                client.starttls(context=authorities)
            except BaseException:
                client.close()
                raise
        return client

    def _message(self, notification: Notification) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._options.sender
        message["To"] = ", ".join(self._options.to)
        message["Subject"] = notification.title
        message["Date"] = localtime()
        message["Message-ID"] = f"<{notification.id}@qrsd.invalid>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(notification.text)
        return message


class Apprise:
    """Sends by a URL of the package apprise.

    Args:
        url: holds secrets, as a rule.
        number: of the URL in its file.
    """

    def __init__(self, url: str, number: int) -> None:
        apprise = import_extra("apprise", "notify", "notify.apprise")
        logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it may log addresses
        self._service: Any = apprise.Apprise.instantiate(url)
        if self._service is None:
            raise SettingInvalid(
                f"notify.apprise: URL {number} of the file is none that apprise knows: try it with "
                "`apprise -vv --body=test URL`"
            )
        self._service.redirects = False
        self.name = f"apprise {number} ({plain(self._service.service_name)})"

    def send(self, notification: Notification) -> None:
        """Send it; apprise says only whether it could."""
        if not self._service.notify(body=notification.text, title=notification.title):
            raise NotSent("could not be reached, or does not take it")


@contextmanager
def _explained() -> Iterator[None]:
    """Turn errors of the network and of mail servers into what may be logged."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise NotSent(f"cannot prove who it is: {error.verify_message}") from error
    except smtplib.SMTPNotSupportedError as error:
        raise NotSent("cannot encrypt (STARTTLS), or takes no password") from error
    except smtplib.SMTPAuthenticationError as error:
        raise NotSent(f"refuses user and password (SMTP {error.smtp_code})") from error
    except smtplib.SMTPRecipientsRefused as error:
        raise NotSent("refuses every address") from error
    except smtplib.SMTPResponseException as error:
        raise NotSent(f"does not take it (SMTP {error.smtp_code})") from error
    except TimeoutError as error:
        raise NotSent(f"has not answered within {STEP_S:g} s") from error
    except (HTTPException, smtplib.SMTPException) as error:
        raise NotSent(f"broke off, or speaks another protocol ({type(error).__name__})") from error
    except OSError as error:
        reason = plain(error.strerror or type(error).__name__)[:LONGEST_REASON]
        raise NotSent(f"cannot be reached: {reason}") from error
