"""Brings notifications to servers that may be slow, dead or unwilling, without waiting for them."""

from __future__ import annotations

import logging
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import replace
from threading import Condition, Thread
from typing import Protocol

from daemon.apps.http_post import NotSent
from daemon.apps.notify import Notification
from daemon.background import started
from daemon.closing import Closing
from daemon.journal import event

MOST_WAITING = 50  # of a way; the oldest is lost to a newer one
GIVEN_UP_S = 3600.0  # after which a notification is no news
TIMEOUT_S = 20.0  # of one attempt, from the connection to the answer
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 300.0  # between attempts, each twice the one before
FAREWELL_S = 5.0  # to send what is left

_LOG = logging.getLogger(__name__)


class Way(Protocol):
    """One way to send notifications: by a server, to somebody."""

    name: str  # for logs: nothing secret, nobody's name

    def send(self, notification: Notification) -> None:
        """Send it, however long that takes.

        Raises:
            NotSent: it is not known to have arrived.
        """


class Attempts:
    """Tries to send by one way, with a limit for the whole of each attempt."""

    def __init__(self, way: Way, timeout_s: float = TIMEOUT_S) -> None:
        self._way = way
        self._timeout_s = timeout_s
        self._newest: Future[None] | None = None

    def send(self, notification: Notification) -> None:
        """Send it.

        Raises:
            NotSent: it is not known to have arrived.
        """
        if self._newest and not self._newest.done():  # one that is left alone, and no more
            raise NotSent("still keeps the attempt before waiting")
        self._newest = started(lambda: self._way.send(notification))
        try:
            self._newest.result(self._timeout_s)
        except NotSent:
            raise
        except TimeoutError as error:
            raise NotSent(f"has not answered within {self._timeout_s:g} s") from error
        except Exception as error:  # its message may have a secret or the server's bytes in it
            raise NotSent(f"broke off ({type(error).__name__})") from error


class Outbox(Closing):
    """Sends by one way, in a thread of its own, what is put into it, in order.

    Args:
        way: how.
        timeout_s: of one attempt.
        pause_s: after the first that fails.
    """

    def __init__(
        self, way: Way, timeout_s: float = TIMEOUT_S, pause_s: float = FIRST_PAUSE_S
    ) -> None:
        self._name = way.name
        self._attempts = Attempts(way, timeout_s)
        self._first_pause_s = pause_s
        self._waiting: deque[tuple[float, Notification]] = deque()
        self._lost = 0  # of which nobody has been told yet
        self._failures = 0  # in a row
        self._closing = False
        self._changed = Condition()
        self._thread = Thread(target=self._work, name=f"outbox {way.name}", daemon=True)
        self._thread.start()

    def put(self, notification: Notification) -> None:
        """Have it sent; this returns at once."""
        with self._changed:
            if len(self._waiting) >= MOST_WAITING:
                self._lose("too many are waiting")
            self._waiting.append((time.monotonic(), notification))
            self._changed.notify()

    def close(self) -> None:
        """Send what is left, if that takes no longer than a moment."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(FAREWELL_S)
        with self._changed:
            while self._waiting:
                self._lose("qrsd notify is ending")

    def _work(self) -> None:
        while (notification := self._next()) is not None:
            try:
                self._attempts.send(notification)
            except NotSent as error:
                if not self._failed(error):
                    return
            else:
                self._succeeded(notification)

    def _next(self) -> Notification | None:
        """Wait for the oldest, or return None at the end."""
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if not self._waiting:
                    return None
                since_s, notification = self._waiting[0]
                if time.monotonic() - since_s < GIVEN_UP_S:
                    return replace(notification, lost=self._lost)
                self._lose("an hour has passed")

    def _failed(self, error: NotSent) -> bool:
        """Pause; return False if it is time to end."""
        self._failures += 1
        if self._failures == 1:
            what = event("notifications_fail", way=self._name)
            _LOG.warning("%s %s; it is tried again", self._name, error, extra=what)
        pause_s = min(self._first_pause_s * 2.0 ** min(self._failures - 1, 30), LONGEST_PAUSE_S)
        with self._changed:
            return not self._changed.wait_for(lambda: self._closing, pause_s)

    def _succeeded(self, sent: Notification) -> None:
        self._failures = 0
        what = event("notification_sent", way=self._name, kind=sent.kind)
        _LOG.info("%s: %s %s is sent", self._name, sent.kind, sent.phase, extra=what)
        with self._changed:
            self._lost -= sent.lost
            if self._waiting and self._waiting[0][1].id == sent.id:  # else it gave way meanwhile
                self._waiting.popleft()
            else:
                self._lost -= 1

    def _lose(self, why: str) -> None:
        _, notification = self._waiting.popleft()
        self._lost += 1
        what = event("notification_lost", way=self._name, kind=notification.kind)
        _LOG.warning("%s: %s is not sent: %s", self._name, notification.kind, why, extra=what)
