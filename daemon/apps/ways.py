"""The ways of notifications: a webhook, e-mail, and whatever the package apprise knows.

None follows redirects, and apprise alone takes a proxy of the environment.
"""

from __future__ import annotations

import json
import logging
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import localtime
from typing import Any

from config.errors import SettingInvalid
from config.notify import EmailOptions, NotifyOptions, WebhookOptions
from daemon.apps import http_post
from daemon.apps.http_post import NotSent, explained, post
from daemon.apps.notify import Notification
from daemon.apps.outbox import Way
from daemon.errors import import_extra
from daemon.terminal import plain

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
        self._url = options.url
        header = options.read_header()
        self._headers = {"Content-Type": "application/json", **dict([header] if header else [])}

    def send(self, notification: Notification) -> None:
        """Send it."""
        post(self._url, json.dumps(notification.as_json()).encode(), self._headers)


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
            return smtplib.SMTP_SSL(server, port, timeout=http_post.STEP_S, context=authorities)
        client = smtplib.SMTP(server, port, timeout=http_post.STEP_S)
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
    """Turn errors of mail servers, too, into what may be logged."""
    with explained():
        try:
            yield
        except smtplib.SMTPNotSupportedError as error:
            raise NotSent("cannot encrypt (STARTTLS), or takes no password") from error
        except smtplib.SMTPAuthenticationError as error:
            raise NotSent(f"refuses user and password (SMTP {error.smtp_code})") from error
        except smtplib.SMTPRecipientsRefused as error:
            raise NotSent("refuses every address") from error
        except smtplib.SMTPResponseException as error:
            raise NotSent(f"does not take it (SMTP {error.smtp_code})") from error
        except smtplib.SMTPException as error:  # an OSError, too
            words = f"broke off, or speaks another protocol ({type(error).__name__})"
            raise NotSent(words) from error
