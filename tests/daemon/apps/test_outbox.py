"""A slow, dead or unwilling server holds up nothing but its own notifications."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event
from time import monotonic

import pytest

from daemon.apps import outbox as module
from daemon.apps.http_post import NotSent
from daemon.apps.notify import Notification
from daemon.apps.outbox import MOST_WAITING, Attempts, Outbox
from tests.daemon.background import PATIENCE_S, wait_for


def notification(kind: str = "pause") -> Notification:
    return Notification(kind, "begins", "bench", None, datetime(2026, 11, 28, tzinfo=UTC))


class Server:
    """A way whose server can be broken; it writes down what arrived."""

    name = "test server"

    def __init__(self) -> None:
        self.arrived: list[Notification] = []
        self.tried = 0
        self.failing: list[Exception] = []  # what the next attempts raise
        self.open = Event()  # until then, attempts last
        self.open.set()

    def send(self, notification: Notification) -> None:
        self.tried += 1
        self.open.wait(PATIENCE_S)
        if self.failing:
            raise self.failing.pop(0)
        self.arrived.append(notification)

    def kinds(self) -> list[str]:
        return [each.kind for each in self.arrived]


@contextmanager
def sending(server: Server, timeout_s: float = PATIENCE_S) -> Iterator[Outbox]:
    with Outbox(server, timeout_s, pause_s=0.01) as outbox:
        yield outbox
        server.open.set()


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [vars(record)["QRSD_EVENT"] for record in caplog.records]


def test_what_is_put_in_arrives_in_order() -> None:
    server = Server()
    with sending(server) as outbox:
        for number in range(20):
            outbox.put(notification(str(number)))
    assert server.kinds() == [str(number) for number in range(20)]


def test_it_is_tried_again_until_it_arrives_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    server = Server()
    server.failing = [NotSent("is out of order"), ValueError("secret"), NotSent("is out of order")]
    with sending(server) as outbox:
        outbox.put(notification())
        wait_for(lambda: bool(server.arrived))
    assert server.tried == 4
    assert events(caplog) == ["notifications_fail", "notification_sent"]
    assert caplog.records[0].getMessage() == "test server is out of order; it is tried again"


def test_an_error_nobody_thought_of_is_told_without_its_message() -> None:
    server = Server()
    server.failing = [ValueError("secret")]
    with pytest.raises(NotSent, match=r"^broke off \(ValueError\)$"):
        Attempts(server).send(notification())


def test_pauses_grow() -> None:
    server = Server()
    server.failing = [NotSent("is out of order")] * 5
    with Outbox(server, pause_s=0.05) as outbox:
        began_s = monotonic()
        outbox.put(notification())
        wait_for(lambda: bool(server.arrived))
        assert monotonic() - began_s >= 0.05 * (1 + 2 + 4 + 8 + 16)


def test_putting_something_in_waits_for_nobody() -> None:
    server = Server()
    server.open.clear()
    with sending(server) as outbox:
        began_s = monotonic()
        for _ in range(1000):
            outbox.put(notification())
        assert monotonic() - began_s < 5


def test_the_oldest_make_room_and_the_next_says_how_many_were_lost() -> None:
    server = Server()
    server.open.clear()
    with sending(server) as outbox:
        outbox.put(notification("first"))
        wait_for(lambda: server.tried == 1)
        for number in range(MOST_WAITING + 3):
            outbox.put(notification(str(number)))
        server.open.set()
        wait_for(lambda: len(server.arrived) == MOST_WAITING + 1)
    # The first was on its way when it had to make room, and three behind it were not.
    assert server.kinds() == ["first", *(str(number) for number in range(3, MOST_WAITING + 3))]
    assert [each.lost for each in server.arrived] == [0, 3] + [0] * (MOST_WAITING - 1)
    assert "Could not be sent: 3 before this one." in server.arrived[1].text


def test_what_is_an_hour_old_is_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "GIVEN_UP_S", 0.2)
    server = Server()
    server.failing = [NotSent("is out of order")] * 1000
    with sending(server) as outbox:
        outbox.put(notification("old"))
        wait_for(lambda: "notification_lost" in events(caplog))
        server.failing.clear()
        outbox.put(notification("new"))
        wait_for(lambda: bool(server.arrived))
    assert [(each.kind, each.lost) for each in server.arrived] == [("new", 1)]


def test_an_attempt_has_a_limit_and_is_not_joined_by_others() -> None:
    server = Server()
    server.open.clear()
    attempts = Attempts(server, timeout_s=0.1)
    with pytest.raises(NotSent, match=r"has not answered within 0.1 s"):
        attempts.send(notification())
    for _ in range(10):
        with pytest.raises(NotSent, match="still keeps the attempt before waiting"):
            attempts.send(notification())
    assert server.tried == 1
    server.open.set()
    wait_for(lambda: len(server.arrived) == 1)
    wait_for(lambda: attempts._newest is not None and attempts._newest.done())
    attempts.send(notification())
    assert len(server.arrived) == 2


def test_the_end_waits_a_moment_and_says_what_is_left(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "FAREWELL_S", 0.2)
    server = Server()
    server.open.clear()
    began_s = monotonic()
    with Outbox(server) as outbox:
        outbox.put(notification())
        outbox.put(notification())
    assert monotonic() - began_s < 5
    assert events(caplog) == ["notification_lost", "notification_lost"]
    server.open.set()


def test_the_end_waits_for_no_pause() -> None:
    server = Server()
    server.failing = [NotSent("is out of order")] * 5
    began_s = monotonic()
    with Outbox(server, pause_s=60) as outbox:
        outbox.put(notification())
        wait_for(lambda: server.tried == 1)
    assert monotonic() - began_s < 5
