"""Sessions of browsers that logged in with a token: an unguessable cookie each, kept in memory.

A session ends after 12 hours, when its user logs out, when its token is revoked, or with the
server. What is kept of the cookie is its SHA-256, so that finding it takes the same time whatever
an attacker tries.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

LASTS_S = 12 * 3600
MOST_OF_A_TOKEN = 16  # with one more, the oldest ends
#: A browser sends a cookie of this prefix to the host that set it only, and only over TLS.
COOKIE = "__Host-qrsd-session"


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that logged in."""

    token: bytes = field(repr=False)  # digest of the token that it logged in with
    csrf: str = field(repr=False)  # what its page sends along with what changes something
    ends_s: float  # by the clock of ``Sessions``


class Sessions:
    """The sessions there are.

    Args:
        now: a clock that never goes back, seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._sessions: dict[bytes, Session] = {}  # by hash of the cookie, the oldest first

    def open(self, token: bytes) -> tuple[str, Session]:
        """Begin a session of a token, and return its cookie's value too."""
        for key in [key for key, kept in self._sessions.items() if kept.ends_s <= self._now()]:
            del self._sessions[key]
        of_token = [key for key, kept in self._sessions.items() if kept.token == token]
        for key in of_token[: max(0, len(of_token) + 1 - MOST_OF_A_TOKEN)]:
            del self._sessions[key]
        cookie = secrets.token_urlsafe(32)
        session = Session(token, secrets.token_urlsafe(32), self._now() + LASTS_S)
        self._sessions[_key(cookie)] = session
        return cookie, session

    def find(self, cookie: str) -> Session | None:
        """Return the session of a cookie, None if there is none or it has ended."""
        session = self._sessions.get(_key(cookie))
        return session if session and self._now() < session.ends_s else None

    def close(self, cookie: str) -> None:
        """End a session, if there is one."""
        self._sessions.pop(_key(cookie), None)

    def left_s(self, session: Session) -> float:
        """Return how long a session will last."""
        return session.ends_s - self._now()


def _key(cookie: str) -> bytes:
    return sha256(cookie.encode("utf-8", "surrogateescape")).digest()


def set_cookie(cookie: str) -> str:
    """Return the header that gives a browser its cookie."""
    return f"{COOKIE}={cookie}; Path=/; Max-Age={LASTS_S}; Secure; HttpOnly; SameSite=Strict"


CLEAR_COOKIE = f"{COOKIE}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict"
