"""Notifications as servers get them, and what is said of servers that do not take them."""

from __future__ import annotations

import json
import logging
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from config.errors import KeyMissing, SettingInvalid
from config.notify import EmailOptions, NotifyOptions, WebhookOptions
from daemon.apps import http_post
from daemon.apps.http_post import NotSent
from daemon.apps.notify import Notification
from daemon.apps.outbox import Attempts
from daemon.apps.ways import Email, Webhook, ways_of
from daemon.commands.exit_codes import exit_code
from daemon.errors import ExtraMissing
from model.rhythm import CAUTION
from tests.config.test_notify import private
from tests.daemon.certificates import certificate
from tests.daemon.chat_server import Behaviour, ChatServer, chat_server, saying

AT = datetime(2026, 11, 28, 10, 0, 8, tzinfo=UTC)
TOLD = Notification("pause", "begins", "bench", "simulated", AT)
SECRET = "hunter2"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def refusal(behave: Behaviour) -> str:
    """Return why a webhook says that a notification did not arrive."""
    with chat_server(behave) as server, pytest.raises(NotSent) as told:
        Attempts(Webhook(WebhookOptions(server.url)), timeout_s=2).send(TOLD)
    return str(told.value)


def test_a_webhook_gets_json_and_the_header(tmp_path: Path) -> None:
    header = private(tmp_path / "header", f"Authorization: Bearer {SECRET}\n")
    with chat_server(saying(b"", 204)) as server:
        webhook = Webhook(WebhookOptions(f"{server.url}/hooks/a", header))
        webhook.send(TOLD)
    assert server.paths == ["/v1/hooks/a"]
    assert server.headers[0]["Authorization"] == f"Bearer {SECRET}"
    assert server.headers[0]["Content-Type"] == "application/json"
    assert json.loads(server.bodies[0]) == TOLD.as_json()
    assert SECRET not in webhook.name


def test_a_proxy_of_the_environment_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    with chat_server(saying(b"")) as server:
        Webhook(WebhookOptions(server.url)).send(TOLD)
    assert len(server.paths) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_a_status_of_an_error_is_told(status: int) -> None:
    assert refusal(saying(b"go away", status)) == f"does not take it (HTTP {status})"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with chat_server(saying(b"")) as other:
        why = refusal(saying(b"", status, Location=f"{other.url}/take"))
    assert why == f"points to another address, to which nothing is sent (HTTP {status})"
    assert other.paths == []


def test_a_server_that_is_silent_or_drips_is_left_after_the_time() -> None:
    def silent(_: BaseHTTPRequestHandler, served: ChatServer) -> None:
        served.ended.wait(20)

    def dripping(handler: BaseHTTPRequestHandler, served: ChatServer) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not served.ended.wait(0.1):
            handler.wfile.write(b"a")

    for behave in (silent, dripping):
        assert refusal(behave) == "has not answered within 2 s"


def test_each_step_has_a_limit_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_post, "STEP_S", 0.2)
    assert refusal(lambda _, served: served.ended.wait(20)) == "has not answered within 0.2 s"


def test_what_is_no_http_is_told() -> None:
    def rude(handler: BaseHTTPRequestHandler, _: ChatServer) -> None:
        handler.wfile.write(b"220 smtp.example.org\r\n\r\n")

    assert refusal(rude) == "broke off, or speaks another protocol (BadStatusLine)"


def test_nobody_there_is_told() -> None:
    webhook = Webhook(WebhookOptions(f"http://127.0.0.1:{free_port()}/hook"))
    with pytest.raises(NotSent, match=r"^cannot be reached: Connection refused$"):
        webhook.send(TOLD)


def test_a_webhook_that_nobody_vouches_for_gets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, context = certificate(tmp_path)
    with chat_server(saying(b""), context) as server:
        webhook = Webhook(WebhookOptions(server.url))
        with pytest.raises(NotSent, match=r"^cannot prove who it is: self-signed certificate"):
            webhook.send(TOLD)
        assert server.paths == []
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        webhook.send(TOLD)
    assert len(server.paths) == 1


def aiosmtpd(module: str) -> Any:
    """Return a part of the package that the mail server of these tests is made of."""
    return pytest.importorskip(f"aiosmtpd.{module}", reason="needs pip install '.[test]'")


class Mailbox:
    """What a mail server does with what it is given."""

    def __init__(self, answer: str = "250 OK", unknown: str = "nobody") -> None:
        self.envelopes: list[Any] = []
        self._answer = answer
        self._unknown = unknown

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address.startswith(self._unknown):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        self.envelopes.append(envelope)
        return self._answer


@contextmanager
def mail_server(mailbox: Mailbox, **more: Any) -> Iterator[int]:
    """Serve SMTP on this machine; return the port."""
    controller = aiosmtpd("controller").Controller(mailbox, "127.0.0.1", free_port(), **more)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def email(port: int, **more: object) -> Email:
    options: dict[str, Any] = {"server": "127.0.0.1", "tls": "none", "sender": "qrsd@example.org"}
    return Email(EmailOptions(**options | {"port": port, "to": ("ada@example.org",)} | more))


def test_a_message_arrives_as_it_should_read() -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        email(port, to=("ada@example.org", "bob@example.org")).send(TOLD)
    [envelope] = mailbox.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == (
        "qrsd@example.org",
        ["ada@example.org", "bob@example.org"],
    )
    message = message_from_bytes(envelope.content, policy=policy.default)
    assert message["Subject"] == "qrsd: pause: begins (bench, SIMULATED)"
    assert message["To"] == "ada@example.org, bob@example.org"
    assert TOLD.id in message["Message-ID"]
    assert message["Auto-Submitted"] == "auto-generated"
    assert CAUTION in message.get_content().lower()


