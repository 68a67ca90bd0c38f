"""Who a caller is, and what that caller may: by token or session, or by being on this machine."""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

from daemon.journal import event
from daemon.web.exposure import Exposure
from daemon.web.problems import Problem
from daemon.web.routes import Right
from daemon.web.screening import Head
from daemon.web.sessions import COOKIE, Session, Sessions
from daemon.web.throttle import Throttle
from daemon.web.tokens import SCOPES, Scope, Token, TokenList

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="qrsd"'}

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request."""

    scopes: frozenset[Scope]
    token: bytes | None = field(default=None, repr=False)  # digest of the token, if by one
    cookie: str | None = field(default=None, repr=False)  # of the session, if by one
    session: Session | None = None


#: Who sends none of what tells who it is, and may do nothing; on loopback, anything.
NOBODY = Caller(frozenset())
THIS_MACHINE = Caller(frozenset(SCOPES))


class Gate:
    """Knows the tokens and sessions.

    Args:
        exposure: where the server listens.
        tokens: those that were given out.
        now: a clock that never goes back, seconds.
    """

    def __init__(
        self, exposure: Exposure, tokens: TokenList, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.exposure = exposure
        self.sessions = Sessions(now)
        self._tokens = tokens
        self._throttle = Throttle(now)

    @property
    def is_open(self) -> bool:
        """Whether nobody is asked who they are, as only this machine gets here."""
        return self.exposure.kind == "loopback"

    def caller(self, head: Head) -> Caller:
        """Return who sends a request.

        Raises:
            Problem: by a token that is not valid, or without the proof that the page sent it.
        """
        if self.is_open:
            return THIS_MACHINE
        given = head.headers.get("authorization")
        if given is not None:
            scheme, _, secret = given.partition(" ")
            token = self._token(head.address, secret.strip() if scheme.lower() == "bearer" else "")
            return Caller(token.scopes, token.digest)
        cookie = _cookie(head.headers.get("cookie", ""))
        session = self.sessions.find(cookie) if cookie else None
        kept = self._tokens.of_digest(session.token) if session else None
        if not (cookie and session and kept):
            return NOBODY
        _check_page(head, session)
        return Caller(kept.scopes, kept.digest, cookie, session)

    def admit(self, caller: Caller, right: Right) -> None:
        """Refuse a caller who has not the right.

        Raises:
            Problem: why not.
        """
        if right == "none" or right in caller.scopes:
            return
        if caller is NOBODY:
            raise Problem(401, "login_needed", "Log in, or send a token.", CHALLENGE)
        raise Problem(403, "not_allowed", f"This token is not for {right}.")

    def is_still(self, caller: Caller) -> bool:
        """Tell whether a caller has not logged out, nor been revoked or changed, meanwhile."""
        if caller.token is None:
            return True
        if caller.cookie and self.sessions.find(caller.cookie) is None:
            return False
        kept = self._tokens.of_digest(caller.token)
        return kept is not None and kept.scopes == caller.scopes

    def login(self, address: str, secret: str) -> tuple[str, Session, Token]:
        """Begin a session by a token; return its cookie, itself and the token.

        Raises:
            Problem: the token is not valid.
        """
        token = self._token(address, secret)
        return (*self.sessions.open(token.digest), token)

    def _token(self, address: str, secret: str) -> Token:
        token = self._tokens.of_secret(secret)
        if token is not None:
            return token
        wait_s = ceil(self._throttle.failed(address))
        if wait_s:
            raise Problem(
                429,
                "too_many_attempts",
                f"Too many tokens were not valid, and neither is this one: wait {wait_s} s.",
                {"Retry-After": str(wait_s)},
            )
        _LOG.warning("a token from %s is not valid", address, extra=event("web_token_refused"))
        raise Problem(401, "token_invalid", "This token is not valid.", CHALLENGE)


def _check_page(head: Head, session: Session) -> None:
    """Refuse what our page did not send, as a browser sends the cookie for others too."""
    if head.method == "WEBSOCKET" and "origin" not in head.headers:
        raise Problem(403, "other_origin", "A browser says where its page is from: Origin.")
    if head.changes:
        proof = head.headers.get("x-csrf-token", "").encode("latin-1")
        if not hmac.compare_digest(proof, session.csrf.encode("ascii")):
            raise Problem(403, "csrf", "The header X-CSRF-Token is not the session's.")


def _cookie(header: str) -> str:
    """Return the value of our cookie, empty if it is not there once."""
    pairs = [part.strip().partition("=") for part in header.split(";")]
    values = [value for name, _, value in pairs if name == COOKIE]
    return values[0] if len(values) == 1 else ""