def test_with_starttls_and_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, context = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    password = private(tmp_path / "password", f"{SECRET}\n")

    def knows(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> Any:
        is_ada = data.password == SECRET.encode() and data.login == b"ada"
        return aiosmtpd("smtp").AuthResult(success=is_ada, handled=False)

    mailbox = Mailbox()
    more = {"tls_context": context, "require_starttls": True, "authenticator": knows}
    with mail_server(mailbox, **more) as port:
        known = {"tls": "starttls", "password": password}
        email(port, user="ada", **known).send(TOLD)
        with pytest.raises(NotSent, match=r"^refuses user and password \(SMTP 535\)$"):
            email(port, user="bob", **known).send(TOLD)
    assert len(mailbox.envelopes) == 1


def test_with_tls_from_the_first_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, context = certificate(tmp_path)
    mailbox = Mailbox()
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with mail_server(mailbox, ssl_context=context) as port:
        email(port, tls="tls").send(TOLD)
    assert len(mailbox.envelopes) == 1


def test_a_mail_server_that_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    _, context = certificate(tmp_path)
    mailbox = Mailbox()
    with (
        mail_server(mailbox, tls_context=context) as port,
        pytest.raises(NotSent, match=r"^cannot prove who it is"),
    ):
        email(port, tls="starttls").send(TOLD)
    assert mailbox.envelopes == []


def test_a_mail_server_without_tls_gets_nothing() -> None:
    mailbox = Mailbox()
    with (
        mail_server(mailbox) as port,
        pytest.raises(NotSent, match=r"^cannot encrypt"),
    ):
        email(port, tls="starttls").send(TOLD)
    assert mailbox.envelopes == []


def test_what_a_mail_server_refuses_is_told_without_addresses(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with mail_server(Mailbox("451 try again later, ada")) as port:
        with pytest.raises(NotSent, match=r"^does not take it \(SMTP 451\)$"):
            email(port).send(TOLD)
        with pytest.raises(NotSent, match=r"^refuses every address$"):
            email(port, to=("nobody@example.org",)).send(TOLD)
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        email(port, to=("nobody@example.org", "ada@example.org")).send(TOLD)
    assert mailbox.envelopes[0].rcpt_tos == ["ada@example.org"]
    [record] = caplog.get_records("call")
    assert record.getMessage() == f"email 127.0.0.1:{port} refuses 1 of the addresses"


def test_a_web_server_is_no_mail_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_post, "STEP_S", 0.5)
    with (
        chat_server(saying(b"")) as server,
        pytest.raises(NotSent, match="broke off, or speaks another"),
    ):
        email(int(server.url.rpartition(":")[2].split("/")[0])).send(TOLD)


def test_apprise_sends_by_each_url(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("apprise", reason="needs pip install '.[notify]'")
    with chat_server(saying(b"")) as one, chat_server(saying(b"", 500)) as other:
        ports = [served.url.removeprefix("http://") for served in (one, other)]
        urls = private(
            tmp_path / "urls", "".join(f"json://ada:{SECRET}@{port}\n" for port in ports)
        )
        caplog.set_level(logging.INFO)
        first, second = ways_of(NotifyOptions(apprise=urls))
        first.send(TOLD)
        with pytest.raises(NotSent, match="could not be reached, or does not take it"):
            second.send(TOLD)
    sent = json.loads(one.bodies[0])
    assert (sent["title"], sent["message"]) == (TOLD.title, TOLD.text)
    assert len(other.bodies) == 1
    assert (first.name, second.name) == ("apprise 1 (JSON)", "apprise 2 (JSON)")
    assert caplog.records == []


def test_apprise_follows_no_redirect(tmp_path: Path) -> None:
    pytest.importorskip("apprise", reason="needs pip install '.[notify]'")
    with chat_server(saying(b"")) as other:
        behave = saying(b"", 307, Location=other.url)
        with chat_server(behave) as server:
            urls = private(tmp_path / "urls", server.url.replace("http", "json"))
            [way] = ways_of(NotifyOptions(apprise=urls))
            with pytest.raises(NotSent):
                way.send(TOLD)
    assert (len(server.paths), other.paths) == (1, [])


def test_each_way_that_is_set_is_there(tmp_path: Path) -> None:
    pytest.importorskip("apprise", reason="needs pip install '.[notify]'")
    options = NotifyOptions(
        webhook=WebhookOptions("https://hooks.example.org/a"),
        email=EmailOptions("smtp.example.org", sender="q@example.org", to=("ada@example.org",)),
        apprise=private(tmp_path / "urls", "json://127.0.0.1\n"),
    )
    names = [way.name for way in ways_of(options)]
    assert names == ["webhook hooks.example.org", "email smtp.example.org:587", "apprise 1 (JSON)"]


def test_no_way_is_an_error_of_the_settings() -> None:
    with pytest.raises(SettingInvalid, match="no way is set, so nothing would be sent") as told:
        ways_of(NotifyOptions())
    assert exit_code(told.value) == 78


def test_what_is_missing_is_told_before_anything_is_to_be_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyMissing, match="no such key file"):
        Webhook(WebhookOptions("https://example.org", str(tmp_path / "none")))
    pytest.importorskip("apprise", reason="needs pip install '.[notify]'")
    urls = private(tmp_path / "urls", f"json://127.0.0.1\nnothing://{SECRET}\n")
    with pytest.raises(SettingInvalid, match="URL 2 of the file is none that") as told:
        ways_of(NotifyOptions(apprise=urls))
    assert SECRET not in str(told.value)
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ExtraMissing, match=r"needs apprise.*'\.\[notify\]'"):
        ways_of(NotifyOptions(apprise=urls))
